// TLS in front of a plain server of this machine, with a certificate that can be changed while it runs: what a homeserver behind
// a proxy looks like whose certificate runs out, is somebody else's, or comes from a new authority.
//
//   client --TLS--> front --plain--> 127.0.0.1:to
import { connect, type AddressInfo, type Socket } from 'node:net'
import { createServer } from 'node:tls'
import type { KeyAndCertificate } from '@citypresence/stack/certificates'

export type TlsFront = {
  readonly port: number
  /** Connections that got as far as a handshake, and handshakes that failed. */
  readonly counts: { readonly shaken: number; readonly failed: number }
  /** For connections that come from now on. */
  show(certificate: KeyAndCertificate): void
  /** Throws out whoever is connected, once. */
  resetAll(): void
  stop(): Promise<void>
}

export type TlsFrontOptions = { readonly to: number; readonly certificate: KeyAndCertificate }

const contextOf = ({ certPem, keyPem }: KeyAndCertificate) => ({ cert: certPem, key: keyPem })

export async function startTlsFront({ to, certificate }: TlsFrontOptions): Promise<TlsFront> {
  const counts = { shaken: 0, failed: 0 }
  const clients = new Set<Socket>()
  const server = createServer(contextOf(certificate), (client) => {
    counts.shaken++
    const inner = connect(to, '127.0.0.1')
    client.on('error', () => inner.destroy())
    inner.on('error', () => client.destroy())
    client.pipe(inner).pipe(client)
    client.once('close', () => inner.destroy())
    inner.once('close', () => client.destroy())
  })
  server.on('tlsClientError', () => {
    counts.failed++
  })
  server.on('connection', (socket: Socket) => {
    clients.add(socket)
    socket.on('error', () => undefined)
    socket.once('close', () => clients.delete(socket))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const resetAll = (): void => {
    for (const client of [...clients]) client.resetAndDestroy()
  }
  return {
    port: (server.address() as AddressInfo).port,
    counts,
    show: (next) => server.setSecureContext(contextOf(next)),
    resetAll,
    async stop() {
      resetAll()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
