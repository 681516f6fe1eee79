// Public keys from a JWKS address (RFC 7517): one request at a time brings the whole set, core/key-ring says when.
//
//   kid of a token -> key ring -> key        ask -> GET, bounded -> keys that can verify -> key ring
//
// Only the configured address is ever asked: jku, x5u, x5c and jwk in a token's header are a stranger's words. A key that is too
// short, private, symmetric, or meant for something else than signatures is passed over.
import { createPublicKey, type KeyObject } from 'node:crypto'
import type { Clock } from '@citypresence/chassis/edge/clock'
import type { HttpClient } from '@citypresence/chassis/edge/http-client'
import { CityError } from '@citypresence/chassis/errors'
import { emptyRing, learnt, lookUp, notLearnt } from '../core/key-ring.ts'
import type { KeySource } from './authenticate.ts'

export type KeySetOptions = {
  readonly url: string
  readonly http: HttpClient
  readonly clock: Pick<Clock, 'monotonicMs'>
  /** Told of every failed fetch; known keys stay in use. */
  readonly onProblem: (error: unknown) => void
}

// Providers hold two or three keys; a set of hundreds is no key set.
const keysMax = 32
// A provider answers within a second; a handshake must not wait longer than a person does.
const fetchTimeoutMs = 5_000
const keySetBytesMax = 256 * 1024
const kidLengthMax = 256
// Shorter ones have been factored, or soon may be (RFC 7518, 3.3).
const rsaBitsMin = 2_048

type PublicKey = { readonly key: KeyObject; readonly algorithm: string | undefined }

export function jwksKeys({ url, http, clock, onProblem }: KeySetOptions): KeySource {
  let ring = emptyRing<PublicKey>()
  let asking: Promise<void> | undefined
  const ask = async (): Promise<void> => {
    try {
      const keys = await fetchKeys(url, http)
      ring = learnt(keys, clock.monotonicMs())
    } catch (error) {
      ring = notLearnt(ring, clock.monotonicMs())
      onProblem(error)
    } finally {
      asking = undefined
    }
  }
  const askOnce = (): Promise<void> => (asking ??= ask())
  return async ({ kid, alg }) => {
    // The header is a stranger's: its kid may be of any type.
    if (typeof kid !== 'string' || kid === '' || kid.length > kidLengthMax) return undefined
    const answer = lookUp(ring, kid, clock.monotonicMs())
    if (answer.kind === 'cannot-say' && asking === undefined) throw unreachable('was asked a moment ago')
    if (answer.kind === 'key' && answer.askBeside) void askOnce()
    if (answer.kind !== 'key') await askOnce()
    const found = answer.kind === 'key' ? answer.key : ring.keys.get(kid)
    if (found === undefined && ring.isAway) throw unreachable('is away')
    // A key that names its algorithm is for no other.
    return found === undefined || (found.algorithm ?? alg) !== alg ? undefined : found.key
  }
}

const unreachable = (why: string): CityError => new CityError('AuthKeysUnreachable', `the key address ${why}`)

async function fetchKeys(url: string, http: HttpClient): Promise<ReadonlyMap<string, PublicKey>> {
  try {
    const { status, body } = await http.request(url, { timeoutMs: fetchTimeoutMs, maxBytes: keySetBytesMax })
    if (status !== 200) throw new CityError('HttpRefused', `the key address answered ${status}`)
    return readKeySet(Buffer.from(body).toString('utf8'))
  } catch (cause) {
    if (cause instanceof CityError && cause.code === 'AuthKeysUnreachable') throw cause
    throw new CityError('AuthKeysUnreachable', 'the key address gave no keys', { cause })
  }
}

/** A set without one usable key is no answer: a provider's slip must not lock everybody out. */
function readKeySet(text: string): ReadonlyMap<string, PublicKey> {
  const keys = new Map<string, PublicKey>()
  for (const jwk of entriesOf(text)) {
    const { kid, alg } = jwk
    if (typeof kid !== 'string' || kid === '' || kid.length > kidLengthMax || keys.has(kid)) continue
    const key = readKey(jwk)
    if (key !== undefined) keys.set(kid, { key, algorithm: typeof alg === 'string' ? alg : undefined })
  }
  if (keys.size === 0) throw unreachable('answered with no usable key')
  return keys
}

type Fields = Readonly<Record<string, unknown>>
const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null

function entriesOf(text: string): Fields[] {
  let set: unknown
  try {
    set = JSON.parse(text)
  } catch {
    // Without the cause: the parser's message quotes what the address sent.
    throw unreachable('answered with something else than JSON')
  }
  const keys = isFields(set) ? set['keys'] : undefined
  return Array.isArray(keys) ? keys.slice(0, keysMax).filter(isFields) : []
}

function readKey(jwk: Fields): KeyObject | undefined {
  const { kty, use, key_ops: operations } = jwk
  const isPublic = (kty === 'RSA' || kty === 'EC') && !('d' in jwk)
  const isForSignatures = use === undefined || use === 'sig'
  const mayVerify = !Array.isArray(operations) || operations.includes('verify')
  if (!isPublic || !isForSignatures || !mayVerify) return undefined
  try {
    // Every field is judged by the call itself, which throws for what is no key.
    const key = createPublicKey({ key: jwk, format: 'jwk' })
    return (key.asymmetricKeyDetails?.modulusLength ?? rsaBitsMin) < rsaBitsMin ? undefined : key
  } catch {
    return undefined
  }
}
