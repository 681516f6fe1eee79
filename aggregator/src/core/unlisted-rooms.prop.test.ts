// A first sync that leaves members out, and their lists after it: whenever a list was made and whenever it comes, the room ends
// with the people who are there, and says nothing before.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { at, cityOptions, come, daemonUserId, go, is, onlineOf, user } from '../testing/cities.ts'
import * as c from './city.ts'
import type { Fact } from './sync-facts.ts'
import { wholly } from './pieces.ts'
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

// Several rooms, and a homeserver that speaks of somebody's presence only when it changes or when they are seen to come in.
const roomIds = ['!a', '!b', '!c']
const mappedRooms = roomIds.map((roomId, room) => ({ slug: `r${room}` as never, roomId, alias: null }))
type Deed =
  | { readonly who: number; readonly room: number; readonly joins: boolean }
  | { readonly who: number; readonly online: boolean }
type Town = {
  /** By room, who was there before the first sync's timelines began. */
  readonly atFirst: readonly (readonly boolean[])[]
  /** By room, who came or went in the first sync's timeline. */
  readonly lately: readonly { readonly who: number; readonly joins: boolean }[][]
  readonly online: readonly boolean[]
  readonly deeds: readonly Deed[]
  readonly perResponse: number
  /** By room, how many deeds were done when the list was made, and how many were heard when it came. */
  readonly lists: readonly { readonly made: number; readonly comes: number }[]
}

const perRoom = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
  fc.array(arbitrary, { minLength: roomIds.length, maxLength: roomIds.length })
const anyWho = fc.nat(people - 1)
const numbers = [...everybody.keys()]
const anyDeed: fc.Arbitrary<Deed> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ who: anyWho, room: fc.nat(roomIds.length - 1), joins: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ who: anyWho, online: fc.boolean() }) },
)
const anyTown: fc.Arbitrary<Town> = fc.record({
  atFirst: perRoom(anyFlags),
  lately: perRoom(fc.array(fc.record({ who: anyWho, joins: fc.boolean() }), { maxLength: 3 })),
  online: anyFlags,
  deeds: fc.array(anyDeed, { maxLength: 12 }),
  perResponse: fc.constantFrom(1, 2, 5),
  lists: perRoom(fc.record({ made: fc.nat(12), comes: fc.nat(12) })),
})

/** The homeserver: what it says of each deed, and who is where in the end. */
class Homeserver {
  readonly rooms: Set<number>[]
  readonly online: boolean[]

  constructor({ atFirst, online }: Town) {
    this.rooms = atFirst.map((flags) => new Set(numbers.filter((who) => flags[who])))
    this.online = [...online]
  }

  /** Without a member list; who came or went lately is named as the sender of that event. */
  firstFacts({ lately }: Town): Fact[] {
    const members = lately.flatMap((moves, room) => [
      { kind: 'self-joined' as const, roomId: roomIds[room] ?? '' },
      ...moves.filter(({ who }) => this.rooms[room]?.has(who)).map(({ who }) => come(roomIds[room] ?? '', user(who))),
      ...moves.flatMap((move) => this.do({ ...move, room }).filter(({ kind }) => kind !== 'presence')),
    ])
    const shown = numbers.filter((who) => this.online[who] && this.isVisible(who))
    return [...members, ...shown.map((who) => is(user(who), 'online'))]
  }

  isVisible = (who: number): boolean => this.rooms.some((members) => members.has(who))

  do(deed: Deed): Fact[] {
    const { who } = deed
    if ('online' in deed) {
      if (this.online[who] === deed.online) return []
      this.online[who] = deed.online
      return this.isVisible(who) ? [this.presence(who)] : []
    }
    const [members, roomId = ''] = [this.rooms[deed.room], roomIds[deed.room]]
    if (deed.joins) return members?.has(who) ? [] : (members?.add(who), [come(roomId, user(who)), this.presence(who)])
    return members?.delete(who) ? [go(roomId, user(who))] : []
  }

  presence = (who: number): Fact => is(user(who), this.online[who] ? 'online' : 'offline')
  list = (room: number): string[] =>
    [...(this.rooms[room] ?? []), -1].map((who) => (who < 0 ? daemonUserId : user(who)))
  onlineIn = (room: number): number => [...(this.rooms[room] ?? [])].filter((who) => this.online[who]).length
}

it('[P18] whoever was online is counted in every room that lists them, also after leaving the only room that was known', () => {
  fc.assert(
    fc.property(anyTown, (town) => {
      const server = new Homeserver(town)
      const city = startLazily(server.firstFacts(town), 10)
      // A first sync in which nobody is online at all is not believed without it.
      c.presenceProbed(city, true, at(10))
      c.mapRooms(city, mappedRooms, at(11))
      const made: string[][][] = [roomIds.map((_, room) => server.list(room))]
      const told = town.deeds.map((deed) => {
        const facts = server.do(deed)
        made.push(roomIds.map((_, room) => server.list(room)))
        return facts
      })
      const take = (heard: number) => {
        for (const [room, roomId] of roomIds.entries()) {
          const list = town.lists[room]
          if (list === undefined || Math.min(list.comes, told.length) !== heard) continue
          const members = made[Math.min(list.made, told.length)]?.[room] ?? []
          expect(c.listMembers(city, roomId, members, { at: at(20 + heard), askedAt: at(15) })).toBe(true)
        }
      }
      take(0)
      for (let heard = 0; heard < told.length; heard += town.perResponse) {
        const facts = told.slice(heard, heard + town.perResponse).flat()
        // As in an answer: all membership first.
        const isPresence = ({ kind }: Fact): boolean => kind === 'presence'
        c.learn(city, [...facts.filter((fact) => !isPresence(fact)), ...facts.filter(isPresence)], at(21 + heard))
        c.syncSucceeded(city, at(21 + heard))
        for (let one = 1; one <= town.perResponse; one++) if (heard + one <= told.length) take(heard + one)
      }
      expect(roomIds.map((_, room) => onlineOf(city, `r${room}`))).toEqual(
        roomIds.map((_, room) => server.onlineIn(room)),
      )
    }),
    { numRuns: 500 },
  )
})

it('[P18] the same after a second first sync, however many lists of the first had come', () => {
  fc.assert(
    fc.property(anyTown, anyTown, perRoom(fc.boolean()), (town, { lately }, listedAtFirst) => {
      const server = new Homeserver(town)
      const city = startLazily(server.firstFacts(town), 10)
      c.presenceProbed(city, true, at(10))
      c.mapRooms(city, mappedRooms, at(11))
      const take = (room: number, ms: number) =>
        c.listMembers(city, roomIds[room] ?? '', server.list(room), { at: at(ms), askedAt: at(ms) })
      for (const [room, isListed] of listedAtFirst.entries()) if (isListed) take(room, 15)
      for (const [index, deed] of town.deeds.entries()) {
        c.learn(city, server.do(deed), at(20 + index))
        c.syncSucceeded(city, at(20 + index))
      }
      startLazily(server.firstFacts({ ...town, lately }), 50, city)
      c.presenceProbed(city, true, at(51))
      for (const room of roomIds.keys()) {
        const value = c.valueOf(city, `r${room}`)
        expect(value.kind === 'unobserved' || (value.kind === 'known' && value.presence.stale === true)).toBe(true)
        expect(take(room, 60)).toBe(true)
      }
      expect(roomIds.map((_, room) => onlineOf(city, `r${room}`))).toEqual(
        roomIds.map((_, room) => server.onlineIn(room)),
      )
    }),
    { numRuns: 500 },
  )
})

it('[P18] a list that was asked for before the first sync came is too old, and a second one is none that waits', () => {
  const rooms: UnlistedRooms = new Map()
  const take = (userIds: readonly string[], ms: number): [boolean, string[]] => {
    const joined: string[] = []
    return [wholly(takeList(rooms, '!r', { userIds, askedAt: at(ms) }, (userId) => void joined.push(userId))), joined]
  }
  expect(take([user(0)], 99)).toEqual([false, []])
  noteUnlisted(rooms, '!r', at(10))
  noteLeft(rooms, '!r', user(1))
  noteLeft(rooms, '!r', user(2))
  noteJoined(rooms, '!r', user(2))
  expect(take([user(0)], 9)).toEqual([false, []])
  expect(take([user(0), user(1), user(2)], 10)).toEqual([true, [user(0), user(2)]])
  expect(take([user(0)], 11)).toEqual([false, []])
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
  expect([...c.takeChangedUsers(city, Infinity).keys()].sort()).toEqual([ada, boris, chidi].sort())
  startLazily(
    [{ kind: 'self-joined', roomId: '!r' }, { kind: 'self-joined', roomId: '!s' }, is(ada, 'online')],
    10,
    city,
  )
  expect(c.takeChangedUsers(city, Infinity).size).toBe(0)
  c.listMembers(city, '!r', [ada], { at: at(12), askedAt: at(11) })
  expect([...c.takeChangedUsers(city, Infinity)]).toEqual([[ada, expect.objectContaining({ status: 'online' })]])
  c.listMembers(city, '!s', [boris], { at: at(14), askedAt: at(13) })
  const told = c.takeChangedUsers(city, Infinity)
  expect(told.get(boris)).toMatchObject({ status: 'offline' })
  expect(told.get(chidi)).toBe('erased')
  expect(told.has(ada)).toBe(false)
})

it('[P18] a room that is lost before its list came is waited for no longer', () => {
  const ada = user(0)
  const city = c.createCity({ ...cityOptions, userEvents: true })
  const rooms = ['!r', '!elsewhere'].map((roomId): Fact => ({ kind: 'self-joined', roomId }))
  startLazily([...rooms, come('!r', ada), is(ada, 'online')], 10, city)
  c.listMembers(city, '!r', [ada], { at: at(12), askedAt: at(11) })
  expect([...c.takeChangedUsers(city, Infinity).keys()]).toEqual([ada])
  c.learn(city, [go('!r', ada)], at(20))
  expect([...c.takeChangedUsers(city, Infinity)]).toEqual([])
  c.learn(city, [{ kind: 'self-left', roomId: '!elsewhere' }], at(21))
  expect([...c.takeChangedUsers(city, Infinity)]).toEqual([[ada, 'erased']])
})

it('[P18] who left the only room that is known is gone for those who follow single users only if no list has them', () => {
  const [ada, boris] = [user(0), user(1)]
  const city = c.createCity({ ...cityOptions, userEvents: true })
  const rooms = ['!r', '!s'].map((roomId): Fact => ({ kind: 'self-joined', roomId }))
  const both = [ada, boris]
  startLazily(
    [...rooms, ...both.map((userId) => come('!r', userId)), ...both.map((userId) => is(userId, 'online'))],
    10,
    city,
  )
  expect([...c.takeChangedUsers(city, Infinity).keys()]).toEqual(both)
  c.learn(city, [go('!r', ada), go('!r', boris)], at(20))
  expect(c.takeChangedUsers(city, Infinity).size).toBe(0)
  c.learn(city, [come('!s', boris), is(boris, 'offline')], at(21))
  expect([...c.takeChangedUsers(city, Infinity)]).toEqual([[boris, expect.objectContaining({ status: 'offline' })]])
  c.listMembers(city, '!r', [], { at: at(22), askedAt: at(15) })
  c.listMembers(city, '!s', [boris], { at: at(23), askedAt: at(15) })
  expect([...c.takeChangedUsers(city, Infinity)]).toEqual([[ada, 'erased']])
})
