// Which slug shows what, against plain lists: what each room last showed, and what each slug kept when its room was lost.
import type { RoomPresence } from '@citypresence/wire/room-presence'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { at, come, daemonUserId, follow, go, is, lose, user } from '../testing/cities.ts'
import { createCityRooms, lookAtRoom, takeMap, valueOfSlug, type MappedRoom } from './city-rooms.ts'
import { createObservation, observe } from './observation.ts'
import { isOpen, onlineIn } from './presence-state.ts'
import { settleShown } from './shown-presence.ts'
import type { Fact } from './sync-facts.ts'

const [rooms, slugs] = [
  ['!a', '!b', '!c'],
  ['p', 'q', 'r'],
]
const anyRoom = fc.constantFrom(...rooms)
const anyMap = fc
  .dictionary(fc.constantFrom(...slugs), fc.tuple(anyRoom, fc.constantFrom(null, '#x:y')))
  .map((map): MappedRoom[] => Object.entries(map).map(([slug, [roomId, alias]]) => ({ slug, roomId, alias })))
const anyStep = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('map' as const), map: anyMap }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('people' as const),
      roomId: anyRoom,
      count: fc.nat(3),
      held: fc.constantFrom(false, false, true),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('lose' as const), roomId: anyRoom }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('take' as const) }) },
)

type Kept = {
  readonly roomId: string
  readonly frozen: { readonly online: number; readonly roomId: string } | undefined
}

const shownOf = (value: ReturnType<typeof valueOfSlug>) =>
  value.kind === 'known'
    ? {
        online: value.presence.online_count,
        roomId: value.presence.matrix_room_id,
        stale: value.presence.stale === true,
      }
    : value.kind

it('[P8] [P14] a slug shows its room, the last value where that is lost, nothing where it never counted; every change is named', () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 30, size: 'max' }), (steps) => {
      const city = createCityRooms()
      const observation = createObservation(daemonUserId, 10, undefined)
      const counted = new Map<string, number>()
      let entries = new Map<string, Kept>()
      let ms = 1_000
      const told = new Map<string, string>()
      const hear = (...facts: Fact[]): void => {
        const limits = { activeWindowMs: 1, typingMaxMs: 1 }
        for (const fact of facts) observe(observation, fact, { at: at(ms), limits, former: undefined })
        settleShown(observation.state, { held: false, graceMs: 0, nowMs: ms })
      }
      const look = (roomId: string, held: boolean): void =>
        lookAtRoom(city, observation, roomId, { held, nowMs: ms, stampTs: at(ms).wallMs })
      const valueOf = (slug: string) => {
        const entry = entries.get(slug)
        if (entry === undefined) return 'removed'
        const online = counted.get(entry.roomId)
        if (online !== undefined) return { online, roomId: entry.roomId, stale: false }
        return entry.frozen === undefined ? 'unobserved' : { ...entry.frozen, stale: true }
      }
      const take = (): void => {
        for (const slug of city.changed) told.set(slug, JSON.stringify(valueOf(slug)))
        city.changed = new Set()
        // Whoever is told of changes only, knows all.
        for (const slug of slugs) expect(told.get(slug) ?? '"removed"').toBe(JSON.stringify(valueOf(slug)))
      }
      for (const step of steps) {
        ms += 10
        if (step.kind === 'map') {
          takeMap(city, step.map, (roomId) => isOpen(observation.state, roomId), at(ms).wallMs)
          entries = new Map(
            step.map.map(({ slug, roomId }) => {
              const before = entries.get(slug)
              const last =
                before &&
                (counted.has(before.roomId)
                  ? { online: counted.get(before.roomId) ?? 0, roomId: before.roomId }
                  : before.frozen)
              return [slug, { roomId, frozen: counted.has(roomId) ? undefined : last }]
            }),
          )
        } else if (step.kind === 'people') {
          const { roomId, count, held } = step
          const everybody = Array.from({ length: 3 }, (_, one) => user(`${roomId}${one}`))
          hear(
            follow(roomId),
            ...everybody.flatMap((one, index) =>
              index < count ? [come(roomId, one), is(one, 'online')] : [go(roomId, one)],
            ),
          )
          expect(onlineIn(observation.state, roomId)).toBe(count)
          look(roomId, held)
          if (!held || counted.has(roomId)) {
            counted.set(roomId, count)
            for (const [slug, entry] of entries)
              if (entry.roomId === roomId) entries.set(slug, { roomId, frozen: undefined })
          }
        } else if (step.kind === 'lose') {
          hear(lose(step.roomId))
          look(step.roomId, false)
          const online = counted.get(step.roomId)
          counted.delete(step.roomId)
          if (online !== undefined)
            for (const [slug, entry] of entries)
              if (entry.roomId === step.roomId) entries.set(slug, { ...entry, frozen: { online, roomId: step.roomId } })
        } else take()
        for (const slug of slugs) expect(shownOf(valueOfSlug(city, slug))).toEqual(valueOf(slug))
        for (const [roomId, { slugs: names }] of city.records)
          expect(names.size > 0 || isOpen(observation.state, roomId)).toBe(true)
      }
      take()
    }),
  )
})

it('[P14] the last word about a removed slug is zeros with its last room, and a slug that comes back has nothing old', () => {
  fc.assert(
    fc.property(anyMap, anyMap, (first, second) => {
      const city = createCityRooms()
      takeMap(city, first, () => false, 5)
      takeMap(city, second, () => false, 6)
      for (const { slug, roomId } of first.filter((one) => !second.some((other) => other.slug === one.slug))) {
        const value = valueOfSlug(city, slug)
        const presence: Partial<RoomPresence> = {
          removed: true,
          online_count: 0,
          typing_users: [],
          matrix_room_id: roomId,
          last_event_ts: 6,
        }
        expect(value).toMatchObject({ kind: 'removed', presence })
      }
      takeMap(city, first, () => false, 7)
      for (const { slug } of first) expect(valueOfSlug(city, slug)).toEqual({ kind: 'unobserved' })
    }),
  )
})
