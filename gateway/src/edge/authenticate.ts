// Token in, the moment of its end or one word of refusal out. The only file that knows what a token is made of.
//
//   token -> header (algorithm on the list? no crit, no b64) -> key (secret, or JWKS by kid) -> signature, iss, aud, nbf, exp
//
// A token is never put into an error, a log line or a metric; a refusal is a word of the vocabulary and nothing else.
import type { Secret } from '@citypresence/chassis/config'
import { createSecretKey, type KeyObject } from 'node:crypto'
import jsonwebtoken from 'jsonwebtoken'
import type { Algorithm } from '../config.ts'
import type { Holder } from '../core/revocations.ts'

export type TokenRefusal = 'TokenInvalid' | 'TokenExpired' | 'AuthKeysUnreachable'
export type Verdict =
  | { readonly ok: true; readonly expiresAtWallMs: number; readonly holder?: Holder }
  | { readonly ok: false; readonly code: TokenRefusal }
export type Authenticate = (token: string, nowWallMs: number) => Promise<Verdict>

export type AuthenticateOptions = {
  readonly keys: KeySource
  readonly algorithms: readonly Algorithm[]
  readonly issuer?: string | undefined
  /** One of these. */
  readonly audiences?: readonly string[] | undefined
  /** For so long after its iat a token counts, whatever its exp says. */
  readonly ageMaxS?: number | undefined
}

/** What a token says about itself before anybody has believed it. */
export type TokenHeader = { readonly alg: string; readonly kid?: unknown }

/** The key for a token with this header; undefined where there is none, an error where it could not be asked. */
export type KeySource = (header: TokenHeader) => Promise<KeyObject | undefined>

// Tokens of large identity providers stay below 4 KiB; Node's own limit on all headers is 16 KiB.
const tokenLengthMax = 8_192
// A token may be issued by a machine whose clock is a little ahead. Its end is taken exactly.
const notBeforeSkewS = 5
// The last moment that is a date. An end beyond it (1e308, say) is no end, and a required claim has to be one.
const dateMaxMs = 8.64e15

const invalid: Verdict = { ok: false, code: 'TokenInvalid' }

export function createAuthenticate(options: AuthenticateOptions): Authenticate {
  const { keys, algorithms, issuer, audiences, ageMaxS } = options
  return async (token, nowWallMs) => {
    const header = headerOf(token)
    if (header === undefined || !(algorithms as readonly string[]).includes(header.alg)) return invalid
    let key: KeyObject | undefined
    try {
      key = await keys(header)
    } catch {
      return { ok: false, code: 'AuthKeysUnreachable' }
    }
    if (key === undefined) return invalid
    const judged = {
      algorithms: [...algorithms],
      clockTimestamp: Math.floor(nowWallMs / 1000),
      clockTolerance: notBeforeSkewS,
      ...(issuer !== undefined && { issuer }),
      ...(audiences !== undefined && { audience: [...audiences] as [string, ...string[]] }),
    }
    return verify(token, key, { nowWallMs, ageMaxS, judged })
  }
}

/** Undefined for what is no token, and for extensions that this verifier would pass over (RFC 7515, 4.1.11). */
function headerOf(token: string): TokenHeader | undefined {
  if (token.length > tokenLengthMax) return undefined
  try {
    const header = jsonwebtoken.decode(token, { complete: true })?.header
    if (header === undefined || 'crit' in header || 'b64' in header) return undefined
    return header
  } catch {
    return undefined
  }
}

type Judging = {
  readonly nowWallMs: number
  readonly ageMaxS: number | undefined
  readonly judged: jsonwebtoken.VerifyOptions
}

function verify(token: string, key: KeyObject, { nowWallMs, ageMaxS, judged }: Judging): Verdict {
  try {
    const claims = jsonwebtoken.verify(token, key, { ...judged, complete: false })
    if (typeof claims === 'string' || typeof claims.exp !== 'number') return invalid
    const oldAtS = ageMaxS === undefined ? Infinity : tooOldAtS(claims.iat, ageMaxS, nowWallMs)
    if (oldAtS === undefined) return invalid
    const expiresAtWallMs = Math.min(claims.exp, oldAtS) * 1000
    if (!(expiresAtWallMs <= dateMaxMs)) return invalid
    if (expiresAtWallMs <= nowWallMs) return { ok: false, code: 'TokenExpired' }
    return { ok: true, expiresAtWallMs, holder: holderOf(claims) }
  } catch (error) {
    return error instanceof jsonwebtoken.TokenExpiredError ? { ok: false, code: 'TokenExpired' } : invalid
  }
}

/** Undefined where the token does not say when it was issued, or says it of the future. */
function tooOldAtS(issuedAtS: unknown, ageMaxS: number, nowWallMs: number): number | undefined {
  if (typeof issuedAtS !== 'number' || issuedAtS > nowWallMs / 1000 + notBeforeSkewS) return undefined
  return issuedAtS + ageMaxS
}

/** A subject or an id that is no text is none. */
const holderOf = ({ sub, jti }: { sub?: unknown; jti?: unknown }): Holder => ({
  ...(typeof sub === 'string' && { subject: sub }),
  ...(typeof jti === 'string' && { tokenId: jti }),
})

/**
 * One secret for all tokens; read at each use, so that a rotated file counts at the next handshake. Handed on as a key: of a text the
 * library first tries whether it is a public key, which costs a quarter of a handshake.
 */
export function secretKeys(secret: Secret): KeySource {
  let known: { readonly text: string; readonly key: KeyObject } | undefined
  return () => {
    const text = secret.read()
    if (known?.text !== text) known = { text, key: createSecretKey(text, 'utf8') }
    return Promise.resolve(known.key)
  }
}
