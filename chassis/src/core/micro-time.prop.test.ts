// What an API server takes for a MicroTime, and nothing else.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { microTime } from './micro-time.ts'

it('[E10] a stamp has six digits, whatever the clock says, and is the time it stands for', () => {
  expect(microTime(1_700_000_000_123.456)).toBe('2023-11-14T22:13:20.123456Z')
  expect(microTime(0)).toBe('1970-01-01T00:00:00.000000Z')
  expect(microTime(Number.NaN)).toBe('1970-01-01T00:00:00.000000Z')
  const wall = fc.oneof(fc.double(), fc.double({ min: 0, max: 4e12, noNaN: true }))
  fc.assert(
    fc.property(wall, (wallMs) => {
      const stamp = microTime(wallMs)
      expect(stamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
      if (wallMs >= 0 && wallMs < 4e12) expect(Date.parse(stamp)).toBe(Math.floor(wallMs) + 0)
    }),
  )
})
