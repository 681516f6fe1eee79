// The whole operator on the API server's double, over HTTP or in memory, with a clock that is turned by hand: for crash sweeps and
// random lives of cities.
import { createFakeClock, type FakeClock } from '@citypresence/chassis/testing/fake-clock'
import { createMetrics } from '@citypresence/chassis/metrics'
import type { Fields, Json } from '@citypresence/sim/kube-api/apply'
import type { KubeObject } from '../core/kube-object.ts'
import type { KubeApi } from '../edge/kube-api.ts'
import { createOperatorMetrics } from '../metrics.ts'
import { startOperator, type Operator } from '../operator.ts'
import { openApiOnDouble, turnUntil } from './api-double.ts'
import { openApiInMemory, type ApiInMemory } from './api-in-memory.ts'
import { contextOf, smallSpec, type WrittenSpec } from './cities.ts'

const writeVerbs: ReadonlySet<string> = new Set(['apply', 'status', 'create', 'delete', 'update'])

export type OperatorWorld = {
  readonly server: ApiInMemory
  readonly clock: FakeClock
  /** Starts an operator, in place of the one before. `through` may stand between it and the API server. */
  start(through?: (api: KubeApi) => KubeApi): Operator
  /** As SIGKILL: nothing of it is heard any more. */
  crash(): Promise<void>
  writeCity(spec: WrittenSpec, name?: string): void
  deleteCity(name?: string): void
  /** As the garbage collector: what has an owner that is gone goes too, whenever it was made. */
  collect(): void
  /** Writes so far, Events apart: `verb kind`. */
  writes(): readonly string[]
  /** Every object with what is wanted of it, without versions, uids and times. */
  picture(): Record<string, unknown>
  /** Somebody deletes or edits every child. */
  children(): readonly { readonly kind: string; readonly name: string; remove(): void; edit(): void; smear(): void }[]
  /** Time passes, with the bookmarks of a server that lives. */
  pass(minutes: number): Promise<void>
  /** Until nothing was written and nobody waited for two seconds of its clock. */
  settle(): Promise<void>
  readonly errors: unknown[]
  stop(): Promise<void>
}

/** Where its API server is: behind HTTP, or in the same process. */
export async function openOperatorWorld(where: 'http' | 'memory' = 'memory'): Promise<OperatorWorld> {
  const clock = createFakeClock(1_800_000_000_000)
  const on = where === 'http' ? await openApiOnDouble({ clock }) : undefined
  const server: ApiInMemory =
    on === undefined ? openApiInMemory(clock) : { ...on.double, api: on.api, requests: on.double.requests }
  const double = server
  for (const kind of ['httproutes', 'podmonitors', 'prometheusrules', 'custom.metrics.k8s.io']) double.missing.add(kind)
  for (const [name, key] of [
    ['citypresence-matrix', 'access_token'],
    ['citypresence-jwt', 'jwt_secret'],
  ] as const)
    double.store.write(
      { plural: 'secrets', namespace: 'city', name },
      { apiVersion: 'v1', kind: 'Secret', metadata: {}, data: { [key]: 'eA==' } },
      'kubectl',
    )
  const errors: unknown[] = []
  const context = contextOf({})
  const place = (name: string) => ({ plural: 'citypresences', namespace: 'city', name })
  let running: Operator | undefined
  let isCut = { now: false }

  const world: OperatorWorld = {
    server,
    clock,
    errors,
    start(through = (api) => api) {
      const mine = { now: false }
      isCut = mine
      running = startOperator({
        api: cuttable(through(server.api), mine),
        namespaces: [],
        context,
        clock,
        random: () => 0.5,
        telemetry: {
          startSpan: () => ({
            traceparent: undefined,
            traceId: '',
            run: (work) => work(),
            setAttributes: () => undefined,
            end: () => undefined,
          }),
        },
        log: { info: () => undefined, warn: () => undefined, error: () => undefined, flush: () => undefined },
        numbers: createOperatorMetrics(createMetrics('operator')),
        countError: (error) => errors.push(error),
      })
      running.lead()
      return running
    },
    async crash() {
      isCut.now = true
      // Its rounds may wait for an answer that never comes: nobody waits for them.
      void running?.stop()
      await clock.advance(0)
      running = undefined
    },
    writeCity(spec, name = 'daarion') {
      const city = { apiVersion: 'presence.daarion.city/v1alpha1', kind: 'CityPresence', metadata: {}, spec }
      const before = double.store.get(place(name))
      const kept = before?.['status'] === undefined ? {} : { status: before['status'] }
      double.store.write(place(name), { ...city, ...kept } as unknown as Fields, 'kubectl')
    },
    deleteCity(name = 'daarion') {
      double.store.remove(place(name))
      world.collect()
    },
    collect() {
      const all = double.store.everything()
      const uids = new Set(all.map(({ metadata }) => metadata.uid))
      for (const { kind, metadata } of all) {
        const isOrphan = metadata.ownerReferences?.some(({ uid }) => !uids.has(uid)) === true
        if (isOrphan)
          double.store.remove({ plural: pluralOf(kind), namespace: metadata.namespace ?? '', name: metadata.name })
      }
    },
    writes: () =>
      double.requests
        .filter(({ verb, plural }) => writeVerbs.has(verb) && plural !== 'events')
        .map(({ verb, plural }) => `${verb} ${plural}`),
    picture: () => Object.fromEntries(double.store.everything().flatMap(pictured)),
    children: () =>
      double.store
        .everything()
        .filter(({ kind }) => !['Secret', 'CityPresence', 'Event'].includes(kind))
        .map((object) => {
          const at = { plural: pluralOf(object.kind), namespace: 'city', name: object.metadata.name }
          return {
            kind: object.kind,
            name: object.metadata.name,
            remove: () => void double.store.remove(at),
            edit: () => void double.store.write(at, vandalised(object), 'kubectl'),
            smear: () => void double.store.write(at, smeared(object), 'kubectl'),
          }
        }),
    async pass(minutes) {
      for (let minute = 0; minute < minutes; minute++) {
        double.bookmark()
        await turnUntil('a minute', clock, clockAt(clock, 60_000), { stepMs: 5_000 })
      }
    },
    async settle() {
      const seen = (): string => `${double.requests.length} ${running?.queue.depth(clock.monotonicMs()) ?? 0}`
      let [last, sinceMs] = [seen(), clock.monotonicMs()]
      await turnUntil(
        'quiet',
        clock,
        () => {
          if (running?.isSynced() !== true || seen() !== last) [last, sinceMs] = [seen(), clock.monotonicMs()]
          return clock.monotonicMs() - sinceMs > 2_000
        },
        { stepMs: 500 },
      )
    },
    async stop() {
      await world.crash()
      await on?.stop()
    },
  }
  return world
}

/** An API that answers nobody any more once its process is dead. */
function cuttable(api: KubeApi, isCut: { now: boolean }): KubeApi {
  const dead = (): Promise<never> => new Promise(() => undefined)
  return Object.fromEntries(
    Object.entries(api).map(([name, call]) => [
      name,
      (...args: unknown[]) => (isCut.now ? dead() : (call as (...all: unknown[]) => unknown)(...args)),
    ]),
  ) as unknown as KubeApi
}

function clockAt(clock: FakeClock, afterMs: number): () => boolean {
  const untilMs = clock.monotonicMs() + afterMs
  return () => clock.monotonicMs() >= untilMs
}

const smeared = (object: Fields): Fields => {
  const metadata = object['metadata'] as Fields
  const labels = { ...(metadata['labels'] as Fields), 'app.kubernetes.io/name': 'bent' }
  // To a ConfigMap a key is added, too, which would be a setting of a pod.
  const data = object['kind'] === 'ConfigMap' ? { data: { ...(object['data'] as Fields), NODE_OPTIONS: 'theirs' } } : {}
  return { ...object, ...data, metadata: { ...metadata, labels } }
}

/** All that is wanted of it, changed by somebody. */
function vandalised(object: Fields): Fields {
  const changed = Object.entries(object).map(([field, value]) => [
    field,
    field === 'spec' || field === 'data' ? bent(value) : value,
  ])
  const metadata = object['metadata'] as Fields
  return {
    ...Object.fromEntries(changed),
    metadata: { ...metadata, labels: { ...(metadata['labels'] as Fields), 'app.kubernetes.io/name': 'bent' } },
  } as Fields
}

const bent = (value: Json | undefined): Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, bent(inner)]))
    : typeof value === 'number'
      ? value + 1
      : typeof value === 'string'
        ? `${value}-bent`
        : (value ?? null)

const plurals: Readonly<Record<string, string>> = {
  NetworkPolicy: 'networkpolicies',
  Ingress: 'ingresses',
  CityPresence: 'citypresences',
}
const pluralOf = (kind: string): string => plurals[kind] ?? `${kind.toLowerCase()}s`

function pictured(object: Readonly<Record<string, unknown>>): readonly (readonly [string, unknown])[] {
  const { kind, metadata, ...rest } = object as unknown as KubeObject
  if (kind === 'Event' || kind === 'Secret') return []
  const { name, labels, annotations, ownerReferences } = metadata
  const owners = ownerReferences?.map((owner) => ({ ...owner, uid: '' }))
  return [[`${kind} ${name}`, JSON.parse(timeless(JSON.stringify({ labels, annotations, owners, ...rest })))]]
}

/** The moments at which a condition turned differ, and nothing else may. */
const timeless = (text: string): string => text.replace(/"lastTransitionTime":"[^"]*"/g, '"lastTransitionTime":""')

export { smallSpec }
