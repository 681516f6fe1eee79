import fc from 'fast-check'
import { expect, it } from 'vitest'
import { fullJitterMs } from './backoff.ts'

const anyBackoff = fc.record({
  baseMs: fc.integer({ min: 1, max: 60_000 }),
  capMs: fc.integer({ min: 1, max: 3_600_000 }),
})
const anyRandom = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
const anyAttempt = fc.oneof(fc.integer({ min: 0, max: 60 }), fc.constantFrom(-1, 1e9, 2.5))

it('[C10] a wait is a whole number from 0 to the cap, for any attempt', () => {
  fc.assert(
    fc.property(anyAttempt, anyBackoff, anyRandom, (attempt, backoff, random) => {
      const waitMs = fullJitterMs(attempt, backoff, random)
      expect(Number.isInteger(waitMs)).toBe(true)
      expect(waitMs).toBeGreaterThanOrEqual(0)
      expect(waitMs).toBeLessThanOrEqual(backoff.capMs)
    }),
  )
})

it('[C10] the ceiling doubles with each attempt until the cap, like counting by hand', () => {
  const almostOne = 1 - Number.EPSILON
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 30 }), anyBackoff, (attempt, backoff) => {
      let ceilingMs = backoff.baseMs
      for (let doubled = 0; doubled < attempt; doubled++) ceilingMs = Math.min(backoff.capMs, ceilingMs * 2)
      ceilingMs = Math.min(backoff.capMs, ceilingMs)
      expect(fullJitterMs(attempt, backoff, almostOne)).toBe(Math.floor(ceilingMs * almostOne))
    }),
  )
})

it('[C10] the whole range down to zero is used', () => {
  expect(fullJitterMs(5, { baseMs: 100, capMs: 1000 }, 0)).toBe(0)
  expect(fullJitterMs(5, { baseMs: 100, capMs: 1000 }, 0.5)).toBe(500)
})
