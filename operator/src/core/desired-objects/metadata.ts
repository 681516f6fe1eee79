// Names, labels and owners: by these the objects of one city are told from everything else.
import { fieldManagers } from '@citypresence/wire/city-resource'
import { apiVersion, group, kind, type CityPresence } from '../city-presence.ts'
import { fingerprint } from '../fingerprint.ts'
import { controllerOf, keyOf, refOf, type KubeObject } from '../kube-object.ts'

export type Component = 'aggregator' | 'gateway'

/** What the operator calls itself in `managedFields`, and in the label that all its objects carry. */
export const manager = fieldManagers.operator
const managedBy = 'app.kubernetes.io/managed-by'

/** Carries the fingerprint of what was wanted when the object was applied last. */
export const intentAnnotation = `${group}/intent` as const
/** On pods: the fingerprint of the settings that they read at their start only. */
export const settingsAnnotation = `${group}/settings` as const

// One word each, so that no name of one city is a name of another.
export const nameOf = (city: CityPresence, part: Component | 'rooms' | 'alerts' | 'dashboard'): string =>
  `${city.metadata.name}-${part}`

/** What no change of a city ever changes: a Deployment's selector cannot be. */
export const selectorOf = (city: CityPresence, component: Component): Readonly<Record<string, string>> => ({
  'app.kubernetes.io/name': 'citypresence',
  'app.kubernetes.io/instance': city.metadata.name,
  'app.kubernetes.io/component': component,
})

export const selectorText = (city: CityPresence, component: Component): string =>
  Object.entries(selectorOf(city, component))
    .map(([key, value]) => `${key}=${value}`)
    .join(',')

export type Draft = {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly component?: Component
  readonly labels?: Readonly<Record<string, string>> | undefined
  readonly annotations?: Readonly<Record<string, string>> | undefined
  readonly [field: string]: unknown
}

/** A draft as a whole object: in the city's namespace, owned by it, labelled, with the fingerprint of itself. */
export function childOf(city: CityPresence, draft: Draft): KubeObject {
  const { apiVersion: version, kind: what, name, component, labels, annotations, ...body } = draft
  const { name: cityName, namespace, uid } = city.metadata
  const object = {
    apiVersion: version,
    kind: what,
    metadata: {
      name,
      namespace,
      labels: {
        ...labels,
        'app.kubernetes.io/name': 'citypresence',
        'app.kubernetes.io/instance': cityName,
        ...(component === undefined ? {} : { 'app.kubernetes.io/component': component }),
        [managedBy]: manager,
      },
      ownerReferences: [
        // Deleting the city deletes this, and waits for it where somebody asks for that.
        { apiVersion, kind, name: cityName, uid, controller: true, blockOwnerDeletion: true },
      ],
    },
    ...body,
  }
  return {
    ...object,
    metadata: {
      ...object.metadata,
      annotations: { ...annotations, [intentAnnotation]: fingerprint([annotations, object]) },
    },
  }
}

/** Where it lies, whichever it is. */
export const placeOf = (object: KubeObject): string => keyOf(refOf(object))

/** Controlled by this very city, not by an earlier one of its name. */
export const isOf = (city: CityPresence, object: KubeObject): boolean =>
  controllerOf(object)?.uid === city.metadata.uid && object.metadata.namespace === city.metadata.namespace

/** Made by an operator for this city: what is not wanted any more may be removed. */
export const isMadeFor = (city: CityPresence, object: KubeObject): boolean =>
  isOf(city, object) && object.metadata.labels?.[managedBy] === manager
