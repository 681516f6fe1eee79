// Tells the status while this process leads: once a second it looks whether there is something to tell, and one write is under way.
//
//   leads? -> not yet read: read what stands there -> leaderStatus(facts) -> due? -> write -> what stands there now
//
// Nothing depends on it: while the API server is away the city goes on, and the status is told later.
import type { Cancel, Clock } from '@citypresence/chassis/edge/clock'
import type { SampledLog } from '@citypresence/chassis/log'
import { toErrorCode } from '@citypresence/chassis/errors'
import { leaderStatus, type LeaderFacts, type LeaderStatus } from './core/leader-status.ts'
import { isDue, notWritten, startPace, withTimes, written, type StatusPace } from './core/status-pace.ts'
import type { KnownStatus, OwnStatus } from './edge/kube-status.ts'

export type StatusWriterOptions = {
  readonly port: {
    read(): Promise<KnownStatus>
    write(status: OwnStatus): Promise<KnownStatus>
    close(): Promise<void>
  }
  readonly podName: string
  readonly leads: () => boolean
  readonly facts: () => LeaderFacts
  readonly clock: Clock
  readonly log: SampledLog
  readonly onError: (error: unknown) => void
}

export type StatusWriter = {
  /** Looks once more: what ended this leader is to be told before it goes. */
  tellLast(): Promise<void>
  stop(): Promise<void>
}

const lookEveryMs = 1_000

export function startStatusWriter(options: StatusWriterOptions): StatusWriter {
  const { port, clock, log } = options
  let pace: StatusPace | undefined
  let generation = 0
  let underWay: Promise<void> | undefined
  let cancel: Cancel

  const write = async (before: StatusPace, status: LeaderStatus): Promise<void> => {
    const conditions = withTimes(before, status, clock.wallMs())
    try {
      const known = await port.write({
        aggregator: { leader: options.podName },
        rooms: status.rooms,
        conditions: conditions.map((one) => ({ ...one, observedGeneration: generation })),
      })
      generation = known.generation
      pace = written(conditions, clock.monotonicMs())
    } catch (error) {
      pace = failed(before, error)
    }
  }

  const failed = (before: StatusPace, error: unknown): StatusPace => {
    options.onError(error)
    log.warn('status', { err: error, code: toErrorCode(error) }, 'the status could not be told')
    return notWritten(before, clock.monotonicMs())
  }

  /** What stands there is read once for each time that this process leads. */
  const begin = async (before: StatusPace): Promise<StatusPace> => {
    try {
      const known = await port.read()
      generation = known.generation
      return startPace(known.conditions)
    } catch (error) {
      return failed(before, error)
    }
  }

  let hasRead = false
  const look = async (): Promise<void> => {
    if (!options.leads()) {
      hasRead = false
      pace = undefined
      return
    }
    pace ??= startPace([])
    const nowMs = clock.monotonicMs()
    const status = leaderStatus(options.facts())
    if (!isDue(pace, status, nowMs)) return
    if (!hasRead) {
      pace = await begin(pace)
      hasRead = pace.failures === 0
      if (!hasRead) return
    }
    await write(pace, status)
  }

  const lookOnce = (): Promise<void> => (underWay ??= look().finally(() => (underWay = undefined)))
  const tick = (): void => {
    void lookOnce()
    cancel = clock.after(lookEveryMs, tick)
  }
  cancel = clock.after(lookEveryMs, tick)
  return {
    async tellLast() {
      cancel()
      await underWay
      await lookOnce()
    },
    async stop() {
      cancel()
      await underWay
      await port.close()
    },
  }
}
