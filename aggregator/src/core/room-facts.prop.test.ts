// One room's part of an answer against a plain walk over its events.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { daemon, decodeOf, inRoom, member, message, room } from '../testing/sync-answers.ts'
import type { Fact } from './sync-facts.ts'

const people = ['@a:x', '@b:x:8448', '@c:y', daemon]
const anyPerson = fc.constantFrom(...people)
const anyMove = fc
  .tuple(anyPerson, fc.constantFrom('join', 'leave', 'ban', 'invite', 'knock'))
  .map((args) => member(...args))
const anyMessage = fc
  .tuple(anyPerson, fc.option(fc.nat(9_999), { nil: undefined }))
  .map(([sender, ts]) => message(sender, ts))
/** Events that lack what such an event must have: each is counted, and hides no other. */
const anyBroken = fc.constantFrom<unknown>(
  null,
  7,
  { ...member('@a:x', 'join'), content: {} },
  { ...member('@a:x', 'join'), content: 'join' },
  { ...member('@a:x', 'join'), state_key: 'nobody' },
)
const anyEvents = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: anyMove },
    { weight: 2, arbitrary: anyMessage },
    { weight: 1, arbitrary: anyBroken },
  ),
  {
    maxLength: 12,
    size: 'max',
  },
)

type Move = ReturnType<typeof member>
const isMove = (event: unknown): event is Move =>
  typeof event === 'object' &&
  event !== null &&
  (event as Move).type === 'm.room.member' &&
  people.includes((event as Move).state_key) &&
  typeof (event as { content?: { membership?: unknown } }).content?.membership === 'string'

/** Where everybody is in the end, after events in this order. */
const walk = (events: readonly unknown[]) => {
  const there = new Map<string, boolean>()
  for (const event of events)
    if (isMove(event) && event.state_key !== daemon) there.set(event.state_key, event.content.membership === 'join')
  return there
}
const told = (facts: readonly Fact[]) => {
  const there = new Map<string, boolean>()
  for (const fact of facts) {
    if (fact.kind === 'joined') there.set(fact.userId, true)
    if (fact.kind === 'left') there.set(fact.userId, false)
  }
  return there
}

it('[M2] [M3] [M4] everybody ends where state and then timeline leave them; nothing is told of the daemon', () => {
  fc.assert(
    fc.property(anyEvents, anyEvents, (state, timeline) => {
      const facts = inRoom({ state: { events: state }, timeline: { events: timeline } })
      expect(told(facts)).toEqual(walk([...state, ...timeline]))
      expect(JSON.stringify(facts)).not.toContain(daemon)
    }),
  )
})

it('[M2] with state_after that list alone says who is where, whatever the other lists say', () => {
  fc.assert(
    fc.property(anyEvents, anyEvents, anyEvents, (after, state, timeline) => {
      const json = { state_after: { events: after }, state: { events: state }, timeline: { events: timeline } }
      expect(told(inRoom(json))).toEqual(walk(after))
    }),
  )
})

it('[M9] of all messages of others the newest stands for the room, and one without a stamp for now', () => {
  fc.assert(
    fc.property(anyEvents, (timeline) => {
      const stamps = timeline
        .filter(
          (event): event is ReturnType<typeof message> =>
            (event as { type?: string } | null)?.type === 'm.room.message',
        )
        .filter(({ sender }) => sender !== daemon)
        .map(({ origin_server_ts: ts }) => ts)
      const activity = inRoom({ timeline: { events: timeline } }).filter(({ kind }) => kind === 'activity')
      const originTs = stamps.includes(undefined) ? {} : { originTs: Math.max(...(stamps as number[])) }
      expect(activity).toEqual(stamps.length === 0 ? [] : [{ kind: 'activity', roomId: room, ...originTs }])
    }),
  )
})

it('[M12] each broken event of a list is counted once, and the good ones beside it are told as if alone', () => {
  fc.assert(
    fc.property(anyEvents, (state) => {
      const good = state.filter(
        (event) => isMove(event) || (event as { type?: string } | null)?.type === 'm.room.message',
      )
      const read = (events: readonly unknown[]) => decodeOf({ rooms: { join: { [room]: { state: { events } } } } })
      expect(read(state).facts).toEqual(read(good).facts)
      expect([read(good).malformed, read(state).malformed]).toEqual([0, state.length - good.length])
    }),
  )
})

it('[M12] no shape of a room makes reading it throw', () => {
  fc.assert(fc.property(fc.jsonValue(), (json) => void decodeOf({ rooms: { join: { [room]: json } } })))
  const parts = fc.constantFrom('state', 'state_after', 'timeline', 'ephemeral')
  fc.assert(fc.property(fc.dictionary(parts, fc.jsonValue()), (json) => void inRoom(json)))
})
