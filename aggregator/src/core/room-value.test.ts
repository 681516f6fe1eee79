import { roomPresence } from '@citypresence/wire/room-presence'
import { expect, it } from 'vitest'
import { at, come, daemonUserId, follow, is, type, user, write } from '../testing/cities.ts'
import { createObservation, observe } from './observation.ts'
import { presenceOf, removedPresence, sameRoomView, viewOf, type RoomView } from './room-value.ts'
import { settleShown } from './shown-presence.ts'
import type { Fact } from './sync-facts.ts'

function viewAfter(ms: number, ...facts: Fact[]): RoomView {
  const observation = createObservation(daemonUserId, 10, undefined)
  const lesson = { at: at(1000), limits: { activeWindowMs: 300_000, typingMaxMs: 130_000 }, former: undefined }
  for (const fact of facts) observe(observation, fact, lesson)
  settleShown(observation.state, { held: false, graceMs: 0, nowMs: 1000 })
  const view = viewOf(observation, '!r', ms)
  if (view === undefined) throw new Error('the room is not followed')
  return view
}
const place = { slug: 'r', roomId: '!r', alias: null }

it('[P5] typing is sorted the same way everywhere, by code unit', () => {
  const names = [user('b'), user('B'), user('ä'), user('a')]
  const view = viewAfter(1000, follow('!r'), ...names.map((name) => come('!r', name)), type('!r', ...names))
  expect(view.typing).toEqual([user('B'), user('a'), user('b'), user('ä')])
})

it('[P5] a look after the end of typing or of the window sees the end, whether it was noted or not', () => {
  const facts = [follow('!r'), come('!r', user(0)), type('!r', user(0)), write('!r')]
  expect(viewAfter(130_999, ...facts)).toMatchObject({ typing: [user(0)], active: true })
  expect(viewAfter(131_000, ...facts)).toMatchObject({ typing: [], active: true })
  expect(viewAfter(301_000, ...facts)).toMatchObject({ typing: [], active: false, lastActivityTs: at(1000).wallMs })
})

it('[P6] the time of the last activity alone is no reason to tell', () => {
  const view = viewAfter(1000, follow('!r'), come('!r', user(0)), is(user(0), 'online'))
  expect(sameRoomView(view, { ...view, lastActivityTs: 5 })).toBe(true)
  expect(sameRoomView(view, { ...view, online: 2 })).toBe(false)
  expect(sameRoomView(view, { ...view, active: true })).toBe(false)
  expect(sameRoomView({ ...view, typing: ['a', 'b'] }, { ...view, typing: ['a', 'c'] })).toBe(false)
  expect(sameRoomView({ ...view, typing: ['a'] }, { ...view, typing: ['a', 'c'] })).toBe(false)
})

it('[P1] what is told decodes as the contract says, keys that say nothing left out', () => {
  const presence = presenceOf(place, viewAfter(1000, follow('!r')), 7)
  expect(roomPresence.decode(presence)).toEqual({ ok: true, value: presence })
  expect(Object.keys(presence)).not.toContain('last_activity_ts')
  const removed = removedPresence(place, 8)
  expect(roomPresence.decode(removed)).toEqual({ ok: true, value: removed })
  expect(removed).toMatchObject({ online_count: 0, typing_users: [], removed: true, last_event_ts: 8 })
})
