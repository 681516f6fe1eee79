// Against a homeserver that keeps some rooms out of presence, and against people who come and go between any two questions.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { at, cityOf, cityOptions, come, daemonUserId, follow, is, lose, respond, user } from '../testing/cities.ts'
import { askedMax, judgeBlindness, roundOf, whomToAsk, type Answer, type Blindness, type Round } from './blind-rooms.ts'
import {
  confirmMembers,
  createCity,
  finishReplacement,
  inheritBlindness,
  learnInto,
  mapRooms,
  noteBlindness,
  presenceProbed,
  startReplacement,
  valueOf,
  type City,
} from './city.ts'
import { createPresenceState, joinRoom, openRoom } from './presence-state.ts'

const roomIds = ['!a', '!b', '!c']
const people = 5
type Rooms = readonly ReadonlySet<string>[]

const anyRooms: fc.Arbitrary<Rooms> = fc
  .array(fc.array(fc.boolean(), { minLength: people, maxLength: people }), { minLength: 3, maxLength: 3 })
  .map((rooms) => rooms.map((flags) => new Set(flags.flatMap((isIn, who) => (isIn ? [user(who)] : [])))))

function stateOf(rooms: Rooms) {
  const state = createPresenceState(daemonUserId, cityOptions.outsidersMax, undefined)
  for (const [room, roomId] of roomIds.entries()) {
    openRoom(state, roomId)
    for (const userId of rooms[room] ?? []) joinRoom(state, roomId, userId)
  }
  return state
}

/** One round as the edge asks it; `during` is who is where when presence is asked for. */
function askAbout(room: number, before: Rooms, during: Rooms, after: Rooms, blind: readonly boolean[], turn: number) {
  const roomId = roomIds[room] ?? ''
  const asked = whomToAsk(stateOf(before), roomId, [...(before[room] ?? [])], turn)
  const mayBeSeen = (userId: string): boolean =>
    during.some((members, index) => blind[index] !== true && members.has(userId))
  const answers = asked.map((userId): Answer => ({ userId, kind: mayBeSeen(userId) ? 'told' : 'forbidden' }))
  return { asked, round: roundOf(answers, { ownTold: true, listedAfter: [...(after[room] ?? [])] }) }
}

it('[P23] a homeserver that shows a room cannot make it look blind, whoever comes and goes elsewhere', () => {
  fc.assert(
    fc.property(
      anyRooms,
      anyRooms,
      anyRooms,
      fc.nat(9),
      fc.array(fc.boolean()),
      (before, during, after, turn, others) => {
        const blind = [false, others[0] === true, others[1] === true]
        // The room itself stands still; every other one does as it likes.
        const still = (rooms: Rooms): Rooms => [before[0] ?? new Set(), ...rooms.slice(1)]
        const { round } = askAbout(0, before, still(during), still(after), blind, turn)
        expect(round).not.toBe('refused')
      },
    ),
  )
})

it('[P23] a room that is kept out of presence, and has somebody whom no other room shows, is found at the second look', () => {
  fc.assert(
    fc.property(anyRooms, fc.nat(9), fc.boolean(), (rooms, turn, otherIsBlind) => {
      const blind = [true, otherIsBlind, false]
      const isAlone = (userId: string): boolean => roomIds.filter((_, room) => rooms[room]?.has(userId)).length === 1
      const alone = [...(rooms[0] ?? [])].filter(isAlone)
      fc.pre(alone.length > 0)
      let now: Blindness = 'seen'
      for (let look = 0; look < 2; look++)
        now = judgeBlindness(now, askAbout(0, rooms, rooms, rooms, blind, turn + look).round)
      expect(now).toBe('blind')
    }),
  )
})

it('[P23] at most three are asked for, members only, those first whom no other room shows, and in the end everybody', () => {
  fc.assert(
    fc.property(anyRooms, (rooms) => {
      const [members = new Set<string>()] = rooms
      const isAlone = (userId: string): boolean => roomIds.filter((_, room) => rooms[room]?.has(userId)).length === 1
      const alone = [...members].filter(isAlone)
      const met = new Set<string>()
      for (let turn = 0; turn < people; turn++) {
        const asked = whomToAsk(stateOf(rooms), '!a', [...members, '@stranger:test.local'], turn)
        expect(asked.length).toBe(new Set(asked).size)
        expect(asked.length).toBeLessThanOrEqual(askedMax)
        for (const userId of asked) met.add(userId)
      }
      expect([...met].toSorted()).toEqual((alone.length > 0 ? alone : [...members]).toSorted())
    }),
  )
})

it('[P23] of a crowd a thousand are looked at a time, and in the end everybody', () => {
  const state = createPresenceState(daemonUserId, cityOptions.outsidersMax, undefined)
  openRoom(state, '!r')
  // Nobody else is known to be there: who is looked at in vain costs a look.
  const members = [0, 999, 1_000, 2_499].map(user)
  for (const userId of members) joinRoom(state, '!r', userId)
  const crowd = Array.from({ length: 2_500 }, (_, index) => user(index))
  let looks = 0
  const listed = new Proxy(crowd, {
    get(target, key, receiver) {
      if (typeof key === 'string' && /^\d+$/.test(key)) looks++
      return Reflect.get(target, key, receiver) as unknown
    },
  })
  const met = new Set<string>()
  for (let turn = 0; turn < 1_000; turn++) {
    looks = 0
    for (const userId of whomToAsk(state, '!r', listed, turn)) met.add(userId)
    expect(looks).toBeLessThanOrEqual(1_000)
  }
  expect([...met].toSorted()).toEqual(members.toSorted())
})

it('[P23] blind is: refused twice with nobody seen between; what says nothing changes nothing', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom<Round>('seen', 'refused', 'unknown')), (rounds) => {
      const last = rounds.filter((round) => round !== 'unknown')
      const refusals = last.length - 1 - last.lastIndexOf('seen')
      const expected = refusals === 0 ? 'seen' : refusals === 1 ? 'doubted' : 'blind'
      expect(rounds.reduce<Blindness>(judgeBlindness, 'seen')).toBe(expected)
    }),
  )
})

it('[P23] a refusal counts only of somebody who is still there, and while the daemon itself is answered', () => {
  const answers: Answer[] = [
    { userId: user(0), kind: 'forbidden' },
    { userId: user(1), kind: 'forbidden' },
  ]
  const both = [user(0), user(1)]
  expect(roundOf(answers, { ownTold: true, listedAfter: both })).toBe('refused')
  expect(roundOf(answers, { ownTold: false, listedAfter: both })).toBe('unknown')
  expect(roundOf(answers, { ownTold: true, listedAfter: [user(0)] })).toBe('unknown')
  expect(roundOf([...answers, { userId: user(2), kind: 'unknown' }], { ownTold: true, listedAfter: both })).toBe(
    'unknown',
  )
  expect(roundOf([...answers, { userId: user(2), kind: 'told' }], { ownTold: true, listedAfter: both })).toBe('seen')
  expect(roundOf([], { ownTold: true, listedAfter: both })).toBe('unknown')
})

type Step = (city: City, ms: number) => void
const there = [follow('!r'), come('!r', user(0)), come('!r', user(1))]
const replacedBy =
  (facts: typeof there, lazy: boolean): Step =>
  (city, ms) => {
    const replacement = startReplacement(city, lazy)
    learnInto(replacement, facts, at(ms))
    finishReplacement(city, replacement, at(ms))
  }
/** All that may happen while the homeserver keeps `!r` out of presence: nobody there is ever told of. */
const steps = fc.array(
  fc.constantFrom<Step>(
    (city, ms) => respond(city, ms, lose('!r')),
    (city, ms) => respond(city, ms, ...there),
    (city, ms) => respond(city, ms, lose('!r'), ...there),
    replacedBy(there, false),
    replacedBy(there, true),
    replacedBy([], false),
    (city, ms) => void confirmMembers(city, '!r', [user(0)], at(ms), at(ms - 1)),
    (city, ms) => presenceProbed(city, true, at(ms)),
    (city, ms) => mapRooms(city, [], at(ms)),
    (city, ms) => mapRooms(city, [{ slug: 'r', roomId: '!r', alias: '#r' }], at(ms)),
    (city, ms) => noteBlindness(city, '!r', true, at(ms)),
  ),
  { minLength: 1, maxLength: 12 },
)

it('[P23] a room that is known to be blind keeps its mark and its value, whoever leaves, enters it anew or maps it, until it is shown again', () => {
  fc.assert(
    fc.property(steps, fc.boolean(), (all, isInherited) => {
      let city = cityOf(2)
      if (isInherited) {
        // Another process, which learned all there is to learn of a room in which nobody seems to be.
        const before = valueOf(city, 'r')
        city = createCity(cityOptions)
        mapRooms(city, [{ slug: 'r', roomId: '!r', alias: null }], at(1))
        respond(city, 1, ...there, is(user(9), 'online'))
        presenceProbed(city, true, at(1))
        expect(valueOf(city, 'r')).toMatchObject({ kind: 'known', presence: { online_count: 0 } })
        if (before.kind === 'known') inheritBlindness(city, { ...before.presence, stale: true, blind: true })
      } else noteBlindness(city, '!r', true, at(1))
      let wasMapped = true
      expect(valueOf(city, 'r')).toMatchObject({
        kind: 'known',
        presence: { online_count: 2, stale: true, blind: true },
      })
      for (const [index, step] of all.entries()) {
        step(city, index + 10)
        const value = valueOf(city, 'r')
        wasMapped &&= value.kind !== 'removed'
        // A room that was off the map has no value any more; and never one that is not marked.
        if (value.kind === 'known') expect(value.presence).toMatchObject({ online_count: 2, stale: true, blind: true })
        expect(value.kind === 'known').toBe(wasMapped)
      }
      mapRooms(city, [{ slug: 'r', roomId: '!r', alias: null }], at(90))
      noteBlindness(city, '!r', false, at(99))
      respond(city, 100, ...there, is(user(0), 'online'))
      presenceProbed(city, true, at(101))
      const value = valueOf(city, 'r')
      if (value.kind === 'known') expect(value.presence.blind).toBeUndefined()
    }),
  )
})
