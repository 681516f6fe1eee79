import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createBucket } from './bucket.ts'

const anySettings = fc.record({ perS: fc.integer({ min: 1, max: 50 }), burst: fc.integer({ min: 1, max: 30 }) })

it('[OQ6] in any stretch of time go no more than burst and rate allow, and who comes alone never waits', () => {
  fc.assert(
    fc.property(anySettings, fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 80 }), (settings, gapsMs) => {
      const bucket = createBucket(settings)
      let nowMs = 0
      const goMs = gapsMs.map((gapMs) => (nowMs += gapMs) + bucket.waitMs(nowMs))
      goMs.forEach((fromMs, first) => {
        goMs.slice(first).forEach((toMs, further) => {
          const allowed = settings.burst + ((toMs - fromMs) * settings.perS) / 1000 + 1e-6
          expect(further + 1).toBeLessThanOrEqual(allowed + 1)
        })
      })
      expect(bucket.waitMs(nowMs + ((gapsMs.length + settings.burst) * 1000) / settings.perS)).toBe(0)
    }),
  )
})

it('[OQ6] the burst goes at once, the next ones one after the other', () => {
  const bucket = createBucket({ perS: 10, burst: 3 })
  expect([1, 2, 3, 4, 5].map(() => bucket.waitMs(0))).toEqual([0, 0, 0, 100, 200])
  expect(bucket.waitMs(300)).toBe(0)
})
