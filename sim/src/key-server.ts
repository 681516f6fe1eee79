// A provider of public keys on a real port, plain or with TLS, that can be told to be slow, wrong or gone; and the private keys
// to sign tokens with.
import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { once } from 'node:events'
import { createServer as createPlainServer, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { serverKeyPem, serverPem } from '@citypresence/chassis/testing/tls-fixture'

const kinds = {
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 2_048 }),
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
}

export type SigningKey = ReturnType<typeof makeKey>

export function makeKey(
  kid: string,
  alg: keyof typeof kinds = 'ES256',
  pair: { publicKey: KeyObject; privateKey: KeyObject } = kinds[alg](),
) {
  return {
    kid,
    jwk: { ...pair.publicKey.export({ format: 'jwk' }), kid } as Record<string, unknown>,
    privateJwk: { ...pair.privateKey.export({ format: 'jwk' }), kid } as Record<string, unknown>,
    token(claims: Record<string, unknown> = {}, header: Record<string, unknown> = {}): string {
      const exp = Math.floor(Date.now() / 1000) + 3_600
      const parts = [
        { alg, kid, ...header },
        { exp, ...claims },
      ].map((part) => base64url(JSON.stringify(part)))
      const signature = sign('sha256', Buffer.from(parts.join('.')), {
        key: pair.privateKey,
        dsaEncoding: 'ieee-p1363',
      })
      return [...parts, signature.toString('base64url')].join('.')
    },
  }
}

const base64url = (text: string): string => Buffer.from(text).toString('base64url')

export type KeyServer = Awaited<ReturnType<typeof startKeyServer>>
type Answer = (response: ServerResponse) => void

export async function startKeyServer({ tls = false }: { tls?: boolean } = {}) {
  const state = { answer: json({ keys: [] }), asked: 0 }
  const hear = (_request: unknown, response: ServerResponse): void => {
    state.asked++
    state.answer(response)
  }
  const server: Server = tls ? createTlsServer({ key: serverKeyPem, cert: serverPem }, hear) : createPlainServer(hear)
  const listen = async (port: number): Promise<void> => {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
  }
  await listen(0)
  const { port } = server.address() as AddressInfo
  return {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}/keys`,
    asked: () => state.asked,
    publish: (...keys: readonly Record<string, unknown>[]) => (state.answer = json({ keys })),
    say: (answer: Answer) => (state.answer = answer),
    async stop() {
      server.closeAllConnections()
      if (server.listening) await new Promise((resolve) => server.close(resolve))
    },
    startAgain: () => listen(port),
  }
}

const json =
  (value: unknown): Answer =>
  (response) =>
    response.setHeader('content-type', 'application/json').end(JSON.stringify(value))
