// Which city has to be looked at when an object changed, and whether the change is any news at all.
//
//   a CityPresence: itself, when more than its status changed      what it controls: its city
//   what carries its label:  that city, also when the owner is gone from it
import type { Change } from './object-cache.ts'
import { controllerOf, isFields, type KubeObject } from './kube-object.ts'

const cityKind = 'CityPresence'
const instanceLabel = 'app.kubernetes.io/instance'

/** `namespace/name`: the key of a city in the work queue. */
export const cityKeyOf = (city: KubeObject): string => `${city.metadata.namespace ?? ''}/${city.metadata.name}`

/** By owner's uid, and by the city whose label it carries. */
export function groupsOf({ metadata }: KubeObject): readonly string[] {
  const instance = metadata.labels?.[instanceLabel]
  return [
    ...(metadata.ownerReferences ?? []).map(({ uid }) => ownerGroup(uid)),
    ...(instance === undefined ? [] : [labelGroup(`${metadata.namespace ?? ''}/${instance}`)]),
  ]
}

export const ownerGroup = (uid: string): string => `owner ${uid}`
export const labelGroup = (cityKey: string): string => `city ${cityKey}`

/** The cities for which this change is news. */
export function citiesToLookAt({ before, after }: Change): readonly string[] {
  if (before !== undefined && after !== undefined && isQuiet(before, after)) return []
  return [...new Set([before, after].flatMap((one) => (one === undefined ? [] : citiesOf(one))))]
}

function citiesOf(object: KubeObject): readonly string[] {
  if (object.kind === cityKind) return [cityKeyOf(object)]
  const { metadata } = object
  const owner = controllerOf(object)
  const names = [owner?.kind === cityKind ? owner.name : undefined, metadata.labels?.[instanceLabel]]
  return names.filter((name) => name !== undefined).map((name) => `${metadata.namespace ?? ''}/${name}`)
}

/** A change that calls for nothing: who wrote it or what depends on it does not look at what differs. */
function isQuiet(before: KubeObject, after: KubeObject): boolean {
  if (before.metadata.uid !== after.metadata.uid) return false
  if (after.kind === cityKind) return asText(wantedOf(before)) === asText(wantedOf(after))
  // A leader renews it every second.
  if (after.kind === 'Lease') return asText(heldOf(before)) === asText(heldOf(after))
  return false
}

/** What the operator or somebody else wrote into the status is no wish. */
const wantedOf = ({ metadata, spec }: KubeObject): unknown => [
  spec,
  metadata.generation,
  metadata.labels,
  metadata.annotations,
  metadata.deletionTimestamp,
]

const heldOf = ({ metadata, spec }: KubeObject): unknown => [
  isFields(spec) ? { ...spec, renewTime: undefined } : spec,
  metadata.labels,
  metadata.annotations,
  metadata.ownerReferences,
  metadata.deletionTimestamp,
]

const asText = (value: unknown): string => JSON.stringify(value)
