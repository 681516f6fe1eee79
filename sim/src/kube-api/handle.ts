// What the double answers to a request that nothing goes wrong with: one plain function of the store.
import type { Fields, Json } from './apply.ts'
import type { KubeStore, Place, Stored, Told } from './store.ts'

export type Asked = {
  readonly method: string
  readonly url: URL
  readonly contentType: string
  readonly body: unknown
}
export type Answer = { readonly status: number; readonly body: Fields }

export type Route = {
  readonly apiVersion: string
  readonly plural: string
  /** Empty: all of them. */
  readonly namespace: string
  readonly name: string | undefined
  readonly subresource: string | undefined
}

/** Of a path under /api/v1 or /apis/<group>/<version>. */
export function routeOf(pathname: string): Route | undefined {
  const [, root, ...rest] = pathname.split('/').map(decodeURIComponent)
  const apiVersion =
    root === 'api' ? rest.shift() : root === 'apis' ? `${rest.shift() ?? ''}/${rest.shift() ?? ''}` : undefined
  if (apiVersion === undefined) return undefined
  const namespace = rest[0] === 'namespaces' && rest.length > 2 ? (rest.splice(0, 2)[1] ?? '') : ''
  const [plural, name, subresource] = rest
  return plural === undefined ? undefined : { apiVersion, plural, namespace, name, subresource }
}

export function refusal(status: number, reason: string, message: string): Answer {
  return { status, body: { kind: 'Status', apiVersion: 'v1', status: 'Failure', message, reason, code: status } }
}

/** Kinds whose status is written by itself. */
const withStatus = new Set([
  'citypresences',
  'deployments',
  'horizontalpodautoscalers',
  'poddisruptionbudgets',
  'ingresses',
  'services',
])

export function answer(store: KubeStore, route: Route, asked: Asked): Answer {
  const { plural, namespace, name = '' } = route
  const place = { plural, namespace, name }
  const stored = route.name === undefined ? undefined : store.get(place)
  const missing = (): Answer => refusal(404, 'NotFound', `${plural} "${name}" not found`)
  switch (asked.method) {
    case 'GET':
      if (route.name === undefined) return list(store, route, asked.url.searchParams)
      return stored === undefined ? missing() : { status: 200, body: stored }
    case 'POST':
      return create(store, route, asked)
    case 'PATCH':
      return apply(store, place, route, asked)
    case 'PUT':
      return stored === undefined ? missing() : replace(store, place, stored, asked)
    case 'DELETE':
      return stored === undefined ? missing() : remove(store, place, stored, asked.body)
    default:
      return refusal(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource')
  }
}

function create(store: KubeStore, { plural, namespace }: Route, { body, url }: Asked): Answer {
  const object = body as Fields
  const name = fieldsIn(object['metadata'])['name']
  if (typeof name !== 'string' || name === '') return refusal(422, 'Invalid', 'metadata.name: Required value')
  const place = { plural, namespace, name }
  if (store.get(place) !== undefined) return refusal(409, 'AlreadyExists', `${plural} "${name}" already exists`)
  return { status: 201, body: store.write(place, withoutStatus(plural, object), managerOf(url)) }
}

function replace(store: KubeStore, place: Place, stored: Stored, { body, url }: Asked): Answer {
  const object = body as Fields
  const wanted = fieldsIn(object['metadata'])['resourceVersion']
  if (wanted !== undefined && wanted !== stored.metadata.resourceVersion)
    return refusal(409, 'Conflict', 'the object has been modified; please apply your changes to the latest version')
  const status = withStatus.has(place.plural) && stored['status'] !== undefined ? { status: stored['status'] } : {}
  const kept = { ...withoutStatus(place.plural, object), ...status, apiVersion: stored.apiVersion, kind: stored.kind }
  return { status: 200, body: store.write(place, kept, managerOf(url)) }
}

function apply(store: KubeStore, place: Place, { subresource }: Route, { body, contentType, url }: Asked): Answer {
  if (!contentType.startsWith('application/apply-patch'))
    return refusal(415, 'UnsupportedMediaType', 'the body of the request was in an unknown format')
  const manager = url.searchParams.get('fieldManager')
  if (manager === null) return refusal(400, 'BadRequest', 'fieldManager is required for apply patch')
  const intent = body as Fields
  const { uid, name, managedFields } = fieldsIn(intent['metadata'])
  if (name !== place.name)
    return refusal(400, 'BadRequest', 'the name of the object does not match the name on the URL')
  if (managedFields !== undefined) return refusal(400, 'BadRequest', 'metadata.managedFields must be nil')
  const stored = store.get(place)
  if (uid !== undefined && stored !== undefined && uid !== stored.metadata.uid)
    return refusal(
      422,
      'Invalid',
      `${place.plural} "${place.name}" is invalid: metadata.uid: Invalid value: ${text(uid)}: field is immutable`,
    )
  if (uid !== undefined && stored === undefined)
    return refusal(409, 'Conflict', `Precondition failed: UID in precondition: ${text(uid)}, UID in object meta: `)
  if (subresource === 'status') {
    if (stored === undefined) return refusal(404, 'NotFound', `${place.plural} "${place.name}" not found`)
    const { status = {} } = intent
    return { status: 200, body: store.apply(place, { status }, manager, 'status') }
  }
  return {
    status: stored === undefined ? 201 : 200,
    body: store.apply(place, withoutStatus(place.plural, intent), manager),
  }
}

function remove(store: KubeStore, place: Place, stored: Stored, body: unknown): Answer {
  const uid = fieldsIn(fieldsIn(body)['preconditions'])['uid']
  if (uid !== undefined && uid !== stored.metadata.uid)
    return refusal(
      409,
      'Conflict',
      `Precondition failed: UID in precondition: ${text(uid)}, UID in object meta: ${stored.metadata.uid}`,
    )
  store.remove(place)
  return { status: 200, body: { kind: 'Status', apiVersion: 'v1', status: 'Success' } }
}

function list(store: KubeStore, { plural, namespace, apiVersion }: Route, query: URLSearchParams): Answer {
  const { version, after } = continued(query.get('continue'))
  if (version !== undefined && store.isForgotten(version))
    return refusal(410, 'Expired', 'The provided continue parameter is too old')
  const limit = Number(query.get('limit') ?? 0) || Number.POSITIVE_INFINITY
  const all = store.all(plural).filter(({ key, object }) => key > after && isSelected(object, namespace, query))
  const page = all.slice(0, limit)
  const at = version ?? store.version
  const next =
    all.length > page.length
      ? Buffer.from(JSON.stringify({ version: at, after: page.at(-1)?.key })).toString('base64url')
      : ''
  // Items of a list carry no kind: the list does.
  const items = page.map(({ object }) =>
    Object.fromEntries(Object.entries(object).filter(([field]) => field !== 'apiVersion' && field !== 'kind')),
  )
  return {
    status: 200,
    body: {
      kind: 'List',
      apiVersion,
      metadata: { resourceVersion: String(at), ...(next === '' ? {} : { continue: next }) },
      items,
    },
  }
}

function continued(token: string | null): { readonly version: number | undefined; readonly after: string } {
  if (token === null) return { version: undefined, after: '' }
  return JSON.parse(Buffer.from(token, 'base64url').toString()) as { version: number; after: string }
}

export function isSelected({ metadata }: Stored, namespace: string, query: URLSearchParams): boolean {
  if (namespace !== '' && metadata.namespace !== namespace) return false
  const field = /^metadata\.name=(.+)$/.exec(query.get('fieldSelector') ?? '')
  if (field !== null && field[1] !== metadata.name) return false
  const pairs = (query.get('labelSelector') ?? '').split(',').filter((pair) => pair !== '')
  return pairs.every((pair) => {
    const [key = '', value] = pair.split('=')
    return value === undefined ? metadata.labels?.[key] !== undefined : metadata.labels?.[key] === value
  })
}

/** What a watch is told of it: coming into the selection is an addition, leaving it a deletion. */
export function watchLine(told: Told, { plural, namespace }: Route, query: URLSearchParams): string | undefined {
  if (told.plural !== plural) return undefined
  const was = told.before !== undefined && isSelected(told.before, namespace, query)
  const is = told.after !== undefined && isSelected(told.after, namespace, query)
  if (!was && !is) return undefined
  const type = is ? (was ? 'MODIFIED' : 'ADDED') : 'DELETED'
  const object = told.after ?? told.before
  return line(type, { ...object, metadata: { ...object?.metadata, resourceVersion: String(told.version) } })
}

export const line = (type: string, object: unknown): string => `${JSON.stringify({ type, object })}\n`

const fieldsIn = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {}
const text = (value: Json): string => (typeof value === 'string' ? value : '')
const managerOf = (url: URL): string => url.searchParams.get('fieldManager') ?? 'somebody'
function withoutStatus(plural: string, object: Fields): Fields {
  if (!withStatus.has(plural)) return object
  return Object.fromEntries(Object.entries(object).filter(([field]) => field !== 'status'))
}
