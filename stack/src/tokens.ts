// Tokens for tests and for the demo: HS256, signed with the secret the gateway was given. Made by hand in a few lines so
// that a test can also make wrong ones (another algorithm, no `exp`), which a good library refuses to do.
import { createHmac, randomBytes } from 'node:crypto'

export type TokenOptions = {
  secret: string
  subject?: string
  /** Seconds from now; negative for one that has expired. Null leaves `exp` out. */
  expiresInS?: number | null
  claims?: Readonly<Record<string, unknown>>
  header?: Readonly<Record<string, unknown>>
  nowMs?: number
}

const expiresInSDefault = 3_600

export function makeToken(options: TokenOptions): string {
  const nowS = Math.floor((options.nowMs ?? Date.now()) / 1000)
  const lifeS = options.expiresInS === undefined ? expiresInSDefault : options.expiresInS
  const header = { alg: 'HS256', typ: 'JWT', ...options.header }
  const claims = {
    sub: options.subject ?? 'viewer',
    iat: nowS,
    ...(lifeS === null ? {} : { exp: nowS + lifeS }),
    ...options.claims,
  }
  const signed = `${base64url(header)}.${base64url(claims)}`
  return `${signed}.${createHmac('sha256', options.secret).update(signed).digest('base64url')}`
}

/** 48 hexadecimal characters: above the 32 bytes that the gateway asks of an HMAC secret. */
export const randomSecret = (): string => randomBytes(24).toString('hex')

function base64url(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
