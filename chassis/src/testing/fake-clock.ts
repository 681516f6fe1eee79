// A clock that stands still until a test turns it. Timers run in the order of their due times, and between two of them
// the promises they woke get their turn, so that a whole orderly stop can be played in no time.
import type { Clock } from '../edge/clock.ts'
import { toTimerMs } from '../edge/clock.ts'

export type FakeClock = Clock & {
  /** Turns the clock on and runs what falls due, in order. */
  advance(ms: number): Promise<void>
  /** Time passes and nobody runs, as when the event loop stands still; what fell due runs late, at the next turn. */
  jump(ms: number): void
  readonly pendingTimers: () => number
}

/** Enough turns for a chain of awaits between two timers. */
const turnsBetweenTimers = 20

async function letPromisesRun(): Promise<void> {
  for (let turn = 0; turn < turnsBetweenTimers; turn++) await new Promise((resolve) => setImmediate(resolve))
}

export function createFakeClock(startMs = 1_700_000_000_000): FakeClock {
  let nowMs = 0
  const timers = new Set<{ dueMs: number; run: () => void }>()
  const nextDue = (untilMs: number) =>
    [...timers].filter(({ dueMs }) => dueMs <= untilMs).sort((a, b) => a.dueMs - b.dueMs)[0]
  return {
    wallMs: () => startMs + nowMs,
    monotonicMs: () => nowMs,
    pendingTimers: () => timers.size,
    after(ms, run) {
      const timer = { dueMs: nowMs + toTimerMs(ms), run }
      timers.add(timer)
      return () => timers.delete(timer)
    },
    async advance(ms) {
      const untilMs = nowMs + ms
      await letPromisesRun()
      for (let timer = nextDue(untilMs); timer !== undefined; timer = nextDue(untilMs)) {
        nowMs = Math.max(nowMs, timer.dueMs)
        timers.delete(timer)
        timer.run()
        await letPromisesRun()
      }
      nowMs = untilMs
    },
    jump: (ms) => void (nowMs += ms),
  }
}
