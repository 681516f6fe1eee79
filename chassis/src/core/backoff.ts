// How long to wait before trying again: full jitter, so that a thousand clients cut off together do not come back together.
//
//   wait = random01 x min(cap, base x 2^attempt)
//
// Pure: the random number arrives as an argument.

export type Backoff = { readonly baseMs: number; readonly capMs: number }

/** Doubling past this attempt only overflows: 2^30 x 1 ms is already twelve days. */
const attemptMax = 30

/** @param attempt 0 for the first retry. @param random01 in [0, 1). The answer is an integer in [0, capMs]. */
export function fullJitterMs(attempt: number, { baseMs, capMs }: Backoff, random01: number): number {
  const exponent = Math.min(Math.max(Math.trunc(attempt), 0), attemptMax)
  const ceilingMs = Math.min(capMs, baseMs * 2 ** exponent)
  return Math.floor(ceilingMs * random01)
}
