// What facts add up to against plain lists: who is where, what was said of them, which rooms are followed and touched.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { at, come, daemonUserId, follow, go, is, lose, type, user, write } from '../testing/cities.ts'
import { createObservation, endLives, findLifeDue, observe, stopAllTyping } from './observation.ts'
import { dropOrphans, isMember, statusCode } from './presence-state.ts'
import { lifeDueMs } from './room-life.ts'
import type { Fact, PresenceWord } from './sync-facts.ts'

const rooms = ['!a', '!b', '!c']
const people = [...Array.from({ length: 5 }, (_, index) => user(index)), daemonUserId]
const limits = { activeWindowMs: 300_000, typingMaxMs: 130_000 }
const anyRoom = fc.constantFrom(...rooms)
const anyPerson = fc.constantFrom(...people)
const anyWord = fc.constantFrom<PresenceWord>('online', 'unavailable', 'busy', 'offline')
const anyFact: fc.Arbitrary<Fact> = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(anyRoom, anyPerson).map(([room, one]) => come(room, one)) },
  { weight: 3, arbitrary: fc.tuple(anyRoom, anyPerson).map(([room, one]) => go(room, one)) },
  { weight: 3, arbitrary: fc.tuple(anyPerson, anyWord).map(([one, word]) => is(one, word)) },
  { weight: 3, arbitrary: anyRoom.map(follow) },
  { weight: 1, arbitrary: anyRoom.map(lose) },
  { weight: 2, arbitrary: fc.tuple(anyRoom, fc.subarray(people)).map(([room, ids]) => type(room, ...ids)) },
  { weight: 2, arbitrary: anyRoom.map((room) => write(room)) },
)
const anyFacts = fc.array(anyFact, { maxLength: 40, size: 'max' })

/** Members of each room that is followed, and the last word about everybody. */
function recount(facts: readonly Fact[]) {
  const members = new Map<string, Set<string>>()
  const told = new Map<string, PresenceWord>()
  for (const fact of facts) {
    if (fact.kind === 'self-joined' && !members.has(fact.roomId)) members.set(fact.roomId, new Set())
    if (fact.kind === 'self-left') members.delete(fact.roomId)
    if (fact.kind === 'joined' && fact.userId !== daemonUserId) members.get(fact.roomId)?.add(fact.userId)
    if (fact.kind === 'left') members.get(fact.roomId)?.delete(fact.userId)
    if (fact.kind === 'presence' && fact.userId !== daemonUserId) told.set(fact.userId, fact.state)
  }
  return { members, told }
}

function observed(facts: readonly Fact[], stepMs = 1) {
  const observation = createObservation(daemonUserId, 100, undefined)
  for (const [index, fact] of facts.entries())
    observe(observation, fact, { at: at(1_000 + index * stepMs), limits, former: undefined })
  return observation
}

it('[P1] [P8] whoever is said to be in a followed room is there, and nobody else; each followed room has one life', () => {
  fc.assert(
    fc.property(anyFacts, (facts) => {
      const { state, lives } = observed(facts)
      const { members } = recount(facts)
      expect([...lives.keys()].sort()).toEqual([...members.keys()].sort())
      for (const room of rooms)
        for (const one of people) expect(isMember(state, room, one)).toBe(members.get(room)?.has(one) ?? false)
    }),
  )
})

it('[P3] the last word about everybody holds, whether it was heard before their first room or after it', () => {
  fc.assert(
    fc.property(anyFacts, (facts) => {
      const { state } = observed(facts)
      const { members, told } = recount(facts)
      const seen = new Set([...members.values()].flatMap((those) => [...those]))
      for (const one of seen)
        expect(state.told[state.users.indexOf.get(one) ?? -1]).toBe(statusCode[told.get(one) ?? 'offline'])
      dropOrphans(state, { allListed: true })
      expect(new Set(state.users.indexOf.keys())).toEqual(seen)
    }),
  )
})

it('[P5] [P6] nothing ends before it is due, and the rooms in which something ends are touched, no others', () => {
  fc.assert(
    fc.property(anyFacts, fc.constantFrom(1, 20_000), fc.nat(500_000), (facts, stepMs, laterMs) => {
      const observation = observed(facts, stepMs)
      const earliestMs = () => Math.min(...[...observation.lives.values()].map(lifeDueMs))
      expect(observation.lifeDueMs).toBeLessThanOrEqual(earliestMs())
      const nowMs = 1_000 + facts.length * stepMs + laterMs
      const due = [...observation.lives].filter(([, life]) => lifeDueMs(life) <= nowMs).map(([room]) => room)
      observation.touched.clear()
      endLives(observation, nowMs)
      expect([...observation.touched].sort()).toEqual(due.sort())
      expect(earliestMs()).toBeGreaterThan(nowMs)
      // Otherwise every look from now on would walk over all rooms.
      expect(observation.lifeDueMs).toBeGreaterThan(nowMs)
      findLifeDue(observation)
      expect(observation.lifeDueMs).toBe(earliestMs())
    }),
  )
})

it('[P5] after all typing was stopped nobody types, and only rooms where somebody did are touched', () => {
  fc.assert(
    fc.property(anyFacts, (facts) => {
      const observation = observed(facts)
      const typing = [...observation.lives].filter(([, life]) => life.typing.length > 0).map(([room]) => room)
      observation.touched.clear()
      stopAllTyping(observation)
      expect([...observation.touched].sort()).toEqual(typing.sort())
      for (const life of observation.lives.values()) expect(life.typing).toEqual([])
    }),
  )
})
