// How long a server that said "too many requests" wants to be left alone.
//
//   Retry-After header (seconds, or a date) -> else retry_after_ms of the body -> else a default      then clamped
//
// Pure: the time arrives as an argument, because a date has to be compared with it.

export type RetryHints = {
  /** The header as it came. */
  readonly header?: string | undefined
  /** `retry_after_ms` as it came: deprecated, and still all that some refusals carry. */
  readonly bodyMs?: unknown
}

/** Below this a server that answers "0" would be asked without a pause. */
export const retryAfterMinMs = 1_000
/** A longer wait than this is a mistake of the server or of its clock, and nobody would see the daemon come back. */
export const retryAfterMaxMs = 5 * 60_000
/** A server that does not say how long; the usual waits of Synapse lie between 1 and 10 s. */
const retryAfterDefaultMs = 5_000

export function retryAfterMs({ header, bodyMs }: RetryHints, nowWallMs: number): number {
  const asked = headerMs(header, nowWallMs) ?? numberMs(bodyMs) ?? retryAfterDefaultMs
  return Math.ceil(Math.min(Math.max(asked, retryAfterMinMs), retryAfterMaxMs))
}

function headerMs(header: string | undefined, nowWallMs: number): number | undefined {
  const text = header?.trim()
  if (text === undefined || text === '') return undefined
  if (/^\d+$/.test(text)) return Number(text) * 1_000
  // A date of HTTP begins with the day's name; Date.parse alone would take "-5" for a year.
  const atMs = /^[A-Za-z]{3,9},? /.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(atMs) ? undefined : atMs - nowWallMs
}

const numberMs = (input: unknown): number | undefined =>
  typeof input === 'number' && Number.isFinite(input) ? input : undefined
