// A first sync that leaves members out, and their lists after it: whenever a list was made and whenever it comes, the room ends
// with the people who are there, and says nothing before.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { at, cityOptions, come, daemonUserId, go, is, onlineOf, user } from '../testing/cities.ts'
import * as c from './city.ts'
import type { Fact } from './sync-facts.ts'
import { noteJoined, noteLeft, noteUnlisted, takeList, type UnlistedRooms } from './unlisted-rooms.ts'

const people = 6
const everybody = Array.from({ length: people }, (_, index) => user(index))

type Move = { readonly who: number; readonly joins: boolean }
type Story = {
  readonly atFirst: readonly boolean[]
  readonly named: readonly boolean[]
  readonly moves: readonly Move[]
  /** Moves made at the server when the list was made there, and moves heard when it comes. */
  readonly made: number
  readonly comes: number
  readonly perResponse: number
}

const anyFlags = fc.array(fc.boolean(), { minLength: people, maxLength: people })
const anyStory: fc.Arbitrary<Story> = fc.record({
  atFirst: anyFlags,
  named: anyFlags,
  moves: fc.array(fc.record({ who: fc.nat(people - 1), joins: fc.boolean() }), { maxLength: 12 }),
  made: fc.nat(12),
  comes: fc.nat(12),
  perResponse: fc.constantFrom(1, 2, 5),
})

/** Who is there after so many moves. */
function membersAfter({ atFirst, moves }: Story, count: number): string[] {
  const members = new Set(everybody.filter((_, index) => atFirst[index]))
  for (const { who, joins } of moves.slice(0, count)) {
    if (joins) members.add(user(who))
    else members.delete(user(who))
  }
  return [...members]
}

function firstFacts({ atFirst, named }: Story): Fact[] {
  const members = everybody.filter((_, index) => atFirst[index] && named[index]).map((userId) => come('!r', userId))
  return [{ kind: 'self-joined', roomId: '!r' }, ...members, ...everybody.map((userId) => is(userId, 'online'))]
}

function startLazily(facts: readonly Fact[], ms: number, city: c.City = c.createCity(cityOptions)): c.City {
  const replacement = c.startReplacement(city, true)
  c.learnInto(replacement, facts, at(ms))
  c.finishReplacement(city, replacement, at(ms))
  c.syncSucceeded(city, at(ms))
  return city
}

const mapped = [{ slug: 'r' as never, roomId: '!r', alias: null }]

it('[P18] whenever the list was made and whenever it comes, the room ends with who is there, and says nothing before', () => {
  fc.assert(
    fc.property(anyStory, (story) => {
      const city = startLazily(firstFacts(story), 10)
      c.mapRooms(city, mapped, at(11))
      const { moves, perResponse } = story
      const comes = Math.min(story.comes, moves.length)
      const list = [...membersAfter(story, story.made), daemonUserId]
      let heard = 0
      const hear = (until: number) => {
        while (heard < until) {
          const told = moves.slice(heard, Math.min(heard + perResponse, until))
          heard += told.length
          const facts = told.map(({ who, joins }) => (joins ? come('!r', user(who)) : go('!r', user(who))))
          c.learn(city, [...facts, ...everybody.map((userId) => is(userId, 'online'))], at(20 + heard))
          c.syncSucceeded(city, at(20 + heard))
        }
      }
      hear(comes)
      expect(c.valueOf(city, 'r').kind).toBe('unobserved')
      expect(c.listMembers(city, '!r', list, { at: at(50), askedAt: at(15) })).toBe(true)
      expect(c.valueOf(city, 'r').kind).toBe('known')
      hear(moves.length)
      expect(onlineOf(city, 'r')).toBe(membersAfter(story, moves.length).length)
    }),
  )
})

it('[P18] a list that was asked for before the first sync came is too old, and a second one is none that waits', () => {
  const rooms: UnlistedRooms = new Map()
  expect(takeList(rooms, '!r', [user(0)], at(99))).toBeUndefined()
  noteUnlisted(rooms, '!r', at(10))
  noteLeft(rooms, '!r', user(1))
  noteLeft(rooms, '!r', user(2))
  noteJoined(rooms, '!r', user(2))
  expect(takeList(rooms, '!r', [user(0)], at(9))).toBeUndefined()
  expect(takeList(rooms, '!r', [user(0), user(1), user(2)], at(10))).toEqual([user(0), user(2)])
  expect(takeList(rooms, '!r', [user(0)], at(11))).toBeUndefined()
})

it('[P18] a city that is learned anew this way keeps its last values, marked, until the lists come', () => {
  const [ada, boris] = [user(0), user(1)]
  const facts: Fact[] = [{ kind: 'self-joined', roomId: '!r' }, is(ada, 'online'), is(boris, 'online')]
  const city = startLazily(facts, 10)
  c.mapRooms(city, mapped, at(11))
  c.listMembers(city, '!r', [ada, boris], { at: at(12), askedAt: at(11) })
  expect(onlineOf(city, 'r')).toBe(2)
  startLazily(facts, 20, city)
  expect(c.valueOf(city, 'r')).toMatchObject({ kind: 'known', presence: { online_count: 2, stale: true } })
  expect([...c.unlistedRooms(city)]).toEqual(['!r'])
  expect(c.listMembers(city, '!r', [ada], { at: at(22), askedAt: at(19) })).toBe(false)
  expect(c.listMembers(city, '!r', [ada], { at: at(22), askedAt: at(21) })).toBe(true)
  expect(c.valueOf(city, 'r')).toMatchObject({ kind: 'known', presence: { online_count: 1 } })
  expect(c.valueOf(city, 'r')).not.toMatchObject({ presence: { stale: true } })
})

it('[P18] single users are not told as gone before all rooms are listed, and then hear how it stands', () => {
  const [ada, boris, chidi] = [user(0), user(1), user(2)]
  const city = c.createCity({ ...cityOptions, userEvents: true, remoteUsers: true })
  const first: Fact[] = [
    { kind: 'self-joined', roomId: '!r' },
    { kind: 'self-joined', roomId: '!s' },
    ...[ada, boris, chidi].flatMap((userId) => [come('!r', userId), is(userId, 'online')]),
  ]
  c.learn(city, first, at(5))
  expect([...c.takeChangedUsers(city).keys()].sort()).toEqual([ada, boris, chidi].sort())
  startLazily(
    [{ kind: 'self-joined', roomId: '!r' }, { kind: 'self-joined', roomId: '!s' }, is(ada, 'online')],
    10,
    city,
  )
  expect(c.takeChangedUsers(city).size).toBe(0)
  c.listMembers(city, '!r', [ada], { at: at(12), askedAt: at(11) })
  expect([...c.takeChangedUsers(city)]).toEqual([[ada, expect.objectContaining({ status: 'online' })]])
  c.listMembers(city, '!s', [boris], { at: at(14), askedAt: at(13) })
  const told = c.takeChangedUsers(city)
  expect(told.get(boris)).toMatchObject({ status: 'offline' })
  expect(told.get(chidi)).toBe('erased')
  expect(told.has(ada)).toBe(false)
})
