// Seeded random numbers.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { dice, draw } from './random.ts'

it('[S19] every draw lies in [0, 1) and depends on the seed alone', () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const one = draw(seed)
      expect(one).toEqual(draw(seed))
      expect(one.value).toBeGreaterThanOrEqual(0)
      expect(one.value).toBeLessThan(1)
    }),
  )
})

it('[S19] numbers spread evenly: of 10,000 draws each tenth gets its share', () => {
  const roll = dice(1)
  const tenths = new Array<number>(10).fill(0)
  for (let count = 0; count < 10_000; count++) {
    const tenth = Math.floor(roll.next() * 10)
    tenths[tenth] = (tenths[tenth] ?? 0) + 1
  }
  // 1000 expected, deviation 30: five deviations to each side.
  for (const count of tenths) expect(Math.abs(count - 1_000)).toBeLessThan(150)
  expect(roll.pick<string>([])).toBeUndefined()
})
