// The objects of the double, their versions and what happened: everything a watch can be told from.
import { applyTo, fieldsV1, leavesOf, type Fields, type Owned } from './apply.ts'

export type Metadata = {
  readonly name: string
  readonly namespace?: string
  readonly uid: string
  readonly resourceVersion: string
  readonly generation?: number
  readonly labels?: Readonly<Record<string, string>>
  readonly ownerReferences?: readonly { readonly uid: string }[]
}
export type Stored = Fields & {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: Fields & Metadata
}
export type Told = {
  readonly version: number
  readonly plural: string
  readonly before: Stored | undefined
  readonly after: Stored | undefined
}

export type Place = { readonly plural: string; readonly namespace: string; readonly name: string }

type Kept = { readonly object: Stored; readonly owners: ReadonlyMap<string, Owned> }

/** What has a spec that somebody carries out counts its changes. */
const counted = new Set([
  'CityPresence',
  'Deployment',
  'PodDisruptionBudget',
  'NetworkPolicy',
  'Ingress',
  'HTTPRoute',
  'PodMonitor',
  'PrometheusRule',
])

// More than any test looks back at.
const historyMax = 20_000

export type KubeStore = ReturnType<typeof createKubeStore>

export function createKubeStore() {
  const objects = new Map<string, Kept>()
  const history: Told[] = []
  const listeners = new Set<(told: Told) => void>()
  let version = 1_000
  let forgotten = 0
  let uids = 0

  const keyOf = ({ plural, namespace, name }: Place): string => `${plural} ${namespace}/${name}`

  const keep = (place: Place, before: Stored | undefined, kept: Kept | undefined): void => {
    if (kept === undefined) objects.delete(keyOf(place))
    else objects.set(keyOf(place), kept)
    const told = { version, plural: place.plural, before, after: kept?.object }
    history.push(told)
    if (history.length > historyMax) forgotten = history.shift()?.version ?? forgotten
    for (const listener of [...listeners]) listener(told)
  }

  /** Puts an object in its place, if that changes anything, and answers what stands there. */
  const put = (place: Place, wanted: Fields, owners: ReadonlyMap<string, Owned>): Stored => {
    const before = objects.get(keyOf(place))
    const metadata = wanted['metadata'] as Fields
    const now = managedFieldsOf(owners)
    const unchanged =
      before !== undefined &&
      same(withoutVersion(before.object), withoutVersion({ ...wanted, metadata: { ...metadata, managedFields: now } }))
    if (unchanged) return before.object
    version++
    const generation = generationOf(before?.object, wanted)
    const object = {
      ...wanted,
      metadata: {
        ...metadata,
        name: place.name,
        namespace: place.namespace,
        uid: before?.object.metadata.uid ?? `uid-${++uids}`,
        creationTimestamp:
          (before?.object.metadata as Fields | undefined)?.['creationTimestamp'] ?? '2026-01-01T00:00:00Z',
        resourceVersion: String(version),
        ...(generation === undefined ? {} : { generation }),
        managedFields: now,
      },
    } as unknown as Stored
    keep(place, before?.object, { object, owners })
    return object
  }

  return {
    get version() {
      return version
    },
    get: (place: Place): Stored | undefined => objects.get(keyOf(place))?.object,
    all: (plural: string): readonly { readonly key: string; readonly object: Stored }[] =>
      [...objects]
        .filter(([key]) => key.startsWith(`${plural} `))
        .map(([key, { object }]) => ({ key, object }))
        .sort((a, b) => (a.key < b.key ? -1 : 1)),
    everything: (): readonly Stored[] => [...objects.values()].map(({ object }) => object),
    isForgotten: (since: number): boolean => since < forgotten,
    since: (since: number): readonly Told[] => history.filter((told) => told.version > since),
    /** What happened until now cannot be watched from any more. */
    forget(): void {
      forgotten = version
      history.length = 0
    },
    listen(listener: (told: Told) => void): () => void {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    /** As somebody without server-side apply writes. */
    write(place: Place, object: Fields, manager: string): Stored {
      const owners = new Map(objects.get(keyOf(place))?.owners)
      const before = objects.get(keyOf(place))
      const had = before === undefined ? new Map() : leavesOf(before.object)
      const changed = [...leavesOf(object)]
        .filter(([path, value]) => !same(had.get(path) ?? null, value))
        .map(([path]) => path)
      for (const [one, owned] of owners) owners.set(one, new Set([...owned].filter((path) => !changed.includes(path))))
      owners.set(`${manager} Update main`, new Set([...(owners.get(`${manager} Update main`) ?? []), ...changed]))
      return put(place, object, owners)
    },
    /** The status is a part of its own: who applies the one lets nothing go of the other. */
    apply(place: Place, intent: Fields, manager: string, part: 'main' | 'status' = 'main'): Stored {
      const before = objects.get(keyOf(place))
      const live =
        before?.object ??
        ({ apiVersion: intent['apiVersion'] ?? '', kind: intent['kind'] ?? '', metadata: {} } as Fields)
      const owners = new Map(before?.owners)
      const me = `${manager} Apply ${part}`
      const others = new Set([...owners].filter(([one]) => one !== me).flatMap(([, owned]) => [...owned]))
      const { object, owned } = applyTo(live, intent, owners.get(me) ?? new Set(), others)
      // By force: what is applied with another value is nobody else's any more.
      const had = leavesOf(live)
      const taken = [...leavesOf(intent)]
        .filter(([path, value]) => !same(had.get(path) ?? null, value))
        .map(([path]) => path)
      for (const [one, theirs] of owners)
        if (one !== me) owners.set(one, new Set([...theirs].filter((path) => !taken.includes(path))))
      owners.set(me, owned)
      return put(place, object, owners)
    },
    remove(place: Place): Stored | undefined {
      const gone = objects.get(keyOf(place))?.object
      if (gone === undefined) return undefined
      version++
      const last = { ...gone, metadata: { ...gone.metadata, resourceVersion: String(version) } } as Stored
      keep(place, last, undefined)
      return last
    },
  }
}

function managedFieldsOf(owners: ReadonlyMap<string, Owned>): readonly Fields[] {
  return [...owners].flatMap(([name, owned]) => {
    const [manager = '', operation = ''] = name.split(' ')
    const [own, status] = [
      [...owned].filter((path) => !path.startsWith('status/')),
      [...owned].filter((path) => path.startsWith('status/')),
    ]
    const entry = (paths: readonly string[], more: Fields): readonly Fields[] =>
      paths.length === 0
        ? []
        : [{ manager, operation, ...more, fieldsType: 'FieldsV1', fieldsV1: fieldsV1(new Set(paths)) }]
    return [...entry(own, {}), ...entry(status, { subresource: 'status' })]
  })
}

const versions = new Set(['resourceVersion', 'generation', 'creationTimestamp', 'uid', 'name', 'namespace'])
const withoutVersion = (object: Fields): Fields => ({
  ...object,
  metadata: Object.fromEntries(Object.entries(object['metadata'] as Fields).filter(([field]) => !versions.has(field))),
})

function generationOf(before: Stored | undefined, wanted: Fields): number | undefined {
  if (!counted.has(wanted['kind'] as string)) return undefined
  const was = before?.metadata.generation ?? 0
  return before !== undefined && same(before['spec'] ?? null, wanted['spec'] ?? null) ? was : was + 1
}

const same = (a: unknown, b: unknown): boolean => text(a) === text(b)
/** Whatever the order of the fields. */
const text = (value: unknown): string =>
  JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
