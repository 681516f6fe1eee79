// The gate before the homeserver, against every order of calls and answers.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import {
  answered,
  limited,
  lookAhead,
  mayPass,
  openGate,
  refusedTokenRetryMs,
  tokenRefused,
  type CallKind,
} from './request-gate.ts'

const kinds: readonly CallKind[] = ['sync', 'join', 'read', 'presence']
const step = fc.record({
  kind: fc.constantFrom(...kinds),
  token: fc.constantFrom('old', 'new'),
  afterMs: fc.integer({ min: 0, max: 90_000 }),
  answer: fc.constantFrom('good', 'limited', 'refused'),
  waitMs: fc.integer({ min: 1_000, max: 300_000 }),
})

it('[M31] no call goes before the time its server named, and a refused token goes at most once a minute', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let gate = openGate
      let nowMs = 0
      const notBeforeMs = new Map<CallKind, number>()
      const triesOfRefused = new Map<string, number>()
      for (const { kind, token, afterMs, answer, waitMs } of steps) {
        nowMs += afterMs
        const passed = mayPass(gate, kind, token, nowMs)
        gate = passed.gate
        if (passed.passage.kind === 'wait') {
          expect(passed.passage.untilMs).toBeGreaterThan(nowMs)
          continue
        }
        expect(nowMs).toBeGreaterThanOrEqual(notBeforeMs.get(kind) ?? 0)
        const triedMs = triesOfRefused.get(token)
        if (triedMs !== undefined) expect(nowMs - triedMs).toBeGreaterThanOrEqual(refusedTokenRetryMs)
        if (answer === 'limited') {
          gate = limited(gate, kind, waitMs, nowMs)
          notBeforeMs.set(kind, nowMs + waitMs)
        }
        if (answer === 'refused') {
          gate = tokenRefused(gate, token, nowMs)
          // Another token's refusal is the newer news; only the last refused one is remembered.
          triesOfRefused.clear()
          triesOfRefused.set(token, nowMs)
        } else if (triedMs !== undefined && answer === 'limited') triesOfRefused.set(token, nowMs)
        if (answer === 'good') {
          gate = answered(gate, token)
          triesOfRefused.delete(token)
        }
      }
    }),
  )
})

it('[M31] another token passes at once, and two calls of one minute are one try', () => {
  const refused = tokenRefused(openGate, 'old', 0)
  expect(lookAhead(refused, 'sync', 'new', 1)).toEqual({ kind: 'go' })
  const first = mayPass(refused, 'sync', 'old', refusedTokenRetryMs)
  expect(first.passage.kind).toBe('go')
  expect(mayPass(first.gate, 'read', 'old', refusedTokenRetryMs).passage).toMatchObject({ why: 'token-refused' })
})

it('[M31] a limit on joins does not stop the sync', () => {
  const gate = limited(openGate, 'join', 10_000, 0)
  expect(lookAhead(gate, 'sync', 't', 1).kind).toBe('go')
  expect(lookAhead(gate, 'join', 't', 9_999)).toMatchObject({ kind: 'wait', untilMs: 10_000 })
  expect(lookAhead(gate, 'join', 't', 10_000).kind).toBe('go')
})

it('[M31] of two answers that name a time the later time holds, whichever came first', () => {
  for (const [first, second] of [
    [10_000, 2_000],
    [2_000, 10_000],
  ] as const) {
    const gate = limited(limited(openGate, 'join', first, 0), 'join', second, 1)
    expect(lookAhead(gate, 'join', 't', 9_999).kind).toBe('wait')
  }
})
