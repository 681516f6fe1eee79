// A token bucket that is asked how long to wait: after a burst things go at a rate. Every asking takes a token, so a promise of a
// later moment is kept free for who got it.

export type BucketSettings = { readonly perS: number; readonly burst: number }

export type Bucket = { waitMs(nowMs: number): number }

export function createBucket({ perS, burst }: BucketSettings): Bucket {
  let tokens = burst
  let filledAtMs: number | undefined
  return {
    waitMs(nowMs) {
      const sinceMs = Math.max(nowMs - (filledAtMs ?? nowMs), 0)
      filledAtMs = Math.max(nowMs, filledAtMs ?? nowMs)
      tokens = Math.min(burst, tokens + (sinceMs * perS) / 1000) - 1
      return tokens >= 0 ? 0 : (-tokens / perS) * 1000
    },
  }
}
