// An honest day has nothing to confess. (What a lie is found by stands beside each check.)
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { anyActs, honestDay } from '../testing/honest-day.ts'
import { checkHistory } from './check-history.ts'

it('[K1] an honest day breaks nothing', () => {
  fc.assert(
    fc.property(anyActs, (acts) => {
      expect(checkHistory(honestDay(acts))).toEqual([])
    }),
  )
})

it('[K1] what was found stands in the order of its moments', () => {
  const day = honestDay([{ slug: 'energy', online: 1, typing: 0, afterMs: 10_000 }])
  const lost = day.filter(({ kind }) => kind !== 'frame')
  const moments = checkHistory(lost).map(({ atMs }) => atMs)
  expect(moments).toEqual(moments.toSorted((one, other) => one - other))
  expect(moments.length).toBeGreaterThan(1)
})

it('[K1] a recording without its beginning is refused: nothing says what was allowed', () => {
  expect(() => checkHistory([])).toThrow(/beginning/)
})
