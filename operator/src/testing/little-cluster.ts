// A cluster in memory for tests of the rounds: it applies as the API server does (what is named is set, what was named and is not any
// more goes, what others set stays), counts what is written, and can refuse. It knows one manager and whoever scales.
import type { SecretFinding } from '../core/judge-city.ts'
import { canonical } from '../core/fingerprint.ts'
import { isFields, keyOf, refOf, type KubeObject, type ObjectRef } from '../core/kube-object.ts'
import type { CityEvent } from '../core/status.ts'
import type { Cluster } from '../reconcile.ts'

type Fields = Record<string, unknown>

export class LittleCluster implements Cluster {
  readonly objects = new Map<string, KubeObject>()
  /** As `kind/name`, in order; statuses and events apart. */
  readonly writes: string[] = []
  readonly events: CityEvent[] = []
  statuses = 0
  /** By name; what is not named is missing. */
  secrets: Record<string, Exclude<SecretFinding['keys'], 'missing'>> = {}
  /** Asked before each write; what it throws is the answer of the server. */
  beforeWrite: (what: string) => void = () => undefined
  private readonly intents = new Map<string, Fields>()
  private serial = 1
  /** What the cache shows; undefined: all there is, at once. */
  private held: ReadonlyMap<string, KubeObject> | undefined

  /** The cache stands still until it is told again. */
  holdCache(isHeld: boolean): void {
    this.held = isHeld ? new Map(this.objects) : undefined
  }

  objectsOf(city: KubeObject): readonly KubeObject[] {
    return [...(this.held ?? this.objects).values()].filter(
      ({ kind, metadata }) => kind !== 'CityPresence' && metadata.namespace === city.metadata.namespace,
    )
  }

  /** As the cache shows it. */
  city(name = 'daarion'): KubeObject {
    const found = [...(this.held ?? this.objects).values()].find(
      (one) => one.kind === 'CityPresence' && one.metadata.name === name,
    )
    if (found === undefined) throw new Error(`there is no city ${name}`)
    return found
  }

  read(ref: ObjectRef): Promise<KubeObject | undefined> {
    return Promise.resolve(this.objects.get(keyOf(ref)))
  }

  apply(object: KubeObject): Promise<KubeObject> {
    return this.write(`${object.kind}/${object.metadata.name}`, () => {
      const key = keyOf(refOf(object))
      const before = this.objects.get(key)
      const merged = merge(without(before ?? {}, this.intents.get(key) ?? {}, object), object) as KubeObject
      this.intents.set(key, object)
      return this.put(withDefaults(merged, before))
    })
  }

  remove(ref: ObjectRef): Promise<void> {
    return this.write(`-${ref.kind}/${ref.name}`, () => {
      const there = this.objects.get(keyOf(ref))
      if (there?.metadata.uid !== ref.uid) return
      this.objects.delete(keyOf(ref))
      this.intents.delete(keyOf(ref))
    })
  }

  secretKeys(_namespace: string, name: string): Promise<SecretFinding['keys']> {
    return Promise.resolve(this.secrets[name] ?? 'missing')
  }

  applyStatus(city: KubeObject, status: unknown): Promise<KubeObject> {
    this.beforeWrite('status')
    this.statuses++
    const key = keyOf(refOf(city))
    const there = this.objects.get(key) ?? city
    const before = isFields(there['status']) ? there['status'] : {}
    const ours = new Set(conditionsIn(status).map(({ type }) => type))
    const others = conditionsIn(before).filter(({ type, by }) => by === 'leader' && !ours.has(type))
    const rooms = { ...(isFields(before['rooms']) ? before['rooms'] : {}), ...(status as { rooms?: object }).rooms }
    const next = { ...(status as object), rooms, conditions: [...conditionsIn(status), ...others] }
    return Promise.resolve(this.put({ ...there, status: next }))
  }

  tell(_city: KubeObject, event: CityEvent): Promise<void> {
    this.events.push(event)
    return Promise.resolve()
  }

  // ---- what others do

  /** Puts an object there as somebody else would; its intent is nobody's. */
  put(object: KubeObject): KubeObject {
    const key = keyOf(refOf(object))
    const before = this.objects.get(key)
    if (before !== undefined && canonical(bare(before)) === canonical(bare(object))) return before
    const isOtherSpec = canonical(before?.['spec']) !== canonical(object['spec'])
    const { uid = `uid-${this.serial}`, generation = 0 } = { ...object.metadata, ...before?.metadata }
    const hasGeneration = object['spec'] !== undefined && object.kind !== 'Service' && object.kind !== 'Lease'
    const put = {
      ...object,
      metadata: {
        ...object.metadata,
        uid,
        resourceVersion: String(++this.serial),
        ...(hasGeneration && { generation: isOtherSpec ? generation + 1 : generation }),
      },
    }
    this.objects.set(key, put)
    return put
  }

  find(kind: string, name: string): KubeObject {
    const found = [...this.objects.values()].find((one) => one.kind === kind && one.metadata.name === name)
    if (found === undefined) throw new Error(`there is no ${kind} ${name}`)
    return found
  }

  /** As an autoscaler, through /scale. */
  scale(name: string, replicas: number): void {
    const there = this.find('Deployment', name)
    const entry = {
      manager: 'kube-controller-manager',
      subresource: 'scale',
      fieldsV1: { 'f:spec': { 'f:replicas': {} } },
    }
    this.put({
      ...there,
      metadata: { ...there.metadata, managedFields: [entry] },
      spec: { ...(there['spec'] as object), replicas },
    })
  }

  /** The fields that stand in a status, as its owner. */
  setStatus(kind: string, name: string, status: unknown): void {
    this.put({ ...this.find(kind, name), status })
  }

  private write<T>(what: string, work: () => T): Promise<T> {
    this.beforeWrite(what)
    this.writes.push(what)
    return Promise.resolve(work())
  }
}

const conditionsIn = (status: unknown): Fields[] =>
  isFields(status) && Array.isArray(status['conditions']) ? (status['conditions'] as Fields[]) : []

/** Apart from what the server itself counts. */
const bare = ({ metadata, ...rest }: KubeObject): unknown => ({
  ...rest,
  metadata: { ...metadata, resourceVersion: undefined, generation: undefined, uid: undefined },
})

/** A Deployment without replicas has one: that is the trap of every hand-over. */
function withDefaults(object: KubeObject, before: KubeObject | undefined): KubeObject {
  if (object.kind !== 'Deployment' || !isFields(object['spec']) || object['spec']['replicas'] !== undefined)
    return object
  const isShared = before?.metadata.managedFields?.some(({ subresource }) => subresource === 'scale') ?? false
  const kept = isShared && isFields(before?.['spec']) ? before['spec']['replicas'] : 1
  return { ...object, spec: { ...object['spec'], replicas: kept } }
}

function merge(live: unknown, intent: unknown): unknown {
  if (!isFields(live) || !isFields(intent)) return intent
  const merged: Fields = { ...live }
  for (const [key, value] of Object.entries(intent)) merged[key] = merge(live[key], value)
  return merged
}

/** What was ours and is not named any more. */
function without(live: unknown, before: unknown, after: unknown): unknown {
  if (!isFields(live) || !isFields(before)) return live
  const left: Fields = {}
  for (const [key, value] of Object.entries(live)) {
    const next = isFields(after) ? after[key] : undefined
    if (before[key] !== undefined && next === undefined) continue
    left[key] = without(value, before[key], next)
  }
  return left
}
