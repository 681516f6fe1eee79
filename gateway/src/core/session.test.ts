// The life of a connection.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { closeCodes } from '@citypresence/wire/client-messages'
import { createReader } from './reader.ts'
import { awaitToken, step, type Session, type SessionEvent } from './session.ts'

const reader = createReader(0, 0, 0)
const accepted = (expiresAtMs: number): SessionEvent => ({ kind: 'token-accepted', reader, expiresAtMs })
const live = (expiresAtMs = 60_000): Session => step(awaitToken(0), accepted(expiresAtMs), 0).session

it('[G16] a session lives from a token in time until its end, and is closed with 4401 then, whatever happens', () => {
  expect(step(awaitToken(0), accepted(60_000), 9_999).effect.kind).toBe('join')
  expect(step(awaitToken(0), accepted(60_000), 10_000).effect.kind).toBe('refuse')
  expect(step(awaitToken(0), accepted(5_000), 5_000).effect.kind).toBe('refuse')
  for (const event of [{ kind: 'time' }, { kind: 'message', text: 'ping' }, { kind: 'restarting' }] as const)
    expect(step(live(60_000), event, 60_000)).toEqual({
      session: { kind: 'closing' },
      effect: { kind: 'close', code: closeCodes.tokenExpired },
    })
})

it('[G16] the text ping is answered; any other message, binary ones too, closes with 1008', () => {
  expect(step(live(), { kind: 'message', text: 'ping' }, 1).effect).toEqual({ kind: 'pong' })
  fc.assert(
    fc.property(fc.option(fc.string(), { nil: undefined }), (text) => {
      fc.pre(text !== 'ping')
      const { effect } = step(live(), { kind: 'message', text }, 1)
      expect(effect).toEqual({ kind: 'close', code: closeCodes.unexpectedMessage })
    }),
  )
})

it('[G16] who does not read is closed with 4408, at a restart all with 1012; a closing session does nothing more', () => {
  expect(step(live(), { kind: 'not-reading' }, 1).effect).toEqual({ kind: 'close', code: closeCodes.notReading })
  const { session, effect } = step(live(), { kind: 'restarting' }, 1)
  expect(effect).toEqual({ kind: 'close', code: closeCodes.restarting })
  const events: SessionEvent[] = [accepted(9), { kind: 'time' }, { kind: 'message', text: 'x' }, { kind: 'restarting' }]
  for (const event of events) expect(step(session, event, 99_999_999)).toEqual({ session, effect: { kind: 'nothing' } })
})
