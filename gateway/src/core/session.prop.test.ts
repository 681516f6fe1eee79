// Any order of events in the life of a connection.
import { closeCodes } from '@citypresence/wire/client-messages'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createReader } from './reader.ts'
import { awaitToken, step, type Session, type SessionEffect, type SessionEvent } from './session.ts'

const reader = createReader(0, 1, 0)
const anyEvent: fc.Arbitrary<SessionEvent> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.nat(60_000).map((expiresAtMs) => ({ kind: 'token-accepted' as const, reader, expiresAtMs })),
  },
  { weight: 4, arbitrary: fc.constant({ kind: 'time' as const }) },
  {
    weight: 3,
    arbitrary: fc
      .constantFrom('ping', 'ping', 'pong', '', undefined)
      .map((text) => ({ kind: 'message' as const, text })),
  },
  { weight: 1, arbitrary: fc.constantFrom({ kind: 'not-reading' as const }, { kind: 'restarting' as const }) },
)
const anyLife = fc.array(fc.record({ event: anyEvent, waitMs: fc.constantFrom(0, 1, 100, 4_999, 30_000) }), {
  maxLength: 15,
  size: 'max',
})

type Moment = { readonly event: SessionEvent; readonly nowMs: number; readonly effect: SessionEffect }

function live(life: readonly { readonly event: SessionEvent; readonly waitMs: number }[]): readonly Moment[] {
  let session: Session = awaitToken(0)
  let nowMs = 0
  return life.map(({ event, waitMs }) => {
    nowMs += waitMs
    const next = step(session, event, nowMs)
    session = next.session
    return { event, nowMs, effect: next.effect }
  })
}

const deadlineMs = 10_000

/** What each event has to do, from what happened before it. */
function wanted({ event, nowMs }: Moment, before: readonly Moment[]): SessionEffect {
  const past = before.map(({ effect }) => effect.kind)
  if (past.includes('close') || past.includes('refuse')) return { kind: 'nothing' }
  const entry = before.find(({ effect }) => effect.kind === 'join')?.event
  if (entry?.kind !== 'token-accepted') {
    const isGood = event.kind === 'token-accepted' && event.expiresAtMs > nowMs
    if (nowMs >= deadlineMs || event.kind === 'restarting') return { kind: 'refuse' }
    return { kind: isGood ? 'join' : event.kind === 'token-accepted' ? 'refuse' : 'nothing' }
  }
  if (nowMs >= entry.expiresAtMs) return { kind: 'close', code: closeCodes.tokenExpired }
  if (event.kind === 'restarting') return { kind: 'close', code: closeCodes.restarting }
  if (event.kind === 'not-reading') return { kind: 'close', code: closeCodes.notReading }
  if (event.kind !== 'message') return { kind: 'nothing' }
  return event.text === 'ping' ? { kind: 'pong' } : { kind: 'close', code: closeCodes.unexpectedMessage }
}

it('[G16] [G17] each event does what the past of the connection asks for, and after its end nothing does anything', () => {
  fc.assert(
    fc.property(anyLife, (life) => {
      const moments = live(life)
      for (const [index, moment] of moments.entries())
        expect(moment.effect).toEqual(wanted(moment, moments.slice(0, index)))
    }),
  )
})

it('[G16] [G17] a connection joins once at most, and ends once at most', () => {
  fc.assert(
    fc.property(anyLife, (life) => {
      const kinds = live(life).map(({ effect }) => effect.kind)
      expect(kinds.filter((kind) => kind === 'join').length).toBeLessThanOrEqual(1)
      expect(kinds.filter((kind) => kind === 'close' || kind === 'refuse').length).toBeLessThanOrEqual(1)
    }),
  )
})
