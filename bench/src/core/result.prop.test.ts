import fc from 'fast-check'
import { expect, it } from 'vitest'
import { figure, growthOf, isMet, spreadText, told, type Goal } from './result.ts'

const amount = fc.double({ min: 1e-3, max: 1e9, noNaN: true })
const goal = (value: number, bar: number, bound: Goal['bound']): Goal => ({ what: 'it', value, unit: '', bar, bound })

it('[BN2] a goal is met on its bar and on one side of it; what was not measured meets none', () => {
  fc.assert(
    fc.property(amount, amount, (value, bar) => {
      expect(isMet(goal(value, bar, 'least'))).toBe(value >= bar)
      expect(isMet(goal(value, bar, 'most'))).toBe(value <= bar)
      expect(isMet(goal(bar, bar, 'least')) && isMet(goal(bar, bar, 'most'))).toBe(true)
      expect(isMet(goal(Number.NaN, bar, 'least')) || isMet(goal(Number.NaN, bar, 'most'))).toBe(false)
    }),
  )
})

it('[BN2] growth finds the exponent of a power, between any two sizes', () => {
  const exponents = fc.double({ min: -2, max: 2, noNaN: true })
  const sizes = fc.uniqueArray(fc.integer({ min: 1, max: 1_000 }), { minLength: 2, maxLength: 5 })
  fc.assert(
    fc.property(exponents, sizes, (exponent, unsorted) => {
      const points = unsorted.toSorted((one, other) => one - other).map((at) => ({ at, value: 3 * at ** exponent }))
      for (const found of growthOf({ what: '', across: '', unit: '', points })) expect(found).toBeCloseTo(exponent, 5)
    }),
  )
})

it('[BN2] a number is told with three digits that count, and reads back as nearly what it was', () => {
  fc.assert(
    fc.property(amount, (value) => {
      const [digits = '', unit] = told(value).split(' ')
      const back = Number(digits.replaceAll(',', '')) * (unit === 'M' ? 1e6 : unit === 'k' ? 1e3 : 1)
      expect(Math.abs(back - value) / value).toBeLessThan(0.006)
    }),
  )
  expect([told(Number.NaN), told(0), told(1_234), told(56_789), told(1_090_000)]).toEqual([
    'none',
    '0',
    '1,234',
    '56.8 k',
    '1.09 M',
  ])
})

it('[BN2] a figure of one run tells no spread, one of several half of the way between its ends', () => {
  expect(spreadText(figure('ours', 'it', 's', [3]))).toBe('')
  expect(spreadText(figure('ours', 'it', 's', [9, 10, 12]))).toBe('±15 %')
})
