// Takes keys from the work queue and has them worked on, a few at a time.
//
//   add -> queue -> take -> work(key) within its deadline -> well: forget, look again in five minutes
//                                                         -> not:  again, later each time
//
// The deadline aborts the work's requests, and the key stays in its hands until the work has really ended: two rounds on one city at
// once could undo each other.
import type { Cancel, Clock } from '@citypresence/chassis/edge/clock'
import { CityError } from '@citypresence/chassis/errors'
import type { WorkQueue } from './core/work-queue.ts'

export type WorkResult = { readonly requeueAfterMs?: number }

export type Round = {
  readonly key: string
  readonly waitedMs: number
  readonly tookMs: number
  readonly error: unknown
  /** Of a failed one: how long it waits for the next try. */
  readonly retryMs: number
}

export type WorkersOptions = {
  readonly queue: WorkQueue
  readonly work: (key: string, signal: AbortSignal) => Promise<WorkResult>
  readonly onRound: (round: Round) => void
  readonly clock: Clock
  readonly random: () => number
  readonly count?: number
  readonly deadlineMs?: number
}

export type Workers = {
  /** Something was added. */
  wake(): void
  start(): void
  /** Takes nothing any more; resolves when nothing is in hands. What runs is aborted. */
  stop(): Promise<void>
}

// Four cities at once keep an API server busy enough: each round is mostly waiting for it.
const countDefault = 4
// Each request has ten seconds, and a round some twenty of them, of which all but a few are quick.
const deadlineMsDefault = 60_000
// Whoever looks again at a thousand cities does not do so at one moment.
const spread = 0.1

export function createWorkers(options: WorkersOptions): Workers {
  const { queue, clock, random, count = countDefault, deadlineMs = deadlineMsDefault } = options
  const running = new Set<Promise<void>>()
  const stopping = new AbortController()
  let isOn = false
  let cancelWake: Cancel = () => undefined

  const wake = (): void => {
    cancelWake()
    if (!isOn || stopping.signal.aborted) return
    for (let free = count - running.size; free > 0; free--) {
      const taken = queue.take(clock.monotonicMs())
      if (taken === undefined) break
      const round = work(taken.key, taken.waitedMs)
      running.add(round)
      void round.finally(() => {
        running.delete(round)
        wake()
      })
    }
    const dueAtMs = queue.nextDueAtMs()
    if (dueAtMs !== undefined && running.size < count) cancelWake = clock.after(dueAtMs - clock.monotonicMs(), wake)
  }

  const work = async (key: string, waitedMs: number): Promise<void> => {
    const startedMs = clock.monotonicMs()
    const deadline = new AbortController()
    const cancel = clock.after(deadlineMs, () => deadline.abort())
    let [error, retryMs]: [unknown, number] = [undefined, 0]
    try {
      const { requeueAfterMs } = await options.work(key, AbortSignal.any([deadline.signal, stopping.signal]))
      queue.forget(key)
      if (requeueAfterMs !== undefined)
        queue.addAfter(key, requeueAfterMs * (1 - spread + 2 * spread * random()), clock.monotonicMs())
    } catch (thrown) {
      error = deadline.signal.aborted
        ? new CityError('ReconcileTimeout', `${key}: not done after ${deadlineMs} ms`, { cause: thrown })
        : thrown
      retryMs = queue.retry(key, clock.monotonicMs())
    } finally {
      cancel()
      queue.done(key, clock.monotonicMs())
    }
    options.onRound({ key, waitedMs, tookMs: clock.monotonicMs() - startedMs, error, retryMs })
  }

  return {
    wake,
    start() {
      isOn = true
      wake()
    },
    async stop() {
      isOn = false
      cancelWake()
      stopping.abort()
      while (running.size > 0) await Promise.allSettled(running)
    },
  }
}
