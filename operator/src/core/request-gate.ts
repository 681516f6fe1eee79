// When the next request may go: no faster than a rate, and not before the moment that the API server asked us to wait for.
//
//   ask(now) -> wait so long          rest(now, quiet) -> nobody goes until then, whatever it asks for
import { createBucket, type BucketSettings } from './bucket.ts'

export type RequestGate = {
  waitMs(nowMs: number): number
  rest(nowMs: number, quietMs: number): void
}

export function createRequestGate(settings: BucketSettings): RequestGate {
  const bucket = createBucket(settings)
  let quietUntilMs = Number.NEGATIVE_INFINITY
  return {
    waitMs: (nowMs) => Math.max(bucket.waitMs(nowMs), quietUntilMs - nowMs, 0),
    rest(nowMs, quietMs) {
      quietUntilMs = Math.max(quietUntilMs, nowMs + quietMs)
    },
  }
}
