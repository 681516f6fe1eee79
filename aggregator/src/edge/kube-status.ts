// Our part of the status of one CityPresence: two calls on one named object. Nothing of its spec is read or written.
//
//   read  -> GET   …/citypresences/<name>/status                                what stands there, and which generation it is of
//   write -> PATCH …/citypresences/<name>/status, server-side apply, forced     our fields, all of them; others keep theirs
import type { KubeDoor } from '@citypresence/chassis/edge/kube-door'
import { CityError } from '@citypresence/chassis/errors'
import { cityResource, fieldManagers } from '@citypresence/wire/city-resource'
import type { ToldCondition } from '../core/status-pace.ts'

const { apiVersion, kind, plural } = cityResource

export type KnownStatus = { readonly generation: number; readonly conditions: readonly ToldCondition[] }
export type OwnStatus = {
  readonly aggregator: { readonly leader: string }
  readonly rooms: Readonly<Record<string, number>>
  readonly conditions: readonly (ToldCondition & { readonly observedGeneration: number })[]
}

export interface StatusPort {
  read(): Promise<KnownStatus>
  write(status: OwnStatus): Promise<KnownStatus>
  close(): Promise<void>
}

export type KubeStatusOptions = {
  /** Closed with it. */
  readonly door: KubeDoor
  readonly namespace: string
  readonly name: string
}

// A small object on a server that is near; while it does not answer the city goes on.
const timeoutMs = 5_000
// An object of the API is at most 1.5 MB, and JSON of it somewhat more.
const answerBytesMax = 4 * 1024 * 1024

export function openKubeStatus({ door, namespace, name }: KubeStatusOptions): StatusPort {
  const path = `/apis/${apiVersion}/namespaces/${encodeURIComponent(namespace)}/${plural}/${encodeURIComponent(name)}/status`
  const ask = async (method: 'GET' | 'PATCH', query: string, body?: string): Promise<KnownStatus> => {
    const answer = await door.request(`${path}${query}`, {
      method,
      timeoutMs,
      maxBytes: answerBytesMax,
      // JSON is YAML.
      ...(body === undefined ? {} : { body, headers: { 'content-type': 'application/apply-patch+yaml' } }),
    })
    if (answer.status !== 200)
      throw new CityError('HttpRefused', `${method} ${path}: the API server answered ${answer.status}`)
    return knownIn(new TextDecoder().decode(answer.body))
  }
  return {
    read: () => ask('GET', ''),
    write: (status) =>
      ask(
        'PATCH',
        `?fieldManager=${fieldManagers.aggregator}&force=true`,
        JSON.stringify({ apiVersion, kind, metadata: { name, namespace }, status }),
      ),
    close: () => door.close(),
  }
}

/** Of a foreign text only what has the right form. */
function knownIn(text: string): KnownStatus {
  let object: { metadata?: { generation?: unknown }; status?: { conditions?: unknown } }
  try {
    object = JSON.parse(text) as typeof object
  } catch (cause) {
    throw new CityError('HttpGarbled', 'the API server sent no JSON', { cause })
  }
  const { generation } = object.metadata ?? {}
  const conditions = Array.isArray(object.status?.conditions) ? (object.status.conditions as unknown[]) : []
  return {
    generation: typeof generation === 'number' ? generation : 0,
    conditions: conditions.filter(isCondition),
  }
}

const isCondition = (value: unknown): value is ToldCondition =>
  typeof value === 'object' &&
  value !== null &&
  ['type', 'status', 'reason', 'message', 'lastTransitionTime'].every(
    (field) => typeof (value as Record<string, unknown>)[field] === 'string',
  )
