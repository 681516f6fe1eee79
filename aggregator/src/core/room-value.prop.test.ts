// What a room shows against plain lists of who is there, who is online and who types.
import { roomPresence, typingUsersMax } from '@citypresence/wire/room-presence'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { at, come, daemonUserId, follow, is, type, user, write } from '../testing/cities.ts'
import { createObservation, observe } from './observation.ts'
import { presenceOf, removedPresence, sameRoomView, viewOf, type RoomView } from './room-value.ts'
import { settleShown } from './shown-presence.ts'

const people = Array.from({ length: 8 }, (_, index) => user(index))
const anyRoom = fc.record({
  members: fc.subarray(people),
  online: fc.subarray(people),
  typing: fc.shuffledSubarray(people),
  writtenMs: fc.option(fc.nat(400_000), { nil: undefined }),
  nowMs: fc.integer({ min: 400_000, max: 800_000 }),
})
type Room = typeof anyRoom extends fc.Arbitrary<infer T> ? T : never
const [activeWindowMs, typingMaxMs] = [300_000, 130_000]

function viewIn({ members, online, typing, writtenMs, nowMs }: Room): RoomView {
  const observation = createObservation(daemonUserId, 100, undefined)
  const hear = (ms: number, ...facts: Parameters<typeof observe>[1][]): void => {
    for (const fact of facts)
      observe(observation, fact, { at: at(ms), limits: { activeWindowMs, typingMaxMs }, former: undefined })
  }
  hear(0, follow('!r'), ...members.map((one) => come('!r', one)), ...online.map((one) => is(one, 'online')))
  if (writtenMs !== undefined) hear(writtenMs, write('!r'))
  hear(400_000, type('!r', ...typing))
  settleShown(observation.state, { held: false, graceMs: 0, nowMs })
  const view = viewOf(observation, '!r', nowMs)
  if (view === undefined) throw new Error('the room is followed')
  return view
}

it('[P1] [P5] [P6] a room shows its members who are online, those of them who type, sorted, and whether it is active', () => {
  fc.assert(
    fc.property(anyRoom, (room) => {
      const { members, online, typing, writtenMs, nowMs } = room
      const types = nowMs < 400_000 + typingMaxMs ? typing.filter((one) => members.includes(one)).sort() : []
      expect(viewIn(room)).toEqual({
        online: online.filter((one) => members.includes(one)).length,
        typing: types,
        active: types.length > 0 || (writtenMs !== undefined && nowMs < writtenMs + activeWindowMs),
        lastActivityTs: writtenMs === undefined ? 0 : at(writtenMs).wallMs,
      })
    }),
  )
})

it('[P5] of a crowd that types as many are named as a message holds, the first by name', () => {
  const crowd = Array.from({ length: typingUsersMax + 5 }, (_, index) => user(String(index).padStart(5, '0')))
  fc.assert(
    fc.property(fc.integer({ min: typingUsersMax - 2, max: crowd.length }), (count) => {
      const typing = crowd.slice(0, count)
      const view = viewIn({
        members: crowd,
        online: [],
        typing: typing.toReversed(),
        writtenMs: undefined,
        nowMs: 400_001,
      })
      expect(view.typing).toEqual(typing.slice(0, typingUsersMax))
    }),
    { numRuns: 8 },
  )
})

it('[P6] two views are the same to a reader exactly when what is told of them differs in no key but the time', () => {
  fc.assert(
    fc.property(anyRoom, anyRoom, (one, other) => {
      const [a, b] = [viewIn(one), viewIn(other)]
      const place = { slug: 'r', roomId: '!r', alias: null }
      const told = (view: RoomView) => ({ ...presenceOf(place, view, 7), last_activity_ts: 0 })
      expect(sameRoomView(a, b)).toBe(JSON.stringify(told(a)) === JSON.stringify(told(b)))
      expect(sameRoomView(a, { ...a, lastActivityTs: b.lastActivityTs })).toBe(true)
    }),
  )
})

it('[P1] whatever is shown decodes as the contract says, and so does the last word about a removed room', () => {
  fc.assert(
    fc.property(anyRoom, fc.option(fc.constant('#r:test.local')), fc.nat(), (room, alias, eventTs) => {
      const place = { slug: 'r', roomId: '!r', alias }
      for (const value of [presenceOf(place, viewIn(room), eventTs), removedPresence(place, eventTs)])
        expect(roomPresence.decode(value)).toEqual({ ok: true, value })
      expect(presenceOf(place, viewIn(room), eventTs).typing_count).toBe(viewIn(room).typing.length)
    }),
  )
})
