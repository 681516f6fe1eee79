// Against the whole log of moves, read from its beginning each time; and what it is for: audits in a room that never rests.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { at, cityOf, come, go, is, onlineOf, respond, user } from '../testing/cities.ts'
import * as c from './city.ts'
import { createMovers, movedSince, noteMover } from './recent-movers.ts'

const people = ['@a:x', '@b:x', '@c:x', '@d:x', '@e:x']
const anyMoves = fc.array(
  fc.record({ who: fc.constantFrom(...people), waitMs: fc.constantFrom(0, 1, 1_000, 59_000, 119_999, 120_000) }),
  { maxLength: 30 },
)

it('[P13] who moved since a question is who the log says, or it is not known of anybody', () => {
  fc.assert(
    fc.property(fc.nat(1_000), anyMoves, fc.nat(130_000), (sinceMs, moves, agoMs) => {
      const movers = createMovers(sinceMs)
      let nowMs = sinceMs
      const log = moves.map(({ who, waitMs }) => {
        noteMover(movers, who, (nowMs += waitMs))
        return { who, ms: nowMs }
      })
      const askedMs = nowMs - agoMs
      const hasMoved = movedSince(movers, askedMs)
      // What a list may need is remembered.
      if (askedMs > sinceMs && agoMs < 120_000) expect(hasMoved).toBeDefined()
      if (askedMs <= sinceMs) expect(hasMoved).toBeUndefined()
      if (hasMoved === undefined) return
      const twin = (one: string): boolean => log.some(({ who, ms }) => who === one && ms >= askedMs)
      expect(people.map(hasMoved)).toEqual(people.map(twin))
    }),
    { numRuns: 1_000 },
  )
})

it('[P13] no more are remembered than may move, and of who asked before that nothing is known', () => {
  const movers = createMovers(0)
  for (let one = 0; one < 1_001; one++) noteMover(movers, user(one), 10 + one)
  expect(movers.lately.size).toBe(1_000)
  expect(movedSince(movers, 10)).toBeUndefined()
  expect(movedSince(movers, 11)?.(user(1))).toBe(true)
})

// Somebody comes or goes all the time, and a list is made somewhere in it; of some who stay where they are the city missed that
// they came or went.
const anyStory = fc.record({
  moves: fc.array(fc.record({ who: fc.nat(9), joins: fc.boolean() }), { maxLength: 20 }),
  asked: fc.nat(20),
  made: fc.nat(20),
  missed: fc.nat(3),
  ghosts: fc.nat(3),
})

it('[P13] in a room that never rests an audit finds exactly who was lost and did not move since, and brings nobody back', () => {
  fc.assert(
    fc.property(anyStory, ({ moves, asked, made, missed, ghosts }) => {
      const city = cityOf(10 + ghosts)
      const people = (from: number, count: number) => Array.from({ length: count }, (_, one) => user(from + one))
      const truth = new Set([...people(0, 10), ...people(20, missed)])
      respond(city, 5, ...people(20, missed).map((one) => is(one, 'online')))
      const lists: string[][] = [[...truth]]
      for (const { who, joins } of moves) {
        if (joins) truth.add(user(who))
        else truth.delete(user(who))
        lists.push([...truth])
      }
      const askedAfter = Math.min(asked, moves.length)
      const list = lists[Math.min(Math.max(made, asked), moves.length)] ?? []
      moves.forEach(({ who, joins }, index) => {
        const fact = joins ? come('!r', user(who)) : go('!r', user(who))
        respond(city, 10 * (index + 1), fact, is(user(who), 'online'))
      })
      const end = at(10 * (moves.length + 1))
      const drift = c.confirmMembers(city, '!r', list, end, at(10 * askedAfter + 5))
      expect(drift).toEqual({ added: missed, removed: ghosts, end: 'compared' })
      expect(onlineOf(city, 'r')).toBe(truth.size)
    }),
    { numRuns: 1_000 },
  )
})
