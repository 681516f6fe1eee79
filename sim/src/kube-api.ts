// As much of a kube-apiserver as an operator needs, and the troubles that a real one cannot be told to have: objects of any kind over
// plain HTTP, with server-side apply, versions, pages, watches with bookmarks, one token.
//
//   request -> fault? -> token? -> kube-api/handle -> kube-api/store -> watches
//
// No controllers run here: nothing is collected, nothing is rolled out, unless a test does it.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { answer, line, refusal, routeOf, watchLine, type Asked, type Route } from './kube-api/handle.ts'
import { createKubeStore, type KubeStore } from './kube-api/store.ts'

export type ApiFault =
  /** Taken in and never answered. */
  | 'hang'
  /** Carried out, and the answer never comes: the connection breaks. */
  | 'lose-answer'
  /** The connection breaks before anything is carried out. */
  | 'cut'
  /** Carried out, and half of the answer comes. */
  | 'truncate'
  | 'garbage'
  | { readonly status: number; readonly reason?: string; readonly headers?: Readonly<Record<string, string>> }

export type FaultTarget = { readonly verb?: string; readonly plural?: string }

export type WatchTrouble =
  /** The connection breaks in the middle of a line. */
  | 'cut-mid-line'
  /** Open, and nothing comes any more, no bookmark either. */
  | 'silent'
  /** Ends within a character. */
  | 'torn-character'
  /** Forgotten, told on the watch itself. */
  | 'gone'
  | 'garbage'
  /** In order, as after timeoutSeconds. */
  | 'end'

export type KubeApiDouble = {
  readonly url: string
  readonly token: string
  readonly store: KubeStore
  /** In order; watches have the verb `watch`. */
  readonly requests: readonly {
    readonly verb: string
    readonly plural: string
    readonly query: string
    readonly status: number
  }[]
  /** Meets the next so many requests of this verb and kind. */
  fail(target: FaultTarget, fault: ApiFault, times?: number): void
  /** Kinds that nobody has installed. */
  readonly missing: Set<string>
  /** From now on only this token is known. */
  changeToken(token: string): void
  watches(): number
  trouble(kind: WatchTrouble): void
  /** All watches are told how far they are. */
  bookmark(): void
  /** Sends each byte of a watch by itself. */
  drip(isOn: boolean): void
  /** Connections that are open. */
  connections(): number
  stop(): Promise<void>
}

type Watcher = {
  readonly route: Route
  readonly query: URLSearchParams
  readonly response: ServerResponse
  silent: boolean
}
type Planned = { readonly target: FaultTarget; readonly fault: ApiFault }

const verbOf = (method: string, isWatch: boolean, hasName: boolean): string =>
  isWatch
    ? 'watch'
    : ({ GET: hasName ? 'get' : 'list', PATCH: 'apply', POST: 'create', PUT: 'update', DELETE: 'delete' }[method] ??
      method)

// More than any test looks back at.
const requestsMax = 100_000

export async function startKubeApiDouble(): Promise<KubeApiDouble> {
  const store = createKubeStore()
  const watchers = new Set<Watcher>()
  const faults: Planned[] = []
  const requests: { verb: string; plural: string; query: string; status: number }[] = []
  const sockets = new Set<Socket>()
  const missing = new Set<string>()
  let token = 'a-token'
  let isDripping = false

  const send = (watcher: Watcher, text: string): void => {
    if (watcher.silent) return
    if (!isDripping) watcher.response.write(text)
    else for (const byte of Buffer.from(text)) watcher.response.write(Buffer.from([byte]))
  }
  store.listen((told) => {
    for (const watcher of watchers) {
      const text = watchLine(told, watcher.route, watcher.query)
      if (text !== undefined) send(watcher, text)
    }
  })

  const watch = (route: Route, query: URLSearchParams, response: ServerResponse): number => {
    const since = Number(query.get('resourceVersion') ?? 0)
    if (store.isForgotten(since)) {
      reply(response, refusal(410, 'Expired', `too old resource version: ${since}`))
      return 410
    }
    response.writeHead(200, { 'content-type': 'application/json' })
    response.flushHeaders()
    const watcher: Watcher = { route, query, response, silent: false }
    watchers.add(watcher)
    for (const told of store.since(since)) {
      const text = watchLine(told, route, query)
      if (text !== undefined) send(watcher, text)
    }
    const seconds = Number(query.get('timeoutSeconds') ?? 0)
    const timer = seconds > 0 ? setTimeout(() => response.end(), seconds * 1000) : undefined
    response.once('close', () => {
      clearTimeout(timer)
      watchers.delete(watcher)
    })
    return 200
  }

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://double')
    const found = routeOf(url.pathname)
    const route = missing.has(found?.plural ?? '') ? undefined : found
    const method = request.method ?? 'GET'
    const isWatch = url.searchParams.get('watch') === 'true'
    const verb = verbOf(method, isWatch, route?.name !== undefined)
    const asked: Asked = {
      method,
      url,
      contentType: request.headers['content-type'] ?? '',
      body: parse(Buffer.concat((await request.toArray()) as Buffer[]).toString()),
    }
    const note = (status: number): void => {
      requests.push({ verb, plural: route?.plural ?? '', query: url.search, status })
      if (requests.length > requestsMax) requests.shift()
    }
    const fault = takeFault(verb, route?.plural)
    if (fault === 'hang' || fault === 'cut') {
      note(0)
      if (fault === 'cut') request.socket.destroy()
      return
    }
    if (typeof fault === 'object') {
      note(fault.status)
      reply(response, refusal(fault.status, fault.reason ?? 'Trouble', 'as it was told'), fault.headers)
      return
    }
    if (request.headers.authorization !== `Bearer ${token}` || route === undefined) {
      const { status, body } =
        route === undefined ? refusal(404, 'NotFound', 'no such path') : refusal(401, 'Unauthorized', 'Unauthorized')
      note(status)
      reply(response, { status, body })
      return
    }
    if (isWatch) {
      note(watch(route, url.searchParams, response))
      return
    }
    const answered = answer(store, route, asked)
    note(answered.status)
    if (fault === 'lose-answer') request.socket.destroy()
    else if (fault === 'truncate' || fault === 'garbage') breakOff(response, answered.body, fault)
    else reply(response, answered)
  }

  const takeFault = (verb: string, plural: string | undefined): ApiFault | undefined => {
    const index = faults.findIndex(
      ({ target }) => (target.verb ?? verb) === verb && (target.plural ?? plural) === plural,
    )
    return index < 0 ? undefined : faults.splice(index, 1)[0]?.fault
  }

  const server = createServer((request, response) => void serve(request, response))
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get token() {
      return token
    },
    store,
    requests,
    missing,
    fail: (target, fault, times = 1) => faults.push(...Array.from({ length: times }, () => ({ target, fault }))),
    changeToken: (next) => void (token = next),
    watches: () => watchers.size,
    trouble(kind) {
      for (const watcher of [...watchers]) {
        breakWatch(watcher, kind)
        if (kind !== 'silent') watchers.delete(watcher)
      }
    },
    bookmark() {
      const metadata = { resourceVersion: String(store.version) }
      for (const watcher of watchers) send(watcher, line('BOOKMARK', { metadata }))
    },
    drip: (isOn) => void (isDripping = isOn),
    connections: () => sockets.size,
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function breakWatch(watcher: Watcher, kind: WatchTrouble): void {
  const { response } = watcher
  const half = line('MODIFIED', { metadata: { name: 'half' } }).slice(0, 30)
  switch (kind) {
    case 'cut-mid-line':
      response.write(half, () => response.destroy())
      break
    case 'silent':
      watcher.silent = true
      break
    case 'torn-character':
      response.end(
        Buffer.concat([
          Buffer.from('{"type":"ADDED","object":{"metadata":{"name":"'),
          Buffer.from([0xe2, 0x82]),
          Buffer.from('"}}}\n'),
        ]),
      )
      break
    case 'gone':
      response.end(line('ERROR', refusal(410, 'Expired', 'too old resource version').body))
      break
    case 'garbage':
      response.end('{"type":"NEWS"}\n')
      break
    case 'end':
      response.end()
      break
  }
}

function reply(
  response: ServerResponse,
  { status, body }: { status: number; body: unknown },
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify(body))
}

function breakOff(response: ServerResponse, body: unknown, how: 'truncate' | 'garbage'): void {
  const text = JSON.stringify(body)
  response.writeHead(200, {
    'content-type': 'application/json',
    ...(how === 'truncate' ? { 'content-length': Buffer.byteLength(text) } : {}),
  })
  if (how === 'garbage') response.end('{"metadata":\n')
  else response.write(text.slice(0, text.length / 2), () => response.destroy())
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
