// The API server of a simulated city: one Lease, versions, watches; and the way from one process to it, which can be refused or fall
// silent. The election itself is the real one, from chassis.
import { leaseWith, readLease, type LeaseRecord } from '@citypresence/chassis/core/lease-record'
import type { Lease, WriteAnswer } from '@citypresence/chassis/edge/kube-lease'
import { CityError } from '@citypresence/chassis/errors'
import type { SimClock } from './sim-clock.ts'
import type { SimProcess } from './sim-process.ts'

export type SimLeaseHome = {
  /** Whoever made it makes it again. */
  make(): void
  remove(): void
  scribble(spec: Readonly<Record<string, unknown>>): void
  record(): LeaseRecord | undefined
  way(process: SimProcess, random: () => number): WayToLease
}

export type WayToLease = { set(state: WayState): void; readonly lease: Lease }
type WayState = 'open' | 'refused' | 'silent'
type Watcher = (record: LeaseRecord | undefined) => void

export const leasePeriods = { leaseMs: 6_000, renewDeadlineMs: 4_000, retryMs: 1_000, foreignLeaseMsMax: 10_000 }
// As the real client: a call within a retry period, a watch that is silent for two leases is opened anew.
const [callMs, watchIdleMs] = [leasePeriods.retryMs, 2 * leasePeriods.leaseMs]
const [answerMsMin, answerMsSpread] = [1, 20]

const away = (why: string): CityError => new CityError('LeaseUnreachable', why)

export function createSimLeaseHome(clock: SimClock): SimLeaseHome {
  const watchers = new Set<Watcher>()
  let version = 0
  let stored: LeaseRecord | undefined
  const put = (body: Readonly<Record<string, unknown>>): LeaseRecord => {
    const read = readLease({ ...body, metadata: { name: 'city', resourceVersion: String(++version) } })
    if (!read.ok) throw new Error(read.problem)
    stored = read.value
    for (const tell of watchers) tell(stored)
    return stored
  }
  const write = (record: LeaseRecord, body: Record<string, unknown>): WriteAnswer =>
    stored?.version === record.version ? { kind: 'written', record: put(body) } : { kind: 'refused' }
  const home: SimLeaseHome = {
    make() {
      if (stored === undefined) put({ spec: {} })
    },
    remove() {
      stored = undefined
      for (const tell of watchers) tell(undefined)
    },
    scribble(spec) {
      if (stored !== undefined) put({ ...stored.body, spec })
    },
    record: () => stored,
    way(process, random) {
      const way: Way = { clock, process, random, broken: new Set(), state: 'open' }
      return {
        set(state) {
          way.state = state
          if (state === 'refused') for (const breakOff of [...way.broken]) breakOff()
        },
        lease: {
          read: () => exchange(way, () => ({ kind: 'read' as const, record: stored })).catch(failed),
          write: (record, change) =>
            exchange(way, () => write(record, leaseWith(record, change, process.clock.wallMs()))).catch(failed),
          watch: (told, signal) => watch(way, { told, signal, watchers, now: () => stored }),
          close: () => Promise.resolve(),
        },
      }
    },
  }
  home.make()
  return home
}

const failed = (error: unknown) => ({
  kind: 'failed' as const,
  error: error instanceof CityError ? error : away(String(error)),
})

type Way = {
  readonly clock: SimClock
  readonly process: SimProcess
  readonly random: () => number
  readonly broken: Set<() => void>
  state: WayState
}

const soon = (way: Way, run: () => void): void =>
  void way.clock.after(answerMsMin + answerMsSpread * way.random(), () => {
    // Silence swallows what is on its way.
    if (way.state === 'open') run()
  })

/** One request and its answer. Both take their time, and silence may come between them: carried out, and never answered. */
function exchange<T>(way: Way, serve: () => T): Promise<T> {
  if (way.state === 'refused') return Promise.reject(away('refused'))
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const breakOff = (): void => reject(away('the connection broke'))
  way.broken.add(breakOff)
  const cancel = way.process.clock.after(callMs, () => reject(away('no answer in time')))
  soon(way, () => {
    const answer = serve()
    soon(way, () => resolve(answer))
  })
  return way.process.seen(promise).finally(() => {
    cancel()
    way.broken.delete(breakOff)
  })
}

type Watching = {
  readonly told: Watcher
  readonly signal: AbortSignal
  readonly watchers: Set<Watcher>
  readonly now: () => LeaseRecord | undefined
}

function watch(way: Way, { told, signal, watchers, now }: Watching): Promise<void> {
  if (way.state === 'refused') return Promise.reject(away('refused'))
  const { promise, resolve, reject } = Promise.withResolvers<undefined>()
  const { process } = way
  const end = (): void => resolve(undefined)
  let cancelIdle = process.clock.after(watchIdleMs, end)
  // One connection: what was told first arrives first.
  let last: { readonly record: LeaseRecord | undefined } | undefined
  const hear: Watcher = (record) => {
    const mine = { record }
    last = mine
    soon(way, () => {
      // What came after it has told more.
      if (last !== mine) return
      process.run(() => {
        cancelIdle()
        cancelIdle = process.clock.after(watchIdleMs, end)
        told(record)
      })
    })
  }
  const breakOff = (): void => reject(away('the watch broke'))
  watchers.add(hear)
  way.broken.add(breakOff)
  signal.addEventListener('abort', end, { once: true })
  const first = now()
  if (first !== undefined) hear(first)
  return process.seen(promise).finally(() => {
    cancelIdle()
    watchers.delete(hear)
    way.broken.delete(breakOff)
    signal.removeEventListener('abort', end)
  })
}
