// Whether a request may go to the homeserver now. The one place that keeps the promises "nothing before the time the server
// named" and "a refused token is tried once a minute, or at once when it is another one".
//
//   mayPass -> go                         -> the answer: limited(kind) | tokenRefused | answered
//           -> wait until, and why           (each kind of call has its own limit at the server; the token is one for all)
//
// A small machine: every function returns the next gate. Times are monotonic.

/** Calls that share a limit at the server, and what one loop of ours waits for: whoami and filters go with `sync`. */
export type CallKind = 'sync' | 'join' | 'read' | 'presence'

export type RequestGate = {
  readonly limitedUntilMs: Readonly<Partial<Record<CallKind, number>>>
  /** The token that was refused, and when it may be tried again. */
  readonly refused: { readonly token: string; readonly untilMs: number } | undefined
}

export type Passage =
  | { readonly kind: 'go' }
  | { readonly kind: 'wait'; readonly untilMs: number; readonly why: 'rate-limited' | 'token-refused' }

export const openGate: RequestGate = { limitedUntilMs: {}, refused: undefined }

/** A token that was refused may be locked for a while or come back by an administrator's hand: look once a minute. */
export const refusedTokenRetryMs = 60_000

/** What a call of this kind would meet now; changes nothing. */
export function lookAhead(gate: RequestGate, kind: CallKind, token: string, nowMs: number): Passage {
  const { refused } = gate
  if (refused?.token === token && nowMs < refused.untilMs)
    return { kind: 'wait', untilMs: refused.untilMs, why: 'token-refused' }
  const untilMs = gate.limitedUntilMs[kind]
  return untilMs !== undefined && nowMs < untilMs ? { kind: 'wait', untilMs, why: 'rate-limited' } : { kind: 'go' }
}

/** Asks to pass. The one that goes with a refused token after its minute takes the next minute with it. */
export function mayPass(
  gate: RequestGate,
  kind: CallKind,
  token: string,
  nowMs: number,
): { gate: RequestGate; passage: Passage } {
  const passage = lookAhead(gate, kind, token, nowMs)
  const tries = passage.kind === 'go' && gate.refused?.token === token
  return { gate: tries ? tokenRefused(gate, token, nowMs) : gate, passage }
}

export const limited = (gate: RequestGate, kind: CallKind, waitMs: number, nowMs: number): RequestGate => ({
  ...gate,
  limitedUntilMs: { ...gate.limitedUntilMs, [kind]: Math.max(nowMs + waitMs, gate.limitedUntilMs[kind] ?? 0) },
})

export const tokenRefused = (gate: RequestGate, token: string, nowMs: number): RequestGate => ({
  ...gate,
  refused: { token, untilMs: nowMs + refusedTokenRetryMs },
})

/** The server spoke to this token as to somebody it knows. */
export const answered = (gate: RequestGate, token: string): RequestGate =>
  gate.refused?.token === token ? { ...gate, refused: undefined } : gate
