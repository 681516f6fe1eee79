// From the first part started to the exit code.
//
//   start:  part 1 -> part 2 -> part 3 -> ready
//   stop:   not ready -> (wait until balancers saw it) -> drains, last first -> stops, last first -> exit
//
//   SIGTERM, SIGINT      orderly stop, 0           a second one: exit at once
//   parts.end(error)     orderly stop, code of the error (3 for Deposed and HandedOver: the process restarts as standby)
//   a start that fails   what was started is stopped, 1 (2 for BadConfig)
//   uncaught anything    1 at once: nobody knows what still holds
//
// Every drain and every stop has a deadline and a log line. The process and the clock come from outside, so a test plays
// the whole of it with a FakeClock.
import { type Clock, sleep, systemClock } from './edge/clock.ts'
import { CityError, toErrorCode } from './errors.ts'
import type { Logger } from './log.ts'
import type { Readiness } from './admin-server.ts'

export const exitCodes = { stopped: 0, crashed: 1, badConfig: 2, deposed: 3 } as const
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

export function toExitCode(error: unknown): ExitCode {
  const code = toErrorCode(error)
  if (code === 'BadConfig') return exitCodes.badConfig
  return code === 'Deposed' || code === 'HandedOver' || code === 'LeadershipLost'
    ? exitCodes.deposed
    : exitCodes.crashed
}

/** The part of `process` that a life needs. */
export interface LifecycleProcess {
  on(event: string, listener: (argument: unknown) => void): unknown
  exit(code: number): unknown
}

type Closing = () => Promise<void> | void
type Part = { readonly name: string; readonly drain?: Closing; readonly stop?: Closing }

export interface Parts {
  /** Starts a part, and registers how it is drained and stopped. Throws Aborted when the stop began meanwhile. */
  start<T>(name: string, start: (signal: AbortSignal) => Promise<T> | T, closing?: PartClosing<T>): Promise<T>
  /** Ends the whole service in order, because of an error or, without one, because the work is done. */
  end(error?: unknown): void
  /** Aborted when the stop begins during the start, otherwise after the drains: for loops and for waits. */
  readonly signal: AbortSignal
  /** Adds the life's own reasons (starting, stopping) to those of the service: give it to startAdminServer. */
  readiness(reasons?: () => readonly string[]): () => Readiness
}

export type PartClosing<T> = {
  /** Before anything is stopped: finish what has begun, take nothing new. */
  readonly drain?: (part: T) => Promise<void> | void
  readonly stop?: (part: T) => Promise<void> | void
}

export type ServiceOptions = {
  readonly log: Logger
  readonly start: (parts: Parts) => Promise<void>
  readonly process: LifecycleProcess
  /** For each drain and each stop. */
  readonly stopDeadlineMs?: number
  /** How long to stay up while not ready, so that balancers stop sending. */
  readonly unreadyMs?: number
  readonly clock?: Clock
  /** Last words of logs and traces, after the last part. */
  readonly flush?: () => Promise<void> | void
  readonly onError?: (error: unknown) => void
}

/** Half of the 30 s that Kubernetes gives by default, for the slowest part. */
export const stopDeadlineMsDefault = 10_000

/** Resolves with the exit code after `process.exit` was called with it (which only in tests returns). */
export async function runService(options: ServiceOptions): Promise<ExitCode> {
  const life = createLife(options)
  life.listen()
  try {
    await options.start(life.parts)
    life.settle({ well: true })
  } catch (error) {
    life.settle({ well: false })
    life.parts.end(error)
  }
  return life.ended
}

type Phase = 'starting' | 'running' | 'stopping'

function createLife(options: ServiceOptions) {
  const { log, process } = options
  const registered: Part[] = []
  const stopping = new AbortController()
  const { promise: ended, resolve: resolveEnded } = Promise.withResolvers<ExitCode>()
  const { promise: settled, resolve: settle } = Promise.withResolvers<undefined>()
  let phase: Phase = 'starting'

  const exit = (code: ExitCode) => {
    log.info({ exitCode: code }, 'exit')
    process.exit(code)
    resolveEnded(code)
  }
  const stop = (code: ExitCode, reason: string) => {
    if (phase === 'stopping') return
    // A start that still waits for a server has nothing to drain: it is told at once.
    if (phase === 'starting') stopping.abort()
    phase = 'stopping'
    log.info({ reason }, 'stopping')
    void closeAll({ registered, settled, stopping }, options).then(() => exit(code))
  }
  const end = (error?: unknown) => {
    if (error !== undefined && phase !== 'stopping') {
      options.onError?.(error)
      // Being replaced is part of a life; anything else somebody has to read about. (A start that breaks off because the stop
      // began is no failure.)
      const code = toErrorCode(error)
      if (phase === 'starting') log.error({ err: error, code }, 'start failed')
      else if (code === 'Deposed') log.warn({ err: error, code }, 'ends')
      else log.error({ err: error, code }, 'ends')
    }
    stop(error === undefined ? exitCodes.stopped : toExitCode(error), error === undefined ? 'done' : toErrorCode(error))
  }
  const onSignal = (name: string) => () => {
    if (phase !== 'stopping') {
      stop(exitCodes.stopped, name)
      return
    }
    log.warn({ signal: name }, 'second signal, no more waiting')
    exit(exitCodes.crashed)
  }
  const onCrash = (kind: string) => (error: unknown) => {
    log.fatal({ err: error, kind }, 'crashed')
    options.onError?.(error)
    exit(exitCodes.crashed)
  }
  const parts: Parts = {
    start: (name, start, closing) => startPart({ name, start, closing, log, registered, signal: stopping.signal }),
    end,
    signal: stopping.signal,
    readiness: (reasons) => () => judgeReadiness(phase, reasons?.() ?? []),
  }
  return {
    parts,
    ended,
    /** The start function is through, well or not. */
    settle({ well }: { well: boolean }) {
      settle(undefined)
      if (!well || phase !== 'starting') return
      phase = 'running'
      log.info({ parts: registered.map(({ name }) => name) }, 'started')
    },
    listen() {
      for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, onSignal(signal))
      for (const crash of ['uncaughtException', 'unhandledRejection']) process.on(crash, onCrash(crash))
    },
  }
}

function judgeReadiness(phase: Phase, serviceReasons: readonly string[]): Readiness {
  const lifeReasons = phase === 'starting' ? ['Starting'] : phase === 'stopping' ? ['Stopping'] : []
  const reasons = [...lifeReasons, ...serviceReasons]
  return { ready: reasons.length === 0, reasons }
}

type PartStart<T> = {
  readonly name: string
  readonly start: (signal: AbortSignal) => Promise<T> | T
  readonly closing: PartClosing<T> | undefined
  readonly log: Logger
  readonly registered: Part[]
  readonly signal: AbortSignal
}

async function startPart<T>({ name, start, closing, log, registered, signal }: PartStart<T>): Promise<T> {
  if (isOver(signal)) throw new CityError('Aborted', `${name} is not started: the service stops`)
  const part = await start(signal)
  const { drain, stop } = closing ?? {}
  const closable: Part = {
    name,
    ...(drain === undefined ? {} : { drain: () => drain(part) }),
    ...(stop === undefined ? {} : { stop: () => stop(part) }),
  }
  if (isOver(signal)) {
    // It came up after the stop had begun, so nobody else will close it.
    await closable.stop?.()
    throw new CityError('Aborted', `${name} came up while the service was stopping`)
  }
  registered.push(closable)
  log.debug({ part: name }, 'part started')
  return part
}

/** Asked again after an await, where the compiler believes the first answer. */
const isOver = (signal: AbortSignal): boolean => signal.aborted

type Life = {
  readonly registered: readonly Part[]
  readonly settled: Promise<undefined>
  readonly stopping: AbortController
}

async function closeAll({ registered, settled, stopping }: Life, options: ServiceOptions): Promise<void> {
  const { clock = systemClock, unreadyMs = 0 } = options
  const wasStarting = stopping.signal.aborted
  if (wasStarting) await closeOne('start', () => settled.then(() => undefined), options)
  // Nobody had been told to come yet if it was still starting.
  else if (unreadyMs > 0) await sleep(clock, unreadyMs)
  for (const { name, drain } of registered.toReversed())
    if (drain !== undefined) await closeOne(`${name}: drain`, drain, options)
  stopping.abort()
  for (const { name, stop } of registered.toReversed())
    if (stop !== undefined) await closeOne(`${name}: stop`, stop, options)
  if (options.flush !== undefined) await closeOne('flush', options.flush, options)
}

/** Never throws: one part that fails to close must not keep the others open. */
async function closeOne(what: string, close: Closing, options: ServiceOptions): Promise<void> {
  const { log, clock = systemClock, stopDeadlineMs = stopDeadlineMsDefault } = options
  const startedMs = clock.monotonicMs()
  const { promise: late, reject } = Promise.withResolvers<never>()
  const overdue = () => reject(new CityError('StopTimeout', `${what}: not done after ${stopDeadlineMs} ms`))
  const cancel = clock.after(stopDeadlineMs, overdue, { keepAlive: true })
  try {
    await Promise.race([Promise.resolve().then(close), late])
    log.info({ part: what, tookMs: Math.round(clock.monotonicMs() - startedMs) }, 'closed')
  } catch (error) {
    log.error({ err: error, part: what }, 'did not close')
    options.onError?.(error)
  } finally {
    cancel()
  }
}
