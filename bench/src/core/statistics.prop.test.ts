import fc from 'fast-check'
import { expect, it } from 'vitest'
import { median, slopeOf, spreadOf, summaryOf } from './statistics.ts'

const figures = fc.array(fc.double({ min: 1e-3, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 20 })

it('[BN1] as many lie at or below the median as at or above it, and one run that went mad does not move it past its neighbours', () => {
  fc.assert(
    fc.property(figures, (values) => {
      const middle = median(values)
      const half = values.length / 2
      expect(values.filter((value) => value <= middle).length).toBeGreaterThanOrEqual(half)
      expect(values.filter((value) => value >= middle).length).toBeGreaterThanOrEqual(half)
      expect(median([...values, 1e12, 0])).toBe(middle)
    }),
  )
})

it('[BN1] a summary holds what was seen; its spread is nothing where all are one, and does not know units', () => {
  fc.assert(
    fc.property(figures, fc.double({ min: 0.1, max: 10, noNaN: true }), (values, factor) => {
      const summary = summaryOf(values)
      expect(summary.least).toBeLessThanOrEqual(summary.median)
      expect(summary.most).toBeGreaterThanOrEqual(summary.median)
      expect(summary.runs).toBe(values.length)
      const scaled = spreadOf(summaryOf(values.map((value) => value * factor)))
      expect(Math.abs(scaled - spreadOf(summary))).toBeLessThanOrEqual(1e-6 * spreadOf(summary) + 1e-9)
      expect(spreadOf(summaryOf(values.map(() => 7)))).toBe(0)
    }),
  )
})

it('[BN1] the slope of a line is found, whatever its height; of one point or none there is no slope', () => {
  const small = fc.integer({ min: -100, max: 100 })
  fc.assert(
    fc.property(small, small, fc.uniqueArray(small, { minLength: 2, maxLength: 10 }), (slope, height, xs) => {
      expect(slopeOf(xs.map((x) => [x, slope * x + height] as const))).toBeCloseTo(slope, 6)
      expect(slopeOf(xs.slice(0, 1).map((x) => [x, height] as const))).toBe(0)
    }),
  )
  expect(slopeOf([])).toBe(0)
})
