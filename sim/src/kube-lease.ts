// As much of a kube-apiserver as an election needs: one namespace of Leases over plain HTTP, with tokens, rights by verb and name,
// versions, validation and watches; and the troubles that a real one cannot be told to have.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'

type Fields = Readonly<Record<string, unknown>>
export type StoredLease = { readonly metadata: Fields; readonly spec: Fields }

/** What meets the next requests of a method. */
export type LeaseFault =
  /** Taken in and never answered. */
  | 'hang'
  /** Carried out, and the answer never comes. */
  | 'lose-answer'
  | 'cut'
  | 'garbage'
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>> }

export type KubeLeaseDouble = {
  readonly url: string
  readonly namespace: string
  /** Has get, update and watch on the one name. */
  readonly token: string
  readonly requests: { readonly method: string; readonly path: string; readonly watch: boolean }[]
  lease(name?: string): StoredLease | undefined
  make(name: string, spec?: Fields): StoredLease
  scribble(name: string, spec: Fields): StoredLease
  /** Whether there was one. */
  remove(name: string): boolean
  /** Meets the next so many requests of this method (watches are WATCH). */
  fail(method: string, fault: LeaseFault, times?: number): void
  /** Ends every watch; `silently` leaves the connections open and says nothing on them any more. */
  endWatches(how: 'cut' | 'silently'): void
  watches(): number
  stop(): Promise<void>
}

type Watcher = { readonly name: string | undefined; readonly response: ServerResponse; silent: boolean }

const group = '/apis/coordination.k8s.io/v1/namespaces/'

export async function startKubeLeaseDouble(name = 'city-presence'): Promise<KubeLeaseDouble> {
  const [namespace, token] = ['city', 'a-token']
  const leases = new Map<string, StoredLease>()
  const watchers = new Set<Watcher>()
  const faults: { readonly method: string; readonly fault: LeaseFault }[] = []
  const requests: { method: string; path: string; watch: boolean }[] = []
  let version = 100

  const tell = (type: string, object: StoredLease): void => {
    for (const { name: wanted, response, silent } of watchers)
      if (!silent && (wanted === undefined || wanted === object.metadata['name'])) response.write(line(type, object))
  }
  const put = (one: string, lease: Partial<StoredLease>, type: 'ADDED' | 'MODIFIED'): StoredLease => {
    const before = leases.get(one)?.metadata ?? { uid: `uid-${version}`, creationTimestamp: '2026-01-01T00:00:00Z' }
    const metadata = { ...before, ...lease.metadata, name: one, namespace, resourceVersion: String(++version) }
    const stored = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec: lease.spec ?? {} }
    leases.set(one, stored)
    tell(type, stored)
    return stored
  }
  const remove = (one: string): boolean => {
    const gone = leases.get(one)
    if (gone === undefined) return false
    leases.delete(one)
    tell('DELETED', { ...gone, metadata: { ...gone.metadata, resourceVersion: String(++version) } })
    return true
  }

  const watch = (query: URLSearchParams, response: ServerResponse): void => {
    const wanted = /^metadata\.name=(.+)$/.exec(query.get('fieldSelector') ?? '')?.[1]
    const watcher: Watcher = { name: wanted, response, silent: false }
    response.writeHead(200, { 'content-type': 'application/json' })
    response.flushHeaders()
    for (const [one, lease] of leases) if (wanted === undefined || wanted === one) response.write(line('ADDED', lease))
    watchers.add(watcher)
    response.once('close', () => watchers.delete(watcher))
  }

  const answer = (method: string, url: URL, body: unknown, response: ServerResponse): void => {
    const one = url.pathname.slice(`${group}${namespace}/leases`.length + 1)
    const isMine = url.pathname.startsWith(`${group}${namespace}/leases`)
    const watched = url.searchParams.get('fieldSelector') === `metadata.name=${name}`
    const isAllowed = isMine && (isWatch(url) ? watched : one === name && ['GET', 'PUT'].includes(method))
    if (!isAllowed) {
      refuse(response, 403, 'Forbidden', `leases.coordination.k8s.io is forbidden: cannot ${method} ${one}`)
      return
    }
    if (isWatch(url)) {
      watch(url.searchParams, response)
      return
    }
    const stored = leases.get(one)
    if (stored === undefined) refuse(response, 404, 'NotFound', `leases.coordination.k8s.io "${one}" not found`)
    else if (method === 'GET') send(response, 200, stored)
    else update(one, stored, body, response)
  }

  const update = (one: string, stored: StoredLease, body: unknown, response: ServerResponse): void => {
    const { metadata = {}, spec = {} } = (body ?? {}) as { metadata?: Fields; spec?: Fields }
    const wanted = metadata['resourceVersion']
    const problem = whyInvalid(spec, wanted)
    if (problem !== undefined) refuse(response, problem.status, problem.reason, problem.message)
    else if (wanted !== stored.metadata['resourceVersion'])
      refuse(response, 409, 'Conflict', 'the object has been modified; please apply your changes to the latest version')
    else send(response, 200, put(one, { metadata, spec }, 'MODIFIED'))
  }

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://double')
    const method = request.method ?? 'GET'
    const body = parse(Buffer.concat((await request.toArray()) as Buffer[]).toString())
    const path = url.pathname
    requests.push({ method, path, watch: isWatch(url) })
    if (requests.length > requestsMax) requests.shift()
    const index = faults.findIndex((one) => one.method === (isWatch(url) ? 'WATCH' : method))
    const fault = index < 0 ? undefined : faults.splice(index, 1)[0]?.fault
    if (fault === 'hang') return
    if (fault === 'cut') request.socket.destroy()
    else if (fault === 'garbage') response.writeHead(200, { 'content-type': 'application/json' }).end('{"metadata":\n')
    else if (typeof fault === 'object') refuse(response, fault.status, 'Trouble', 'as it was told', fault.headers)
    else if (request.headers.authorization !== `Bearer ${token}`) refuse(response, 401, 'Unauthorized', 'Unauthorized')
    else if (fault === 'lose-answer') answer(method, url, body, lost(response))
    else answer(method, url, body, response)
  }

  const server = createServer((request, response) => void serve(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    namespace,
    token,
    requests,
    lease: (one = name) => leases.get(one),
    make: (one, spec = {}) => put(one, { spec }, 'ADDED'),
    scribble: (one, spec) => put(one, { spec }, 'MODIFIED'),
    remove,
    fail: (method, fault, times = 1) => faults.push(...Array.from({ length: times }, () => ({ method, fault }))),
    endWatches(how) {
      for (const watcher of watchers) {
        if (how === 'cut') watcher.response.destroy()
        else watcher.silent = true
      }
    },
    watches: () => watchers.size,
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

// More than any test looks back at.
const requestsMax = 10_000

const isWatch = (url: URL): boolean => url.searchParams.get('watch') === 'true'
const line = (type: string, object: unknown): string => `${JSON.stringify({ type, object })}\n`
const send = (response: ServerResponse, status: number, body: unknown, headers: Fields = {}): void => {
  response.writeHead(status, { 'content-type': 'application/json', ...(headers as Record<string, string>) })
  response.end(JSON.stringify(body))
}
const refuse = (
  response: ServerResponse,
  status: number,
  reason: string,
  message: string,
  headers: Fields = {},
): void =>
  send(
    response,
    status,
    { kind: 'Status', apiVersion: 'v1', status: 'Failure', message, reason, code: status },
    headers,
  )

/** Looks like a response, and its words go nowhere. */
function lost(response: ServerResponse): ServerResponse {
  const nowhere = {
    writeHead: () => nowhere,
    end: () => nowhere,
    write: () => true,
    once: () => nowhere,
    flushHeaders: () => undefined,
  }
  return Object.assign(Object.create(response) as ServerResponse, nowhere)
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

const microTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/

type Invalid = { readonly status: number; readonly reason: string; readonly message: string }

/** The rules of coordination.k8s.io/v1 that an election can break. */
function whyInvalid(spec: Fields, version: unknown): Invalid | undefined {
  if (version === undefined)
    return { status: 422, reason: 'Invalid', message: 'metadata.resourceVersion: must be specified for an update' }
  for (const field of ['acquireTime', 'renewTime']) {
    const value = spec[field]
    if (value !== undefined && !(typeof value === 'string' && microTime.test(value)))
      return { status: 400, reason: 'BadRequest', message: `spec.${field}: cannot be parsed as MicroTime` }
  }
  for (const [field, min] of [
    ['leaseDurationSeconds', 1],
    ['leaseTransitions', 0],
  ] as const) {
    const value = spec[field]
    if (value === undefined) continue
    if (!Number.isInteger(value) || Number(value) >= 2 ** 31)
      return { status: 400, reason: 'BadRequest', message: `spec.${field}: cannot be read as int32` }
    if (Number(value) < min)
      return { status: 422, reason: 'Invalid', message: `spec.${field}: must be at least ${min}` }
  }
  return undefined
}
