// One request to the API server, and all that keeps it from hurting anybody:
//
//   gate (rate, Retry-After) -> who we are -> shared agent -> status, body within its cap -> JSON
//                                                    '---- one deadline over all of it ----'
//
// A 401 reads the token anew and asks once more; what the server wants to rest from closes the gate for everybody. Nothing else is
// repeated here: whoever asked knows better whether it still matters.
import { request as undiciRequest, type Dispatcher } from 'undici'
import type { Clock } from '@citypresence/chassis/edge/clock'
import { sleep } from '@citypresence/chassis/edge/clock'
import { collectBody } from '@citypresence/chassis/edge/http-body'
import { toHttpError } from '@citypresence/chassis/edge/http-errors'
import { CityError, toErrorCode } from '@citypresence/chassis/errors'
import { createRequestGate } from '../core/request-gate.ts'
import type { KubeAccess } from './kube-access.ts'
import { KubeError, refusalOf, toKubeError } from './kube-errors.ts'

export type KubeVerb = 'get' | 'list' | 'watch' | 'apply' | 'status' | 'create' | 'delete'

export type KubeRequest = {
  readonly verb: KubeVerb
  readonly method: 'GET' | 'PATCH' | 'POST' | 'DELETE'
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly body?: unknown
  readonly contentType?: string
  readonly timeoutMs: number
  readonly bytesMax: number
  readonly signal?: AbortSignal | undefined
}

export type KubeRequestsOptions = {
  readonly access: KubeAccess
  readonly userAgent: string
  /** Requests of all kinds together, watches included. */
  readonly rate: { readonly perS: number; readonly burst: number }
  readonly clock: Clock
  /** An answer, or none: by status, or by our word. */
  readonly onCall: (verb: KubeVerb, code: string) => void
}

export type KubeRequests = {
  /** The parsed body of a success. */
  send(request: KubeRequest): Promise<unknown>
  /** The body as it comes, byte by byte, until its end or the signal; the deadline is over its head only. */
  stream(request: KubeRequest, onBytes: (bytes: Uint8Array) => void): Promise<void>
}

// A refusal is a Status object of some hundred bytes.
const refusalBytesMax = 64 * 1024

export function createKubeRequests({ access, userAgent, rate, clock, onCall }: KubeRequestsOptions): KubeRequests {
  const gate = createRequestGate(rate)

  const once = async (request: KubeRequest, signal: AbortSignal, agent: 'requests' | 'watches') => {
    const { server, headers, ...agents } = await access.reach()
    const url = new URL(server + request.path)
    for (const [name, value] of Object.entries(request.query ?? {})) url.searchParams.set(name, value)
    const response = await undiciRequest(url, {
      dispatcher: agents[agent],
      method: request.method,
      headers: { ...headers, ...headersOf(request, userAgent) },
      body: request.body === undefined ? null : JSON.stringify(request.body),
      signal,
    })
    if (response.statusCode >= 200 && response.statusCode < 300) return response
    const refusal = await readRefusal(request, response)
    gate.rest(clock.monotonicMs(), refusal.failure?.quietMs ?? 0)
    throw refusal
  }

  /** Asked twice where the first time nobody knew us. */
  const ask = async (request: KubeRequest, signal: AbortSignal, agent: 'requests' | 'watches') => {
    try {
      return await once(request, signal, agent)
    } catch (error) {
      if (!(error instanceof KubeError) || error.failure?.status !== 401) throw error
      access.forget()
      return await once(request, signal, agent)
    }
  }

  /** Waits for its turn, then works under a deadline that the work may end. */
  const guard = async <T>(
    request: KubeRequest,
    work: (signal: AbortSignal, endDeadline: () => void) => Promise<T>,
  ): Promise<T> => {
    const where = `${request.method} ${request.path}`
    const abort = new AbortController()
    const cancelled = () => abort.abort(new CityError('Aborted', `${where}: cancelled`))
    request.signal?.addEventListener('abort', cancelled, { once: true })
    if (request.signal?.aborted === true) cancelled()
    let cancelTimer = (): void => undefined
    try {
      const waitMs = gate.waitMs(clock.monotonicMs())
      if (waitMs > 0) await sleep(clock, waitMs, abort.signal)
      abort.signal.throwIfAborted()
      const late = () =>
        abort.abort(new CityError('HttpTimeout', `${where}: not finished after ${request.timeoutMs} ms`))
      cancelTimer = clock.after(request.timeoutMs, late)
      const value = await work(abort.signal, cancelTimer)
      onCall(request.verb, 'ok')
      return value
    } catch (error) {
      const why: unknown = abort.signal.aborted ? abort.signal.reason : error
      const failure = toKubeError(why instanceof CityError ? why : toHttpError(why, where), where)
      if (failure.code !== 'Aborted') onCall(request.verb, codeOf(failure))
      throw failure
    } finally {
      cancelTimer()
      request.signal?.removeEventListener('abort', cancelled)
    }
  }

  return {
    send: (request) =>
      guard(request, async (signal) => {
        const where = `${request.method} ${request.path}`
        const { body } = await ask(request, signal, 'requests')
        return parse(await collectBody(body, { maxBytes: request.bytesMax }, where), where)
      }),
    stream: (request, onBytes) =>
      guard(request, async (signal, endDeadline) => {
        const { body } = await ask(request, signal, 'watches')
        endDeadline()
        for await (const bytes of body as AsyncIterable<Uint8Array>) onBytes(bytes)
      }),
  }
}

const codeOf = (error: KubeError): string => String(error.failure?.status ?? toErrorCode(error))

function headersOf({ body, contentType = 'application/json' }: KubeRequest, userAgent: string): Record<string, string> {
  return {
    accept: 'application/json',
    'user-agent': userAgent,
    ...(body === undefined ? {} : { 'content-type': contentType }),
  }
}

async function readRefusal(request: KubeRequest, response: Dispatcher.ResponseData): Promise<KubeError> {
  const where = `${request.method} ${request.path}`
  const { statusCode, headers, body } = response
  const retryAfter = headers['retry-after']
  const text = await collectBody(body, { maxBytes: refusalBytesMax }, where).catch(() => new Uint8Array())
  return refusalOf(where, statusCode, typeof retryAfter === 'string' ? retryAfter : undefined, tryParse(text))
}

function parse(bytes: Uint8Array, where: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown
  } catch (cause) {
    throw new CityError('HttpGarbled', `${where}: the answer is no JSON`, { cause })
  }
}

function tryParse(bytes: Uint8Array): unknown {
  try {
    return parse(bytes, '')
  } catch {
    return undefined
  }
}
