// The walk that never ends.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createRound, visitShare } from './round.ts'

it('[G15] whoever comes and goes, each who stays is visited once a period, a newcomer within two', () => {
  const acts = fc.array(fc.tuple(fc.constantFrom('add', 'remove', 'tick', 'tick', 'tick'), fc.nat(99), fc.nat(50)), {
    maxLength: 300,
    size: 'max',
  })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10 }), acts, (ticks, script) => {
      const members = new Set<number>()
      const round = createRound(members)
      const ticksSinceVisit = new Map<number, number>()
      for (const [act, from, count] of script) {
        for (let who = from; act !== 'tick' && who < from + count; who++) {
          // A newcomer waits for the next round.
          if (act === 'add' && !members.has(who)) ticksSinceVisit.set(who, -ticks)
          if (act === 'add') members.add(who)
          if (act === 'remove' && members.delete(who)) ticksSinceVisit.delete(who)
        }
        if (act !== 'tick') continue
        for (const [one, passed] of ticksSinceVisit) ticksSinceVisit.set(one, passed + 1)
        visitShare(round, 1, ticks, (one) => {
          expect(members.has(one)).toBe(true)
          ticksSinceVisit.set(one, 0)
        })
        for (const passed of ticksSinceVisit.values()) expect(passed).toBeLessThanOrEqual(ticks + 1)
      }
    }),
  )
})

it.each([
  { leave: 0, what: 'stays' },
  { leave: 1, what: 'leaves when visited' },
])('[G15] ten shares are a whole round, also where each $what', ({ leave }) => {
  fc.assert(
    fc.property(fc.nat(2_000), (size) => {
      const members = new Set(Array.from({ length: size }, (_, index) => index))
      const round = createRound(members)
      const visited = new Set<number>()
      for (let tick = 0; tick < 10; tick++)
        visitShare(round, 100, 1_000, (one) => {
          visited.add(one)
          if (leave === 1) members.delete(one)
        })
      expect(visited.size).toBe(size)
    }),
    { numRuns: 30 },
  )
})

it('[G15] one who leaves while being visited stops nothing', () => {
  const members = new Set([1, 2, 3])
  const seen: number[] = []
  visitShare(createRound(members), 1, 1, (one) => {
    seen.push(one)
    members.delete(one)
  })
  expect(seen).toEqual([1, 2, 3])
})
