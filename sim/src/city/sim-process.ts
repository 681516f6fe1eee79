// A process of a simulated city: what it is told and what it waits for reaches it through here, so that it can be frozen (nothing
// reaches it until it is thawed, then all of it, in order), killed (nothing reaches it ever again), or live by a wrong wall clock.
import type { Clock } from '@citypresence/chassis/edge/clock'
import type { Msg, NatsConnection } from '@nats-io/transport-node'

export type SimProcess = {
  readonly clock: Clock
  readonly isAlive: boolean
  /** Runs now, when it is thawed, or never. */
  run(work: () => void): void
  /** The same answer, which a frozen process does not see before it is thawed. */
  seen<T>(answer: Promise<T>): Promise<T>
  freeze(): void
  thaw(): void
  kill(): void
}

export function createSimProcess(base: Clock, wallSkewMs = 0): SimProcess {
  let state: 'runs' | 'frozen' | 'dead' = 'runs'
  const waiting: (() => void)[] = []
  const run = (work: () => void): void => {
    if (state === 'runs') work()
    else if (state === 'frozen') waiting.push(work)
  }
  return {
    clock: {
      wallMs: () => base.wallMs() + wallSkewMs,
      monotonicMs: () => base.monotonicMs(),
      after: (ms, work) => base.after(ms, () => run(work)),
    },
    get isAlive() {
      return state !== 'dead'
    },
    run,
    seen: (answer) =>
      new Promise((resolve, reject) => {
        answer.then(
          (value) => run(() => resolve(value)),
          (error: unknown) => run(() => reject(error instanceof Error ? error : new Error(String(error)))),
        )
      }),
    freeze: () => void (state = state === 'dead' ? 'dead' : 'frozen'),
    thaw() {
      if (state !== 'frozen') return
      state = 'runs'
      for (const work of waiting.splice(0)) work()
    },
    kill() {
      state = 'dead'
      waiting.length = 0
    },
  }
}

type SubscribeOptions = { callback: (error: Error | null, message: Msg) => void }
type Answered = Pick<NatsConnection, 'request' | 'publish' | 'subscribe' | 'status' | 'flush'>

/** The connection as the process sees it. */
export function connectionOf(process: SimProcess, connection: NatsConnection): NatsConnection {
  const seen: Answered = {
    publish: (...args) => connection.publish(...args),
    request: (...args) => process.seen(connection.request(...args)),
    flush: () => process.seen(connection.flush()),
    subscribe: (subject, options) => {
      const { callback } = options as unknown as SubscribeOptions
      const hear = (error: Error | null, message: Msg): void => process.run(() => callback(error, message))
      return connection.subscribe(subject, { callback: hear })
    },
    async *status() {
      for await (const status of connection.status()) {
        await process.seen(Promise.resolve())
        yield status
      }
    },
  }
  // Only what the edges of the services use; whatever else they may call is missing loudly.
  return seen as unknown as NatsConnection
}
