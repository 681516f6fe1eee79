// What a city keeps over months is bounded by what there is: rooms that are followed, and slugs that are mapped.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { at, cityOptions, come, follow, go, is, lose, type, user, write } from '../testing/cities.ts'
import {
  createCity,
  finishReplacement,
  learn,
  learnInto,
  listMembers,
  mapRooms,
  noteBlindness,
  presenceProbed,
  startReplacement,
  syncSucceeded,
  takeChanged,
  type City,
} from './city.ts'

const roomIds = ['!a', '!b', '!c']
const room = fc.constantFrom(...roomIds)
const who = fc.nat(3).map(user)
const some = fc.subarray(roomIds)
const fact = fc.oneof(
  room.map(follow),
  room.map(lose),
  fc.tuple(room, who).map(([roomId, userId]) => come(roomId, userId)),
  fc.tuple(room, who).map(([roomId, userId]) => go(roomId, userId)),
  who.map((userId) => is(userId, 'online')),
  fc.tuple(room, who).map(([roomId, userId]) => type(roomId, userId)),
  room.map((roomId) => write(roomId)),
)
type Step = (city: City, ms: number) => void
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.array(fact, { maxLength: 6 }).map((facts): Step => (city, ms) => {
    learn(city, facts, at(ms))
    syncSucceeded(city, at(ms))
  }),
  fc.record({ rooms: some, lazy: fc.boolean() }).map(({ rooms, lazy }): Step => (city, ms) => {
    const replacement = startReplacement(city, lazy)
    const facts = rooms.flatMap((roomId) => [follow(roomId), come(roomId, user(0))])
    learnInto(replacement, [...facts, is(user(0), 'online')], at(ms))
    finishReplacement(city, replacement, at(ms))
  }),
  // Also of rooms that are not followed, or not any more: what is found out beside the sync comes when it comes.
  fc.record({ roomId: room, blind: fc.boolean() }).map(
    ({ roomId, blind }): Step =>
      (city, ms) =>
        noteBlindness(city, roomId, blind, at(ms)),
  ),
  room.map(
    (roomId): Step =>
      (city, ms) =>
        void listMembers(city, roomId, [user(1)], { at: at(ms), askedAt: at(ms) }),
  ),
  fc.boolean().map(
    (works): Step =>
      (city, ms) =>
        presenceProbed(city, works, at(ms)),
  ),
  fc.uniqueArray(fc.record({ slug: fc.constantFrom('x', 'y'), roomId: room }), { selector: ({ slug }) => slug }).map(
    (mapped): Step =>
      (city, ms) =>
        mapRooms(
          city,
          mapped.map((one) => ({ ...one, alias: null })),
          at(ms),
        ),
  ),
)

it('[P4] whatever happens, what is kept of rooms is of those that are followed or mapped', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30, size: 'max' }), (steps) => {
      const city = createCity(cityOptions)
      for (const [index, perform] of steps.entries()) {
        perform(city, index + 1)
        takeChanged(city)
        const { observation, rooms } = city
        const followed = new Set(observation.state.rooms.indexOf.keys())
        const mapped = new Set([...rooms.slugs.values()].map((entry) => entry.mapped.roomId))
        const strangers = (kept: Iterable<string>, known: ReadonlySet<string>) =>
          [...kept].filter((one) => !known.has(one))
        expect(new Set(observation.lives.keys())).toEqual(followed)
        expect(strangers(observation.unlisted.keys(), followed)).toEqual([])
        expect(strangers(rooms.records.keys(), new Set([...followed, ...mapped]))).toEqual([])
        // Who waits to be counted is followed, and was not counted yet.
        expect(strangers(rooms.awaiting, followed)).toEqual([])
        expect([...rooms.awaiting].filter((roomId) => rooms.records.get(roomId)?.view !== undefined)).toEqual([])
        expect([...rooms.removed.keys()].filter((slug) => rooms.slugs.has(slug))).toEqual([])
        expect([observation.touched.size, observation.state.orphans.length]).toEqual([0, 0])
      }
    }),
    { numRuns: 300 },
  )
})
