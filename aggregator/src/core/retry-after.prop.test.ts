// How long to wait after a 429, whatever the server says.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { retryAfterMaxMs, retryAfterMinMs, retryAfterMs } from './retry-after.ts'

const nowMs = Date.UTC(2026, 10, 23, 12)

it('[M30] any hint, absurd ones too, gives a wait between one second and five minutes', () => {
  const hints = fc.record({
    header: fc.option(fc.oneof(fc.string(), fc.integer().map(String), fc.date().map(String)), { nil: undefined }),
    bodyMs: fc.anything(),
  })
  fc.assert(
    fc.property(hints, fc.integer({ min: 0 }), (given, now) => {
      const waitMs = retryAfterMs(given, now)
      expect(waitMs).toBeGreaterThanOrEqual(retryAfterMinMs)
      expect(waitMs).toBeLessThanOrEqual(retryAfterMaxMs)
      expect(Number.isInteger(waitMs)).toBe(true)
    }),
  )
})

it('[M30] the header comes before the body, in seconds or as a date', () => {
  expect(retryAfterMs({ header: '10', bodyMs: 2_000 }, nowMs)).toBe(10_000)
  expect(retryAfterMs({ header: new Date(nowMs + 20_000).toUTCString(), bodyMs: 2_000 }, nowMs)).toBe(20_000)
  expect(retryAfterMs({ bodyMs: 9_602 }, nowMs)).toBe(9_602)
})

it('[M30] a header that says nothing is passed over', () => {
  expect(retryAfterMs({ header: 'soon', bodyMs: 3_000 }, nowMs)).toBe(3_000)
  expect(retryAfterMs({ header: '-5', bodyMs: 3_000 }, nowMs)).toBe(3_000)
  expect(retryAfterMs({ header: '', bodyMs: '3000' }, nowMs)).toBe(5_000)
})
