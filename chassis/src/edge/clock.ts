// The one place where services meet the machine's clocks and timers. Everything that decides gets the time as an argument;
// everything that waits gets a Clock, so that a test can hand in one that it turns by hand (testing/fake-clock.ts).

export interface Clock {
  /** Milliseconds since 1970, may jump. For stamps that people and other machines read. */
  wallMs(): number
  /** Milliseconds since some moment, never goes back. For every duration and deadline. */
  monotonicMs(): number
  /** Runs once, later. Such a timer does not keep the process alive unless `keepAlive` is set. */
  after(ms: number, run: () => void, options?: { keepAlive?: boolean }): Cancel
}

/** One moment on both clocks. */
export const momentOf = (clock: Pick<Clock, 'wallMs' | 'monotonicMs'>) => ({
  wallMs: clock.wallMs(),
  monotonicMs: clock.monotonicMs(),
})

export type Cancel = () => void

/** Node fires a longer timer at once. */
export const timerMaxMs = 2 ** 31 - 1

/** A delay that setTimeout takes as meant: whole, not negative, not above its limit; NaN means at once. */
export function toTimerMs(ms: number): number {
  if (!(ms > 0)) return 0
  return Math.min(Math.ceil(ms), timerMaxMs)
}

export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(ms, run, options) {
    const timer = setTimeout(run, toTimerMs(ms))
    if (options?.keepAlive !== true) timer.unref()
    return () => clearTimeout(timer)
  },
}

/** Waits, or returns early (without throwing) when the signal aborts: the caller looks at the signal anyway. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted === true) return Promise.resolve()
  return new Promise((resolve) => {
    const done = () => {
      cancel()
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const cancel = clock.after(ms, done, { keepAlive: true })
    signal?.addEventListener('abort', done, { once: true })
  })
}
