// The one clock of a simulated city. Nothing happens between two timers: each runs, whatever it woke runs to its end, then the
// next one is due. The same timers in the same order give the same run.
import type { Cancel, Clock } from '@citypresence/chassis/edge/clock'
import { toTimerMs } from '@citypresence/chassis/edge/clock'

export type SimClock = Clock & {
  /** Runs what is due until then, or until `isOver` says so after some timer. */
  runUntil(untilMs: number, isOver?: () => boolean): Promise<void>
}

type Timer = { readonly dueMs: number; readonly place: number; readonly run: () => void }

// Any moment will do; a whole one reads well.
const startWallMs = 1_800_000_000_000

export function createSimClock(): SimClock {
  let nowMs = 0
  let placed = 0
  const timers = new Set<Timer>()
  const nextDue = (untilMs: number): Timer | undefined => {
    let first: Timer | undefined
    for (const timer of timers)
      if (timer.dueMs <= untilMs && (first === undefined || isBefore(timer, first))) first = timer
    return first
  }
  return {
    wallMs: () => startWallMs + nowMs,
    monotonicMs: () => nowMs,
    after(ms, run): Cancel {
      const timer = { dueMs: nowMs + toTimerMs(ms), place: placed++, run }
      timers.add(timer)
      return () => void timers.delete(timer)
    },
    async runUntil(endMs, isOver = () => false) {
      // Stamps are whole milliseconds, as those of a machine.
      const untilMs = Math.floor(endMs)
      await letPromisesRun()
      for (let timer = nextDue(untilMs); timer !== undefined; timer = nextDue(untilMs)) {
        nowMs = Math.max(nowMs, timer.dueMs)
        timers.delete(timer)
        timer.run()
        await letPromisesRun()
        if (isOver()) return
      }
      nowMs = untilMs
    },
  }
}

const isBefore = (one: Timer, other: Timer): boolean =>
  one.dueMs < other.dueMs || (one.dueMs === other.dueMs && one.place < other.place)

/** One turn of the event loop: every promise that is ready runs to its end within it. */
const letPromisesRun = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
