// A certificate is right when others take it: Node's own reader, and a TLS handshake with both sides checked.
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, createServer, type TLSSocket } from 'node:tls'
import { expect, it } from 'vitest'
import { createAuthority } from './certificates.ts'

it('[S40] a certificate names its addresses, its user and its groups, and bears the signature of its authority', () => {
  const authority = createAuthority('test authority')
  const server = new X509Certificate(authority.forServer(['127.0.0.1'], ['localhost']).certPem)
  const client = new X509Certificate(authority.forClient('admin', ['system:masters']).certPem)
  const root = new X509Certificate(authority.certPem)
  expect(root.ca).toBe(true)
  for (const one of [root, server, client]) expect(one.verify(root.publicKey)).toBe(true)
  expect(server.checkIP('127.0.0.1')).toBe('127.0.0.1')
  expect(server.checkIP('127.0.0.2')).toBeUndefined()
  expect(server.checkHost('localhost')).toBe('localhost')
  expect(client.subject).toBe('O=system:masters\nCN=admin')
  expect(server.verify(new X509Certificate(createAuthority('another').certPem).publicKey)).toBe(false)
})

it('[S40] both sides of a TLS connection accept them, and another authority is refused', async () => {
  const [authority, other] = [createAuthority('ours'), createAuthority('theirs')]
  const { certPem, keyPem } = authority.forServer(['127.0.0.1'], ['localhost'])
  const server = createServer(
    { cert: certPem, key: keyPem, ca: authority.certPem, requestCert: true, rejectUnauthorized: false },
    (socket) => socket.end(socket.authorized ? 'welcome' : 'stranger'),
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const greet = async (ca: string, as = authority): Promise<string> => {
    const { port } = server.address() as AddressInfo
    const { certPem: cert, keyPem: key } = as.forClient('admin', [])
    const socket: TLSSocket = connect({ host: '127.0.0.1', port, ca, cert, key })
    let heard = ''
    socket.on('data', (bytes: Buffer) => (heard += bytes.toString()))
    await once(socket, 'end')
    return heard
  }
  expect(await greet(authority.certPem)).toBe('welcome')
  expect(await greet(authority.certPem, other)).toBe('stranger')
  await expect(greet(other.certPem)).rejects.toThrow(/certificate/i)
  server.close()
})
