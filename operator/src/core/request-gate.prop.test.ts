import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createBucket } from './bucket.ts'
import { createRequestGate } from './request-gate.ts'

const settings = { perS: 10, burst: 5 }
const anyAct = fc.record({
  afterMs: fc.integer({ min: 0, max: 500 }),
  quietMs: fc.option(fc.integer({ min: 0, max: 3_000 }), { nil: undefined }),
})

it('[OA3] nobody goes before the latest moment that was asked for, and otherwise the bucket decides alone', () => {
  fc.assert(
    fc.property(fc.array(anyAct, { maxLength: 50 }), (acts) => {
      const [gate, bucket] = [createRequestGate(settings), createBucket(settings)]
      let [nowMs, quietUntilMs] = [0, 0]
      for (const { afterMs, quietMs } of acts) {
        nowMs += afterMs
        if (quietMs === undefined) {
          const goMs = nowMs + gate.waitMs(nowMs)
          expect(goMs).toBeGreaterThanOrEqual(quietUntilMs)
          expect(goMs).toBe(Math.max(nowMs + bucket.waitMs(nowMs), quietUntilMs))
        } else {
          gate.rest(nowMs, quietMs)
          quietUntilMs = Math.max(quietUntilMs, nowMs + quietMs)
        }
      }
    }),
  )
})
