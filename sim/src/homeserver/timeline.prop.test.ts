// Timelines and states of the double against what a reader makes of them: state first, then timeline.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { readFilter, type SyncFilter } from './filter.ts'
import { stateAt, stateBefore, timelineOf, type Window } from './timeline.ts'
import { acts } from './acts.ts'
import { createWorld, requireRoom, type RoomEvent } from './world.ts'

const person = fc.constantFrom('@a:test.local', '@b:test.local', '@c:test.local')
const act = fc.tuple(fc.constantFrom('join', 'leave', 'send'), person)
const history = fc.array(act, { minLength: 1, maxLength: 40 })

/** A room in which this happened, and how much of it a reader knows. */
const lived = (taken: readonly (readonly [string, string])[], known: number): Window => {
  const world = createWorld('test.local')
  const script = acts(world, () => 0)
  const roomId = script.createRoom()
  for (const [what, userId] of taken) {
    if (what === 'join') script.join(userId, roomId)
    else if (what === 'leave') script.leave(userId, roomId)
    else script.send(userId, roomId)
  }
  const { events } = requireRoom(world, roomId)
  return { events, since: events[Math.min(known, events.length - 1)]?.position }
}

const filterWith = (timeline: object): SyncFilter => readFilter({ room: { timeline } }) as SyncFilter
const me = '@mayor:test.local'

const told = (
  window: Window,
  filter: SyncFilter,
  whole: boolean,
): { events: readonly RoomEvent[]; limited: boolean } => {
  const timeline = timelineOf(window, filter.timeline)
  return {
    events: [...stateBefore(timeline, window, { whole, filter: filter.state, me }), ...timeline.events],
    limited: timeline.limited,
  }
}

const membersOf = (events: Iterable<RoomEvent>, known: ReadonlyMap<string, unknown> = new Map<string, unknown>()) => {
  const members = new Map(known)
  for (const { type, state_key, content } of events)
    if (type === 'm.room.member') members.set(state_key ?? '', content['membership'])
  return members
}

it('[D8] where every event passes, state and then timeline give the members of now, whatever the limit', () => {
  fc.assert(
    fc.property(history, fc.nat({ max: 45 }), fc.nat({ max: 12 }), (taken, known, limit) => {
      const window = lived(taken, known)
      const before = membersOf(window.events.filter(({ position }) => position <= (window.since ?? 0)))
      const now = membersOf(window.events)
      expect(membersOf(told(window, filterWith({ limit }), false).events, before)).toEqual(now)
      expect(membersOf(told({ ...window, since: undefined }, filterWith({ limit }), true).events)).toEqual(now)
    }),
    { numRuns: 300 },
  )
})

it('[D8] a timeline is the newest events that pass, in their order, no more than the limit except for a limit of 0', () => {
  fc.assert(
    fc.property(history, fc.nat({ max: 45 }), fc.nat({ max: 12 }), fc.boolean(), (taken, known, limit, membersOnly) => {
      const window = lived(taken, known)
      const filter = filterWith({ limit, ...(membersOnly && { types: ['m.room.member'] }) })
      const { events, limited } = timelineOf(window, filter.timeline)
      const passing = window.events.filter(
        ({ position, type }) => position > (window.since ?? 0) && (!membersOnly || type === 'm.room.member'),
      )
      expect(events).toEqual(passing.slice(passing.length - events.length))
      expect(events.length).toBeLessThanOrEqual(Math.max(1, limit))
      if (!limited) expect(events).toEqual(passing)
    }),
    { numRuns: 300 },
  )
})

it('[D8] a timeline that is not limited needs no state', () => {
  fc.assert(
    fc.property(history, fc.nat({ max: 45 }), (taken, known) => {
      const window = lived(taken, known)
      const filter = filterWith({ limit: 100 })
      const timeline = timelineOf(window, filter.timeline)
      expect(timeline.limited).toBe(false)
      expect(stateBefore(timeline, window, { whole: false, filter: filter.state, me })).toEqual([])
      expect(stateAt(window.events, 0).size).toBe(0)
    }),
  )
})
