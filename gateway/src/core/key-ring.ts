// The public keys that tokens may be signed with, and when the address that publishes them may be asked again. Strangers choose
// the kid of a token, so an invented one must neither become a request each time nor push out what is known. Pure.
//
//   kid known,   ring young ------------------------> the key
//       known,   ring old --------------------------> ask first; while the address is away: the key, and ask beside it
//       unknown, last answer some time ago ---------> ask first
//       unknown, last answer a moment ago ----------> cannot say: a new key may have come since, so it is no "never"
export type KeyRing<Key> = {
  readonly keys: ReadonlyMap<string, Key>
  /** When the address last gave keys. */
  readonly learntAtMs: number | undefined
  /** When it was last asked, well or not. */
  readonly askedAtMs: number | undefined
  readonly isAway: boolean
}

export type KeyAnswer<Key> =
  | { readonly kind: 'key'; readonly key: Key; readonly askBeside: boolean }
  | { readonly kind: 'ask-first' }
  | { readonly kind: 'cannot-say' }

/** How long a withdrawn key may still count; providers rotate within days. */
const youngMs = 600_000
/** After an answer: what strangers can make us do to the provider is two requests a minute. */
const askAgainMs = 30_000
/** After a failure: nobody new gets in meanwhile, so this is how long the return of the address goes unnoticed. */
const retryMs = 2_000

export const emptyRing = <Key>(): KeyRing<Key> => ({
  keys: new Map(),
  learntAtMs: undefined,
  askedAtMs: undefined,
  isAway: false,
})

export const learnt = <Key>(keys: ReadonlyMap<string, Key>, nowMs: number): KeyRing<Key> => ({
  keys,
  learntAtMs: nowMs,
  askedAtMs: nowMs,
  isAway: false,
})

/** What is known stays: a provider that is away must not close the city. */
export const notLearnt = <Key>(ring: KeyRing<Key>, nowMs: number): KeyRing<Key> => ({
  ...ring,
  askedAtMs: nowMs,
  isAway: true,
})

export function lookUp<Key>(ring: KeyRing<Key>, kid: string, nowMs: number): KeyAnswer<Key> {
  const key = ring.keys.get(kid)
  const mayAsk = ring.askedAtMs === undefined || nowMs - ring.askedAtMs >= (ring.isAway ? retryMs : askAgainMs)
  if (key === undefined) return { kind: mayAsk ? 'ask-first' : 'cannot-say' }
  const isOld = ring.learntAtMs === undefined || nowMs - ring.learntAtMs >= youngMs
  if (!isOld || !mayAsk) return { kind: 'key', key, askBeside: false }
  return ring.isAway ? { kind: 'key', key, askBeside: true } : { kind: 'ask-first' }
}
