// One round of work on one city: observe -> plan -> apply -> report.
//
//   cache, Secrets, Lease -> Observed -> core/plan -> server-side apply of what differs, removal of what is left over
//                                                  -> status and events, where there is news
//
// What is remembered between two rounds is what cannot be read again: at what version our last apply left each object, when the Lease
// changed last by our clock, what the server refused. All of it is lost without harm; the next round costs a few requests more.
import { toErrorCode } from '@citypresence/chassis/errors'
import type { CityPresence } from './core/city-presence.ts'
import type { Context } from './core/desired-objects/context.ts'
import { intentAnnotation, nameOf, placeOf } from './core/desired-objects/metadata.ts'
import { secretFiles } from './core/desired-objects/secrets.ts'
import { rememberDesired, type desiredObjects } from './core/desired.ts'
import { findChild, type SecretFinding } from './core/judge-city.ts'
import { unmarkedSecret } from './core/judge-spec.ts'
import { keyOf, refOf, type KubeObject, type ObjectRef } from './core/kube-object.ts'
import { isSilent, isSuspect, nextLookMs, seeLease, type LeaseSight } from './core/lease-sight.ts'
import { createOwnWrites, type OwnWrites } from './core/own-writes.ts'
import { lookAgainMs, plan, versionOf, type Observed, type Plan } from './core/plan.ts'
import { readCity } from './core/read-city.ts'
import { refusedStatus, type CityEvent } from './core/status.ts'

/** What a round needs of the API server. */
export interface Cluster {
  /** From the cache: what the city owns, and what lies in its namespace under a name of one of its objects. */
  objectsOf(city: KubeObject): readonly KubeObject[]
  /** Asked at the server; undefined where there is none. */
  read(ref: ObjectRef): Promise<KubeObject | undefined>
  /** Server-side apply of the whole, with force. */
  apply(object: KubeObject): Promise<KubeObject>
  /** That very object; fine where it is gone. */
  remove(ref: ObjectRef): Promise<void>
  /** The names of its keys and nothing else; `unknown` where nobody may ask. */
  secretKeys(namespace: string, name: string): Promise<SecretFinding['keys']>
  /** Server-side apply of our part of the status. */
  applyStatus(city: KubeObject, status: unknown): Promise<KubeObject>
  tell(city: KubeObject, event: CityEvent): Promise<void>
}

export type ReconcileOptions = {
  readonly cluster: Cluster
  /** Asked each time: a cluster may learn new kinds. */
  readonly context: () => Context
  readonly clock: { wallMs(): number; monotonicMs(): number }
}

export type Reconcile = {
  /** When to look again, at the latest. Rejects where the server could not be asked: then the queue says when. */
  round(city: KubeObject): Promise<{ readonly requeueAfterMs: number }>
  /** The city is gone. */
  forget(uid: string): void
}

type Refusal = { readonly intent: string | undefined; readonly message: string; readonly untilMs: number }

type Memory = {
  readonly desired: typeof desiredObjects
  readonly children: OwnWrites
  readonly status: OwnWrites
  lease: LeaseSight | undefined
  /** By place: what the server said no to, and until when it is not asked the same again. */
  readonly refused: Map<string, Refusal>
  /** By name: what the last question about each Secret brought. */
  readonly secrets: Map<string, { readonly keys: SecretFinding['keys']; readonly atMs: number }>
}

export function createReconcile(options: ReconcileOptions): Reconcile {
  const memories = new Map<string, Memory>()
  const memoryOf = (uid: string): Memory => {
    const known = memories.get(uid) ?? {
      ...{ desired: rememberDesired(), children: createOwnWrites(), status: createOwnWrites() },
      ...{ lease: undefined, refused: new Map<string, Refusal>(), secrets: new Map() },
    }
    memories.set(uid, known)
    return known
  }
  return {
    forget: (uid) => void memories.delete(uid),

    async round(object) {
      const memory = memoryOf(object.metadata.uid ?? '')
      const nowMs = options.clock.monotonicMs()
      const [known = object] = memory.status.look([object], nowMs)
      const read = readCity(known)
      if (!read.ok) return await refuse(known, read.problem, memory, options)
      const city = read.value
      const context = options.context()
      const observed = await observe(city, memory, context, options)
      const planned = plan(city, observed, context, options.clock.wallMs(), memory.desired)
      await carryOut(planned, memory, options)
      await report(city, planned, memory, options)
      return {
        requeueAfterMs: Math.min(
          planned.requeueAfterMs,
          leaseLookMs(city, memory, options),
          doubtMs(memory, nowMs),
          againMs(memory),
        ),
      }
    },
  }
}

/** When what was refused is tried again. */
const againMs = ({ refused }: Memory): number => (refused.size > 0 ? refusedMs : Number.POSITIVE_INFINITY)

const doubtMs = ({ children }: Memory, nowMs: number): number => children.doubtMs(nowMs) ?? Number.POSITIVE_INFINITY

// ---- observe

async function observe(
  city: CityPresence,
  memory: Memory,
  context: Context,
  options: ReconcileOptions,
): Promise<Observed> {
  const objects = await look(city, memory, context, options)
  await watchLease(city, objects, memory, options)
  return {
    objects,
    applied: new Map([...memory.children.left()].map(([place, object]) => [place, versionOf(object)])),
    secrets: await lookAtSecrets(city, memory, context, options),
    isLeaseSilent: memory.lease !== undefined && isSilent(memory.lease),
    refusals: [...memory.refused.values()].map(({ message }) => message),
  }
}

/**
 * What the cache knows, or newer: what we have written ourselves a moment ago. What neither knows may still be there, somebody
 * else's, and is asked for before anything is made in its place.
 */
async function look(
  city: CityPresence,
  memory: Memory,
  context: Context,
  { cluster, clock }: ReconcileOptions,
): Promise<readonly KubeObject[]> {
  const nowMs = clock.monotonicMs()
  const cached = memory.children.look(cluster.objectsOf(city), nowMs)
  const places = new Set(cached.map(placeOf))
  const missing = memory.desired(city, context, undefined).filter((one) => !places.has(placeOf(one)))
  const found = await Promise.all(
    missing.map(async (one) => memory.children.unseen(placeOf(one), nowMs) ?? (await cluster.read(refOf(one)))),
  )
  return [...cached, ...found.filter((one) => one !== undefined)]
}

/** A leader renews every retry period, and is given up after the duration; a little more is silence. */
const silenceMs = ({ spec }: CityPresence): number =>
  (spec.aggregator.leaderElection.leaseDurationSeconds + spec.aggregator.leaderElection.renewDeadlineSeconds) * 1_000

async function watchLease(
  city: CityPresence,
  objects: readonly KubeObject[],
  memory: Memory,
  { cluster, clock }: ReconcileOptions,
): Promise<void> {
  const see = (lease: KubeObject | undefined, isLive: boolean): LeaseSight =>
    seeLease(memory.lease, lease?.metadata.resourceVersion, {
      nowMs: clock.monotonicMs(),
      silenceMs: silenceMs(city),
      isLive,
    })
  const lease = findChild({ city, objects }, 'Lease', nameOf(city, 'aggregator'))
  memory.lease = see(lease, false)
  if (lease !== undefined && isSuspect(memory.lease, clock.monotonicMs(), silenceMs(city)))
    memory.lease = see(await cluster.read({ ...refOf(lease) }), true)
}

function leaseLookMs(city: CityPresence, { lease }: Memory, { clock }: ReconcileOptions): number {
  if (lease === undefined || city.spec.managementState === 'Unmanaged') return Number.POSITIVE_INFINITY
  const lookMs = nextLookMs(lease, clock.monotonicMs(), silenceMs(city))
  // A little later than the moment itself, so that it has come then.
  return lookMs === undefined ? Number.POSITIVE_INFINITY : lookMs + 100
}

// A Secret that was found is asked for again once a minute: who deletes it is told soon enough, and a thousand cities ask little. A
// refusal is an answer too, and lasts as long: who may not look today may not look in ten seconds.
const secretsKeptMs = 60_000

/** Each Secret is one question, by its name. Nothing is asked of one whose name says that it is not for cities. */
async function lookAtSecrets(
  city: CityPresence,
  { secrets }: Memory,
  context: Context,
  { cluster, clock }: ReconcileOptions,
): Promise<readonly SecretFinding[]> {
  if (unmarkedSecret(city, context) !== undefined) return []
  const nowMs = clock.monotonicMs()
  const files = secretFiles(city)
  const names = new Set(files.map(({ secret }) => secret))
  for (const name of secrets.keys()) if (!names.has(name)) secrets.delete(name)
  return await Promise.all(
    [...names].map(async (secret) => {
      const before = secrets.get(secret)
      const wanted = files.filter((file) => file.secret === secret).map(({ key }) => key)
      const isKept = before !== undefined && isAnswered(before.keys, wanted) && nowMs - before.atMs < secretsKeptMs
      const keys = isKept ? before.keys : await cluster.secretKeys(city.metadata.namespace, secret)
      if (!isKept) secrets.set(secret, { keys, atMs: nowMs })
      return { secret, keys }
    }),
  )
}

/** Nobody waits for it: it is as it should be, or will not be known. */
const isAnswered = (keys: SecretFinding['keys'], wanted: readonly string[]): boolean =>
  keys === 'unknown' || (keys !== 'missing' && wanted.every((key) => keys.includes(key)))

// ---- apply

/** Words of the chassis for what the server will refuse again: a condition, and no haste. */
// KubeMissing: what it refers to is not there, as a Role that was refused, or the namespace.
const terminal = new Set(['KubeRefused', 'KubeForbidden', 'KubeMissing'])
// A quota or a policy may change any time, and nobody tells us.
const refusedMs = 60_000

/** In order; an object that is refused holds up no other. */
async function carryOut({ apply, remove }: Plan, memory: Memory, { cluster, clock }: ReconcileOptions): Promise<void> {
  const nowMs = clock.monotonicMs()
  const places = new Set(apply.map(placeOf))
  for (const place of memory.refused.keys()) if (!places.has(place)) memory.refused.delete(place)
  for (const wanted of apply) {
    const place = placeOf(wanted)
    const intent = wanted.metadata.annotations?.[intentAnnotation]
    const before = memory.refused.get(place)
    if (before?.intent === intent && nowMs < (before?.untilMs ?? 0)) continue
    try {
      memory.children.note(await cluster.apply(wanted), clock.monotonicMs())
      memory.refused.delete(place)
    } catch (error) {
      memory.children.forget(place)
      if (!terminal.has(toErrorCode(error))) throw error
      const why = error instanceof Error ? error.message : 'no reason given'
      const message = `${wanted.kind} ${wanted.metadata.name}: ${why}`
      memory.refused.set(place, { intent, message, untilMs: nowMs + refusedMs })
    }
  }
  for (const ref of remove) {
    await cluster.remove(ref)
    memory.children.forget(keyOf(ref))
  }
}

// ---- report

async function report(
  city: CityPresence,
  { status, events }: Plan,
  memory: Memory,
  { cluster, clock }: ReconcileOptions,
): Promise<void> {
  if (status !== undefined && city.metadata.deletionTimestamp === undefined) {
    memory.status.note(await cluster.applyStatus(city, status), clock.monotonicMs())
  }
  for (const event of events) await cluster.tell(city, event)
}

/** A spec that cannot even be read: told, and nothing else is done. */
async function refuse(object: KubeObject, problem: string, memory: Memory, { cluster, clock }: ReconcileOptions) {
  const { status, isNews, events } = refusedStatus(object, problem, clock.wallMs())
  if (isNews) {
    memory.status.note(await cluster.applyStatus(object, status), clock.monotonicMs())
    for (const event of events) await cluster.tell(object, event)
  }
  return { requeueAfterMs: lookAgainMs }
}
