// The few things that the operator asks of the API server, on raw JSON objects:
//
//   get, list (paged), watch            what there is
//   apply, applyStatus (server-side)    what is wanted, whole, under our name; fields that we leave out the next time are let go
//   create, delete                      only where there is none, only the very one
//
// Server-side apply forces: a field that we want is ours. Objects that are not ours are never applied; who asks looks first.
import { createLineCutter } from '@citypresence/chassis/core/line-cutter'
import type { Clock } from '@citypresence/chassis/edge/clock'
import { fieldManagers } from '@citypresence/wire/city-resource'
import { kindOf, kinds, pathOf, type KubeKind } from '../core/kube-kinds.ts'
import { isFields, readObject, type KubeObject, type ObjectRef } from '../core/kube-object.ts'
import { readWatchEvent, type WatchEvent } from '../core/watch-event.ts'
import type { KubeAccess } from './kube-access.ts'
import { KubeError } from './kube-errors.ts'
import { createKubeRequests, type KubeRequest, type KubeRequests, type KubeRequestsOptions } from './kube-requests.ts'

export type KubeList = { readonly objects: readonly KubeObject[]; readonly version: string }
export type Scope = { readonly namespace: string | undefined; readonly labelSelector: string | undefined }

export type WatchOptions = {
  readonly version: string
  readonly timeoutS: number
  readonly onEvent: (event: WatchEvent) => void
  /** A byte came. */
  readonly onActivity: () => void
  readonly signal: AbortSignal
}

export type KubeApi = {
  get(ref: ObjectRef, signal?: AbortSignal): Promise<KubeObject | undefined>
  list(kind: KubeKind, scope: Scope, signal?: AbortSignal): Promise<KubeList>
  /** Resolves when the server ended it; an error that it tells on the way is thrown. */
  watch(kind: KubeKind, scope: Scope, options: WatchOptions): Promise<void>
  /** With a uid in its metadata only that very object is changed, and none is made. */
  apply(object: KubeObject, signal?: AbortSignal): Promise<KubeObject>
  applyStatus(object: KubeObject, signal?: AbortSignal): Promise<KubeObject>
  /** Refused as KubeConflict where one lies there already. */
  create(object: KubeObject, signal?: AbortSignal): Promise<KubeObject>
  /** Only the one with the uid of the reference. False: it was gone already. */
  delete(ref: ObjectRef & { readonly uid: string }, signal?: AbortSignal): Promise<boolean>
  /** The names of the keys of a Secret, and nothing else of it. */
  secretKeys(namespace: string, name: string, signal?: AbortSignal): Promise<readonly string[] | 'missing' | 'unknown'>
  /** Whether the server knows this group and version. */
  serves(groupVersion: string, signal?: AbortSignal): Promise<boolean>
  close(): Promise<void>
}

export type KubeApiOptions = Pick<KubeRequestsOptions, 'userAgent' | 'onCall'> & {
  readonly access: KubeAccess
  readonly clock: Clock
  /** Strict refuses fields that the server does not know: for tests. Ignore and Warn drop them. */
  readonly fieldValidation?: 'Strict' | 'Warn'
  readonly rate: KubeRequestsOptions['rate']
  /** Objects on one page of a list. */
  readonly pageSize?: number
  /** In place of real ones, for tests. */
  readonly requests?: KubeRequests
}

const fieldManager = fieldManagers.operator

const timeoutMs = 10_000
// A page of five hundred is some megabytes.
const listTimeoutMs = 30_000
// etcd holds objects of up to 1.5 MB, as JSON twice that.
const objectBytesMax = 4 * 1024 * 1024
const pageSizeDefault = 500
const pageBytesMax = 64 * 1024 * 1024
// 100,000 objects of one kind: beyond what a cluster holds of ours.
const pagesMax = 200
const applyType = 'application/apply-patch+yaml'

export function openKubeApi(options: KubeApiOptions): KubeApi {
  const { access, fieldValidation = 'Warn', pageSize = pageSizeDefault } = options
  const requests = options.requests ?? createKubeRequests(options)

  /** Sends, and reads the object that comes back. */
  const ask = async (kind: KubeKind, request: Omit<KubeRequest, 'timeoutMs' | 'bytesMax'>): Promise<KubeObject> => {
    const json = await requests.send({ timeoutMs, bytesMax: objectBytesMax, ...request })
    return objectIn(json, kind, `${request.method} ${request.path}`)
  }
  const write = (verb: 'apply' | 'status', object: KubeObject, signal: AbortSignal | undefined) => {
    const kind = knownKind(object)
    const { namespace, name } = object.metadata
    const path = pathOf(kind, { namespace, name, subresource: verb === 'status' ? 'status' : undefined })
    const query = { fieldManager, force: 'true', fieldValidation }
    return ask(kind, { verb, method: 'PATCH', path, query, body: object, contentType: applyType, signal })
  }
  return {
    async get(ref, signal) {
      try {
        return await ask(knownKind(ref), { verb: 'get', method: 'GET', path: pathOf(knownKind(ref), ref), signal })
      } catch (error) {
        if (isWord(error, 'KubeMissing')) return undefined
        throw error
      }
    },

    async list(kind, scope, signal) {
      const path = pathOf(kind, { namespace: scope.namespace })
      const objects: KubeObject[] = []
      let next = ''
      for (let page = 0; page < pagesMax; page++) {
        const query = { ...selectorOf(scope), limit: String(pageSize), ...(next === '' ? {} : { continue: next }) }
        const request = { verb: 'list', method: 'GET', path, query, signal } as const
        const read = pageIn(
          await requests.send({ ...request, timeoutMs: listTimeoutMs, bytesMax: pageBytesMax }),
          kind,
          path,
        )
        objects.push(...read.objects)
        next = read.next
        if (next === '') return { objects, version: read.version }
      }
      throw new KubeError('KubeGarbled', `GET ${path}: more than ${pagesMax} pages`)
    },

    async watch(kind, scope, { version, timeoutS, onEvent, onActivity, signal }) {
      const path = pathOf(kind, { namespace: scope.namespace })
      const query = {
        ...selectorOf(scope),
        watch: 'true',
        allowWatchBookmarks: 'true',
        resourceVersion: version,
        timeoutSeconds: String(timeoutS),
      }
      const cutter = createLineCutter(objectBytesMax)
      const request = {
        verb: 'watch',
        method: 'GET',
        path,
        query,
        timeoutMs,
        bytesMax: objectBytesMax,
        signal,
      } as const
      await requests.stream(request, (bytes) => {
        onActivity()
        const lines = cutter.take(bytes)
        if (!lines.ok) throw new KubeError('KubeGarbled', `GET ${path}: the watch ${lines.problem}`)
        for (const line of lines.value) {
          const event = readWatchEvent(line, kind)
          if (!event.ok) throw new KubeError('KubeGarbled', `GET ${path}: an event of the watch ${event.problem}`)
          if (event.value.type === 'ERROR') {
            const { failure } = event.value
            throw new KubeError(failure.word, `GET ${path}: the watch ended with ${failure.message}`, { failure })
          }
          onEvent(event.value)
        }
      })
    },

    apply: (object, signal) => write('apply', object, signal),
    applyStatus: (object, signal) => write('status', object, signal),

    create(object, signal) {
      const kind = knownKind(object)
      const path = pathOf(kind, { namespace: object.metadata.namespace })
      return ask(kind, { verb: 'create', method: 'POST', path, query: { fieldManager }, body: object, signal })
    },

    async delete(ref, signal) {
      const body = {
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        preconditions: { uid: ref.uid },
        propagationPolicy: 'Background',
      }
      try {
        const path = pathOf(knownKind(ref), ref)
        await requests.send({
          verb: 'delete',
          method: 'DELETE',
          path,
          body,
          timeoutMs,
          bytesMax: objectBytesMax,
          signal,
        })
        return true
      } catch (error) {
        if (isWord(error, 'KubeMissing')) return false
        throw error
      }
    },

    async secretKeys(namespace, name, signal) {
      const path = pathOf(kinds.Secret, { namespace, name })
      try {
        const secret = await ask(kinds.Secret, { verb: 'get', method: 'GET', path, signal })
        return isFields(secret['data']) ? Object.keys(secret['data']) : []
      } catch (error) {
        if (isWord(error, 'KubeMissing')) return 'missing'
        if (isWord(error, 'KubeForbidden')) return 'unknown'
        throw error
      }
    },

    async serves(groupVersion, signal) {
      const path = `/apis/${groupVersion}`
      try {
        await requests.send({ verb: 'get', method: 'GET', path, timeoutMs, bytesMax: objectBytesMax, signal })
        return true
      } catch (error) {
        if (isWord(error, 'KubeMissing') || isWord(error, 'KubeForbidden')) return false
        throw error
      }
    },

    close: () => access.close(),
  }
}

export const isWord = (error: unknown, word: KubeError['code']): boolean =>
  error instanceof KubeError && error.code === word

function knownKind(ref: Pick<ObjectRef, 'apiVersion' | 'kind'>): KubeKind {
  const kind = kindOf(ref)
  if (kind === undefined)
    throw new KubeError('KubeRefused', `${ref.apiVersion} ${ref.kind} is none of the kinds that are used`)
  return kind
}

const selectorOf = ({ labelSelector }: Scope): Record<string, string> =>
  labelSelector === undefined ? {} : { labelSelector }

function objectIn(json: unknown, kind: KubeKind, where: string): KubeObject {
  const read = readObject(json, kind)
  if (!read.ok) throw new KubeError('KubeGarbled', `${where}: what was sent ${read.problem}`)
  return read.value
}

type ListPage = KubeList & { readonly next: string }

function pageIn(json: unknown, kind: KubeKind, path: string): ListPage {
  const { metadata, items } = isFields(json) ? json : {}
  const { resourceVersion, continue: next } = isFields(metadata) ? metadata : {}
  if (typeof resourceVersion !== 'string') throw new KubeError('KubeGarbled', `GET ${path}: a list without a version`)
  const all: readonly unknown[] = Array.isArray(items) ? items : []
  return {
    objects: all.map((item) => objectIn(item, kind, `GET ${path}`)),
    version: resourceVersion,
    next: typeof next === 'string' ? next : '',
  }
}
