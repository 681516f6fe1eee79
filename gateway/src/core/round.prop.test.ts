// The walk that never ends.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createRound, shareOf, visitNext } from './round.ts'

it('[G15] whoever comes and goes, each who stays is visited at least once a round', () => {
  const acts = fc.array(fc.tuple(fc.constantFrom('add', 'remove', 'walk', 'walk', 'walk'), fc.nat(9)), {
    maxLength: 300,
    size: 'max',
  })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), acts, (count, script) => {
      const members = new Set<number>()
      const round = createRound(members)
      const walksSinceVisit = new Map<number, number>()
      for (const [act, who] of script) {
        if (act === 'add') {
          members.add(who)
          walksSinceVisit.set(who, 0)
        } else if (act === 'remove') {
          members.delete(who)
          walksSinceVisit.delete(who)
        } else {
          for (const [one, walks] of walksSinceVisit) walksSinceVisit.set(one, walks + 1)
          visitNext(round, count, (one) => {
            expect(members.has(one)).toBe(true)
            walksSinceVisit.set(one, 0)
          })
          // The rest of this round, and a whole one after it, of the 10 there can be.
          for (const walks of walksSinceVisit.values()) expect(walks).toBeLessThanOrEqual(2 * 10 + 2)
        }
      }
    }),
  )
})

it('[G15] the share of each tick brings the round about within its period', () => {
  fc.assert(
    fc.property(fc.nat(2_000), (size) => {
      const members = new Set(Array.from({ length: size }, (_, index) => index))
      const round = createRound(members)
      const visited = new Set<number>()
      for (let tick = 0; tick < 10; tick++) visitNext(round, shareOf(size, 100, 1_000), (one) => visited.add(one))
      expect(visited.size).toBe(size)
    }),
    { numRuns: 30 },
  )
})

it('[G15] one who leaves while being visited stops nothing', () => {
  const members = new Set([1, 2, 3])
  const seen: number[] = []
  visitNext(createRound(members), 9, (one) => {
    seen.push(one)
    members.delete(one)
  })
  expect(seen).toEqual([1, 2, 3])
})
