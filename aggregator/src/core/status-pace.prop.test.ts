import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { LeaderStatus } from './leader-status.ts'
import { isDue, notWritten, startPace, withTimes, written } from './status-pace.ts'

const statusOf = (isGood: boolean, online: number): LeaderStatus => ({
  conditions: [
    {
      type: 'StreamReady',
      status: isGood ? 'True' : 'False',
      reason: isGood ? 'StreamWritable' : 'NatsUnreachable',
      message: 'm',
    },
  ],
  rooms: { count: 1, unresolved: 0, online },
})

it('[LS3] numbers go out once a minute, a turn within a second, and a time moves only with its status', () => {
  const step = fc.record({
    isGood: fc.boolean(),
    online: fc.nat(9),
    afterMs: fc.integer({ min: 0, max: 40_000 }),
    fails: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let pace = startPace([])
      let nowMs = 0
      let last: { atMs: number; status: string; time: string } | undefined
      for (const { isGood, online, afterMs, fails } of steps) {
        nowMs += afterMs
        const status = statusOf(isGood, online)
        const due = isDue(pace, status, nowMs)
        const sinceMs = nowMs - (last?.atMs ?? -Infinity)
        const turned = last?.status !== status.conditions[0]?.status
        if (sinceMs < 1_000) expect(due).toBe(false)
        if (due && !turned && pace.failures === 0) expect(sinceMs).toBeGreaterThanOrEqual(60_000)
        if (pace.failures === 0 && sinceMs >= (turned ? 1_000 : 60_000)) expect(due).toBe(true)
        if (!due) continue
        if (fails) {
          pace = notWritten(pace, nowMs)
          expect(isDue(pace, status, nowMs + 999)).toBe(false)
          continue
        }
        const conditions = withTimes(pace, status, nowMs)
        const [{ status: now, lastTransitionTime: time } = { status: '', lastTransitionTime: '' }] = conditions
        if (last !== undefined) expect(time === last.time || now !== last.status).toBe(true)
        last = { atMs: nowMs, status: now, time }
        pace = written(conditions, nowMs)
      }
    }),
  )
})

it('[LS3] what stands there already keeps its time, and is told once all the same', () => {
  const there = { ...statusOf(true, 1).conditions[0], lastTransitionTime: '2026-01-01T00:00:00Z' }
  const pace = startPace([there as Parameters<typeof startPace>[0][number]])
  expect(isDue(pace, statusOf(true, 1), 0)).toBe(true)
  expect(withTimes(pace, statusOf(true, 1), 9e12)[0]?.lastTransitionTime).toBe('2026-01-01T00:00:00Z')
})
