// What an API server that refuses says, in one of our words: its Status object, or whatever stands in its place.
//
//   status, Retry-After, body -> { word, status, reason, message, quietMs }
import { isFields } from './kube-object.ts'

export type KubeWord =
  /** Not there (404): to a delete a success, to a list of somebody else's kind "not installed". */
  | 'KubeMissing'
  /** Written by another since, or exists already (409). */
  | 'KubeConflict'
  /** The version that was asked for is forgotten (410): everything is listed anew. */
  | 'KubeGone'
  /** Who we are is not known, or may not do this (401, 403). */
  | 'KubeForbidden'
  /** As it is, it will be refused again (400, 422 and the other 4xx). */
  | 'KubeRefused'
  /** Wants to be left alone for a while (429, or whatever comes with a Retry-After). */
  | 'KubeBusy'
  /** No answer, or one that says that the server is not well. */
  | 'KubeUnreachable'

export type KubeFailure = {
  readonly word: KubeWord
  readonly status: number
  /** The server's own word, as `Invalid`; empty where there was none. */
  readonly reason: string
  readonly message: string
  /** For so long the server wants to be left alone; 0 where it did not say. */
  readonly quietMs: number
}

// An API server in trouble says a second or so; half a minute is a mistake of somebody in between.
const quietMsMax = 30_000
// The sentence of a refused object names the field and quotes its value; more of a foreign text does not belong into a log.
const messageLengthMax = 500
const reasonLengthMax = 60

export function readFailure(status: number, retryAfter: string | undefined, body: unknown): KubeFailure {
  const { reason, message, details } = isFields(body) ? body : {}
  const inBody = isFields(details) ? details['retryAfterSeconds'] : undefined
  const quietMs = secondsIn(retryAfter) ?? secondsIn(inBody) ?? 0
  return {
    word: wordOf(status, quietMs),
    status,
    reason: textOf(reason, reasonLengthMax) ?? '',
    message: textOf(message, messageLengthMax) ?? 'no reason given',
    quietMs,
  }
}

function wordOf(status: number, quietMs: number): KubeWord {
  if (status === 404) return 'KubeMissing'
  if (status === 409) return 'KubeConflict'
  if (status === 410) return 'KubeGone'
  if (status === 401 || status === 403) return 'KubeForbidden'
  if (status === 429 || quietMs > 0) return 'KubeBusy'
  return status >= 400 && status < 500 ? 'KubeRefused' : 'KubeUnreachable'
}

/** It writes whole seconds. A date, and nonsense, count as not said. */
function secondsIn(value: unknown): number | undefined {
  const seconds = typeof value === 'number' ? value : /^\d{1,9}$/.test(String(value)) ? Number(value) : undefined
  if (seconds === undefined || !(seconds >= 0)) return undefined
  return Math.min(seconds * 1000, quietMsMax)
}

const textOf = (value: unknown, lengthMax: number): string | undefined =>
  typeof value === 'string' && value !== '' ? value.slice(0, lengthMax) : undefined
