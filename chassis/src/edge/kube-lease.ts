// Three calls on one named Lease: get, update under the version that was read, watch. Nothing is listed and nothing is made.
//
//   read  -> GET …/leases/<name>                                           found | missing | failed
//   write -> PUT …/leases/<name>, resourceVersion as read                  stored | refused (409, 404) | failed
//   watch -> GET …/leases?watch&fieldSelector=metadata.name=<name>         what it is now, and then each change, line by line
import { leaseWith, readLease, type LeaseChange, type LeaseRecord } from '../core/lease-record.ts'
import { createLineCutter } from '../core/line-cutter.ts'
import { CityError, toErrorCode, type ErrorCode } from '../errors.ts'
import { systemClock, type Clock } from './clock.ts'
import type { HttpResponse } from './http-client.ts'
import type { KubeDoor } from './kube-door.ts'

export type ReadAnswer =
  | { readonly kind: 'read'; readonly record: LeaseRecord | undefined }
  | { readonly kind: 'failed'; readonly error: CityError }
export type WriteAnswer =
  | { readonly kind: 'written'; readonly record: LeaseRecord }
  | { readonly kind: 'refused' }
  | { readonly kind: 'failed'; readonly error: CityError }

export interface Lease {
  read(): Promise<ReadAnswer>
  write(record: LeaseRecord, change: LeaseChange): Promise<WriteAnswer>
  /** Runs until the server ends it, nothing came for a while, or the signal; rejects when it could not be had. */
  watch(told: (record: LeaseRecord | undefined) => void, signal: AbortSignal): Promise<void>
  close(): Promise<void>
}

export type KubeLeaseOptions = {
  /** Closed with the Lease. */
  readonly door: KubeDoor
  readonly namespace: string
  readonly name: string
  /** For each read and write. */
  readonly timeoutMs: number
  /** A watch in which nothing moves for so long is opened anew: it may be cut without a word. */
  readonly idleMs: number
  readonly clock?: Clock
}

// An object of the API is at most 1.5 MB; a Lease is 500 bytes.
const leaseBytesMax = 1_500_000
// The server is asked to end it then; a few seconds later we do.
const watchS = 240
// A leader writes once a second, 1 KB a line, and others may edit it: far above that.
const watchBytesMax = 64 * 1024 * 1024

export function openKubeLease(options: KubeLeaseOptions): Lease {
  const { door, namespace, name, timeoutMs, idleMs, clock = systemClock } = options
  const path = `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/leases`
  const one = `${path}/${encodeURIComponent(name)}`
  const field = encodeURIComponent(`metadata.name=${name}`)
  const many = `${path}?watch=true&fieldSelector=${field}&timeoutSeconds=${watchS}`
  const small = { timeoutMs, maxBytes: leaseBytesMax }
  return {
    async read() {
      try {
        const answer = await door.request(one, small)
        if (answer.status === 404) return { kind: 'read', record: undefined }
        return answer.status === 200 ? { kind: 'read', record: recordIn(answer.body) } : failed(refusalOf(answer))
      } catch (error) {
        return failed(error)
      }
    },

    async write(record, change) {
      try {
        const body = JSON.stringify(leaseWith(record, change, clock.wallMs()))
        const answer = await door.request(one, { ...small, method: 'PUT', body })
        // 409: written by another since. 404: gone.
        if (answer.status === 409 || answer.status === 404) return { kind: 'refused' }
        return answer.status === 200 ? { kind: 'written', record: recordIn(answer.body) } : failed(refusalOf(answer))
      } catch (error) {
        return failed(error)
      }
    },

    async watch(told, signal) {
      const idle = new AbortController()
      const cutter = createLineCutter(leaseBytesMax)
      let cancelIdle = clock.after(idleMs, () => idle.abort())
      const onBytes = (bytes: Uint8Array): void => {
        cancelIdle()
        cancelIdle = clock.after(idleMs, () => idle.abort())
        const lines = cutter.take(bytes)
        if (!lines.ok) throw new CityError('LeaseUnreachable', `what the API server sent ${lines.problem}`)
        for (const line of lines.value) hearLine(line, name, told)
      }
      try {
        const timeoutOfAll = { timeoutMs: watchS * 1000 + timeoutMs, maxBytes: watchBytesMax }
        const both = AbortSignal.any([signal, idle.signal])
        const answer = await door.request(many, { ...timeoutOfAll, onBytes, signal: both })
        if (answer.status !== 200) throw refusalOf(answer)
      } catch (error) {
        if (!signal.aborted && !idle.signal.aborted) throw toLeaseError(error)
      } finally {
        cancelIdle()
      }
    },

    close: () => door.close(),
  }
}

const failed = (error: unknown): { readonly kind: 'failed'; readonly error: CityError } => ({
  kind: 'failed',
  error: toLeaseError(error),
})

/** A word about the Lease for whatever happened on the way to it. */
function toLeaseError(error: unknown): CityError {
  const known: readonly ErrorCode[] = [
    'LeaseForbidden',
    'LeaseRefused',
    'LeaseUnreachable',
    'SecretUnreadable',
    'TlsUntrusted',
  ]
  if (error instanceof CityError && known.includes(error.code)) return error
  const message = error instanceof Error ? error.message : 'failed'
  return new CityError('LeaseUnreachable', `${toErrorCode(error)}: ${message}`, { cause: error })
}

/** The API server is there and asks to be left alone for a while. */
export class LeaseBusy extends CityError {
  readonly quietMs: number

  constructor(message: string, quietMs: number) {
    super('LeaseUnreachable', message)
    this.quietMs = quietMs
  }
}

/** For how long the API server wants to be left alone; 0 where it did not say. */
export const quietMsOf = (error: unknown): number => (error instanceof LeaseBusy ? error.quietMs : 0)

function refusalOf({ status, headers, body }: HttpResponse): CityError {
  const what = `the API server answered ${status}: ${reasonIn(body)}`
  if (status === 401 || status === 403) return new CityError('LeaseForbidden', what)
  // It writes whole seconds, with 429 and with some of its 5xx.
  const retryAfter = /^\d{1,9}$/.exec(headers['retry-after'] ?? '')
  if (retryAfter !== null) return new LeaseBusy(what, Number(retryAfter[0]) * 1_000)
  return new CityError(status >= 400 && status < 500 && status !== 429 ? 'LeaseRefused' : 'LeaseUnreachable', what)
}

// A reason is one word and its sentence names the object; more of a foreign text does not belong into a log.
const reasonLengthMax = 300

function reasonIn(body: Uint8Array): string {
  try {
    const { reason, message } = JSON.parse(new TextDecoder().decode(body)) as { reason?: unknown; message?: unknown }
    const words = [reason, message].filter((one) => typeof one === 'string')
    return words.join(': ').slice(0, reasonLengthMax) || 'no reason given'
  } catch {
    return 'no reason given'
  }
}

function recordIn(body: Uint8Array): LeaseRecord {
  return toRecord(parseJson(new TextDecoder().decode(body)))
}

function toRecord(json: unknown): LeaseRecord {
  const read = readLease(json)
  if (!read.ok) throw new CityError('LeaseUnreachable', `what the API server sent ${read.problem}`)
  return read.value
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (cause) {
    throw new CityError('LeaseUnreachable', 'what the API server sent is no JSON', { cause })
  }
}

function hearLine(line: string, name: string, told: (record: LeaseRecord | undefined) => void): void {
  const { type, object } = parseJson(line) as { type?: unknown; object?: unknown }
  if (type === 'ADDED' || type === 'MODIFIED') {
    const record = toRecord(object)
    if ((record.body['metadata'] as { name?: unknown }).name === name) told(record)
  } else if (type === 'DELETED') told(undefined)
  else if (type === 'ERROR') throw new CityError('LeaseUnreachable', 'the API server ended the watch with an error')
}
