// An object of the Kubernetes API as it is on the wire: plain JSON, with nothing lost. Client libraries' models drop the fields
// that they do not know, so none is used; what is needed of a field is read where it is needed.
import { accept, refuse, type Result } from '@citypresence/chassis/core/result'

export type OwnerReference = {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly uid: string
  readonly controller?: boolean
  readonly blockOwnerDeletion?: boolean
}

export type ManagedFields = {
  readonly manager?: string
  readonly operation?: string
  readonly apiVersion?: string
  readonly time?: string
  readonly subresource?: string
  readonly fieldsType?: string
  readonly fieldsV1?: Readonly<Record<string, unknown>>
}

export type KubeMetadata = {
  readonly name: string
  readonly namespace?: string
  readonly uid?: string
  /** Opaque: the same or another one, nothing else can be read from it. */
  readonly resourceVersion?: string
  /** Counts changes of what is wanted; objects without a spec that anybody carries out have none. */
  readonly generation?: number
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly ownerReferences?: readonly OwnerReference[]
  readonly managedFields?: readonly ManagedFields[]
  readonly creationTimestamp?: string
  readonly deletionTimestamp?: string
}

export type KubeObject = {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: KubeMetadata
  readonly [field: string]: unknown
}

/** Which object is meant. With a uid that very one, and not another of the same name that came after it. */
export type ObjectRef = {
  readonly apiVersion: string
  readonly kind: string
  readonly namespace?: string
  readonly name: string
  readonly uid?: string
}

export function refOf({ apiVersion, kind, metadata: { namespace, name, uid } }: KubeObject): ObjectRef {
  return {
    apiVersion,
    kind,
    name,
    ...(namespace === undefined ? {} : { namespace }),
    ...(uid === undefined ? {} : { uid }),
  }
}

/** One text for one place of an object, whichever object lies there: none of the parts can contain a space or a further slash. */
export const keyOf = ({ apiVersion, kind, namespace, name }: ObjectRef): string =>
  `${apiVersion} ${kind} ${namespace ?? ''}/${name}`

/** The one that may delete and change it, where there is one: the API allows no second. */
export const controllerOf = ({ metadata }: KubeObject): OwnerReference | undefined =>
  metadata.ownerReferences?.find(({ controller }) => controller === true)

type Fields = Readonly<Record<string, unknown>>

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * What the API server sent, as an object. Lists leave out the kind of their items, so who asked gives it. Beyond names nothing is
 * looked at: the server has validated it.
 */
export function readObject(
  json: unknown,
  { apiVersion, kind }: Pick<ObjectRef, 'apiVersion' | 'kind'>,
): Result<KubeObject> {
  if (!isFields(json)) return refuse('is no object')
  const { metadata } = json
  if (!isFields(metadata)) return refuse('has no metadata')
  for (const field of ['name', 'uid', 'resourceVersion'])
    if (typeof metadata[field] !== 'string' || metadata[field] === '') return refuse(`has no metadata.${field}`)
  return accept({ ...json, apiVersion, kind, metadata: metadata as unknown as KubeMetadata })
}
