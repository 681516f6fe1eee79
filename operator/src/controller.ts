// From what changes at the API server to rounds of work, one city at a time:
//
//   reflectors (one a kind and namespace) -> cities concerned -> work queue -> workers -> round(city)
//
// Level-triggered: a key says that there is something to look at, never what. Nobody works before every reflector has listed, and only
// who leads works at all; the others keep their caches warm.
import type { Clock } from '@citypresence/chassis/edge/clock'
import type { Telemetry } from '@citypresence/chassis/telemetry'
import type { KubeKind } from './core/kube-kinds.ts'
import type { KubeObject } from './core/kube-object.ts'
import { keyOf } from './core/kube-object.ts'
import type { Change } from './core/object-cache.ts'
import { citiesToLookAt, cityKeyOf, labelGroup, ownerGroup } from './core/routing.ts'
import type { WorkQueue } from './core/work-queue.ts'
import type { RunningReflector } from './edge/reflector.ts'
import { createWorkers, type Round, type WorkResult } from './workers.ts'

/** One kind in one namespace, or in all. */
export type Watched = { readonly kind: KubeKind; readonly namespace: string | undefined }
export type Hooks = { readonly onChange: (change: Change) => void; readonly onSynced: () => void }

export type ControllerOptions = {
  /** The resource itself first. */
  readonly watched: readonly Watched[]
  readonly open: (watched: Watched, hooks: Hooks) => RunningReflector
  readonly round: (city: KubeObject, signal: AbortSignal) => Promise<WorkResult>
  readonly forget: (uid: string) => void
  readonly queue: WorkQueue
  readonly telemetry: Pick<Telemetry, 'startSpan'>
  readonly onRound: (round: Round) => void
  readonly clock: Clock
  readonly random: () => number
}

export type Controller = {
  readonly reflectors: readonly RunningReflector[]
  isSynced(): boolean
  /** Whether every reflector still moves. */
  isAlive(): boolean
  cities(): readonly KubeObject[]
  /** What a city owns, and what carries its label. */
  objectsOf(city: KubeObject): readonly KubeObject[]
  /** From now on it works. */
  lead(): void
  stop(): Promise<void>
}

// A round of its own accord: what every watch may have missed.
const lookAgainMs = 300_000
// A reflector that waits has at most half a minute to wait, a list thirty seconds, a watch three minutes of silence.
const stillMsMax = 300_000

export function startController(options: ControllerOptions): Controller {
  const { queue, clock, telemetry } = options
  /** The uid under which each city was last worked on. */
  const known = new Map<string, string>()
  const reflectors: RunningReflector[] = []
  const cityOf = (key: string): KubeObject | undefined => {
    for (const { kind, cache } of cityReflectors()) {
      const [namespace = '', name = ''] = key.split('/')
      const found = cache.get(keyOf({ ...kind, namespace, name }))
      if (found !== undefined) return found
    }
    return undefined
  }
  const cityReflectors = () => reflectors.filter(({ kind }) => kind.kind === options.watched[0]?.kind.kind)
  const isSynced = (): boolean =>
    reflectors.length === options.watched.length && reflectors.every((one) => one.isSynced())

  const work = async (key: string, signal: AbortSignal): Promise<WorkResult> => {
    const city = cityOf(key)
    const { uid } = city?.metadata ?? {}
    const before = known.get(key)
    // Gone, or another one of the same name: what was remembered of it is of no use.
    if (before !== undefined && before !== uid) options.forget(before)
    if (city === undefined || uid === undefined) {
      known.delete(key)
      return {}
    }
    known.set(key, uid)
    const span = telemetry.startSpan('reconcile', {
      attributes: { 'k8s.resource': key, 'k8s.generation': city.metadata.generation ?? 0 },
    })
    try {
      // Every line that is logged meanwhile carries the trace.
      const result = await span.run(() => options.round(city, signal))
      span.end()
      return { requeueAfterMs: Math.min(result.requeueAfterMs ?? lookAgainMs, lookAgainMs) }
    } catch (error) {
      span.end(error)
      throw error
    }
  }
  const workers = createWorkers({ queue, work, onRound: options.onRound, clock, random: options.random })

  let isLeading = false
  const begin = (): void => {
    if (isLeading && isSynced()) workers.start()
  }
  const onChange = (change: Change): void => {
    for (const key of citiesToLookAt(change)) queue.add(key, clock.monotonicMs())
    workers.wake()
  }
  for (const one of options.watched) reflectors.push(options.open(one, { onChange, onSynced: begin }))
  begin()

  return {
    reflectors,
    isSynced,
    isAlive: () => reflectors.every((one) => one.stillMs() < stillMsMax),
    cities: () => cityReflectors().flatMap(({ cache }) => cache.all()),
    objectsOf(city) {
      const { uid } = city.metadata
      const groups = [...(uid === undefined ? [] : [ownerGroup(uid)]), labelGroup(cityKeyOf(city))]
      return [...new Set(groups.flatMap((group) => reflectors.flatMap(({ cache }) => cache.ofGroup(group))))]
    },
    lead() {
      isLeading = true
      begin()
    },
    async stop() {
      for (const one of reflectors) one.stop()
      await workers.stop()
    },
  }
}
