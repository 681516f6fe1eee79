// The HTTP client dressed as `fetch`, for libraries that take one (matrix-js-sdk's fetchFn): same caps, same deadline.
import { CityError } from '../errors.ts'
import type { HttpClient, HttpRequest } from './http-client.ts'

export type FetchLimits = { readonly timeoutMs: number; readonly maxBytes: number }

/** Statuses for which a Response must not have a body. */
const bodiless = new Set([204, 205, 304])
/** No longer true of a body that is already decompressed and complete. */
const hopHeaders = new Set(['content-encoding', 'content-length', 'transfer-encoding', 'connection', 'keep-alive'])

export function asFetch(client: HttpClient, limits: FetchLimits): typeof globalThis.fetch {
  return async (input, init = {}) => {
    const url = input instanceof Request ? input.url : input
    const signal = init.signal ?? undefined
    signal?.throwIfAborted()
    try {
      const answer = await client.request(url, {
        ...limits,
        ...toRequest(init),
        ...(signal === undefined ? {} : { signal }),
      })
      return toResponse(answer.status, answer.headers, answer.body)
    } catch (error) {
      // Callers of fetch look for the reason they aborted with (an AbortError), not for our word.
      if (error instanceof CityError && error.code === 'Aborted') signal?.throwIfAborted()
      throw error
    }
  }
}

function toRequest({ method, headers, body }: RequestInit): Pick<HttpRequest, 'method' | 'headers' | 'body'> {
  return {
    method: toMethod(method ?? 'GET'),
    headers: Object.fromEntries(new Headers(headers)),
    ...(body === undefined || body === null ? {} : { body: toBody(body) }),
  }
}

const methods = ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'PATCH'] as const

function toMethod(method: string): (typeof methods)[number] {
  const known = methods.find((name) => name === method.toUpperCase())
  if (known === undefined) throw new TypeError(`fetch: method ${method} is not supported here`)
  return known
}

function toBody(body: BodyInit): string | Uint8Array {
  if (typeof body === 'string' || body instanceof Uint8Array) return body
  if (body instanceof URLSearchParams) return body.toString()
  throw new TypeError('fetch: only text and bytes are sent from here')
}

function toResponse(status: number, headers: Readonly<Record<string, string>>, body: Uint8Array): Response {
  const kept = Object.entries(headers).filter(([name]) => !hopHeaders.has(name))
  return new Response(bodiless.has(status) ? null : new Uint8Array(body), { status, headers: kept })
}
