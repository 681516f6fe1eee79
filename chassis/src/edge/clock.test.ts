import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createFakeClock } from '../testing/fake-clock.ts'
import { sleep, systemClock, timerMaxMs, toTimerMs } from './clock.ts'

it('[C16] any delay becomes one that a timer takes as meant', () => {
  fc.assert(
    fc.property(fc.oneof(fc.double(), fc.constantFrom(2 ** 31, Infinity, -Infinity, Number.NaN)), (ms) => {
      const timerMs = toTimerMs(ms)
      expect(Number.isInteger(timerMs) && timerMs >= 0 && timerMs <= timerMaxMs).toBe(true)
      if (ms >= 0 && ms <= timerMaxMs) expect(timerMs).toBeGreaterThanOrEqual(ms)
    }),
  )
})

it('[C16] a timer of a hundred years does not fire at once', async () => {
  let fired = false
  const cancel = systemClock.after(100 * 365 * 86_400_000, () => (fired = true))
  await new Promise((resolve) => systemClock.after(5, () => resolve(undefined), { keepAlive: true }))
  cancel()
  expect(fired).toBe(false)
})

it('[C16] a cancelled timer does not run, and monotonic time does not go back', async () => {
  let fired = false
  systemClock.after(1, () => (fired = true))()
  const beforeMs = systemClock.monotonicMs()
  await sleep(systemClock, 5)
  expect(fired).toBe(false)
  expect(systemClock.monotonicMs()).toBeGreaterThanOrEqual(beforeMs)
  expect(Math.abs(systemClock.wallMs() - Date.now())).toBeLessThan(60_000)
})

it('[C16] sleep ends at its time, at an abort, and at once when already aborted; it leaves no timer', async () => {
  const clock = createFakeClock()
  const abort = new AbortController()
  const done: string[] = []
  void sleep(clock, 100).then(() => done.push('time'))
  void sleep(clock, 1e9, abort.signal).then(() => done.push('abort'))
  await clock.advance(99)
  expect(done).toEqual([])
  await clock.advance(1)
  expect(done).toEqual(['time'])
  abort.abort()
  await clock.advance(0)
  expect(done).toEqual(['time', 'abort'])
  await sleep(clock, 1e9, abort.signal)
  expect(clock.pendingTimers()).toBe(0)
})
