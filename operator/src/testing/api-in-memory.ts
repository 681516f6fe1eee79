// The API server's double without a network in between: the same store and the same answers, a hundred times faster, for sweeps over
// many lives of an operator. What can go wrong on the way is played elsewhere, over HTTP.
import type { Clock } from '@citypresence/chassis/edge/clock'
import { CityError } from '@citypresence/chassis/errors'
import { answer, line, routeOf, watchLine, type Answer, type Route } from '@citypresence/sim/kube-api/handle'
import { createKubeStore, type KubeStore } from '@citypresence/sim/kube-api/store'
import { openKubeApi, type KubeApi } from '../edge/kube-api.ts'
import { refusalOf, toKubeError } from '../edge/kube-errors.ts'
import type { KubeRequest, KubeRequests } from '../edge/kube-requests.ts'

export type Asked = { readonly verb: string; readonly plural: string; readonly status: number }

export type ApiInMemory = {
  readonly api: KubeApi
  readonly store: KubeStore
  readonly requests: readonly Asked[]
  /** Kinds that nobody has installed. */
  readonly missing: Set<string>
  bookmark(): void
}

export function openApiInMemory(clock: Clock): ApiInMemory {
  const store = createKubeStore()
  const requests: Asked[] = []
  const missing = new Set<string>()
  const bookmarks = new Set<() => void>()

  const ask = (request: KubeRequest): { readonly route: Route | undefined; readonly url: URL } => {
    const url = new URL(request.path, 'http://memory')
    for (const [name, value] of Object.entries(request.query ?? {})) url.searchParams.set(name, value)
    const route = routeOf(url.pathname)
    return { route: missing.has(route?.plural ?? '') ? undefined : route, url }
  }
  const note = ({ verb, path }: KubeRequest, status: number): void => {
    requests.push({ verb, plural: routeOf(path)?.plural ?? '', status })
  }
  const where = ({ method, path }: KubeRequest): string => `${method} ${path}`
  const abortedBy = (request: KubeRequest) =>
    toKubeError(new CityError('Aborted', `${where(request)}: cancelled`), where(request))

  const memory: KubeRequests = {
    async send(request) {
      await Promise.resolve()
      if (request.signal?.aborted === true) throw abortedBy(request)
      const { route, url } = ask(request)
      const contentType = request.contentType ?? 'application/json'
      // What is stored shares nothing with what was sent.
      const body = request.body === undefined ? undefined : (JSON.parse(JSON.stringify(request.body)) as unknown)
      const { status, body: sent }: Answer =
        route === undefined
          ? { status: 404, body: {} }
          : answer(store, route, { method: request.method, url, contentType, body })
      note(request, status)
      if (status >= 300) throw refusalOf(where(request), status, undefined, sent)
      return JSON.parse(JSON.stringify(sent)) as unknown
    },
    stream(request, onBytes) {
      const { route, url } = ask(request)
      const since = Number(url.searchParams.get('resourceVersion'))
      if (route === undefined || store.isForgotten(since)) {
        note(request, route === undefined ? 404 : 410)
        return Promise.reject(refusalOf(where(request), route === undefined ? 404 : 410, undefined, {}))
      }
      note(request, 200)
      const { promise, resolve, reject } = Promise.withResolvers<undefined>()
      const send = (text: string | undefined): void => {
        if (text !== undefined) onBytes(Buffer.from(text))
      }
      for (const told of store.since(since)) send(watchLine(told, route, url.searchParams))
      const unlisten = store.listen((told) => send(watchLine(told, route, url.searchParams)))
      const bookmark = (): void => send(line('BOOKMARK', { metadata: { resourceVersion: String(store.version) } }))
      bookmarks.add(bookmark)
      const end = (): void => {
        unlisten()
        bookmarks.delete(bookmark)
      }
      request.signal?.addEventListener('abort', () => {
        end()
        reject(abortedBy(request))
      })
      clock.after(Number(url.searchParams.get('timeoutSeconds')) * 1000, () => {
        end()
        resolve(undefined)
      })
      return promise
    },
  }
  const api = openKubeApi({
    access: {
      namespace: 'city',
      reach: () => Promise.reject(new Error('there is no network')),
      forget: () => undefined,
      close: () => Promise.resolve(),
    },
    userAgent: 'test',
    clock,
    onCall: () => undefined,
    rate: { perS: 10_000, burst: 10_000 },
    requests: memory,
  })
  return {
    api,
    store,
    requests,
    missing,
    bookmark() {
      for (const one of [...bookmarks]) one()
    },
  }
}
