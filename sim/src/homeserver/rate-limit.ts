// A bucket a person that leaks: so many at once, and then so many a second, as Synapse counts.

export type RateSettings = { readonly burst: number; readonly perSecond: number }

export type RateLimit = {
  /** 0 and one more taken, or how long to wait and none taken. */
  waitMs(userId: string, nowMs: number): number
}

export function createRateLimit({ burst, perSecond }: RateSettings): RateLimit {
  const buckets = new Map<string, { level: number; atMs: number }>()
  return {
    waitMs(userId, nowMs) {
      const bucket = buckets.get(userId) ?? { level: 0, atMs: nowMs }
      const level = Math.max(0, bucket.level - ((nowMs - bucket.atMs) / 1000) * perSecond)
      const surplus = level + 1 - burst
      buckets.set(userId, { level: surplus > 0 ? level : level + 1, atMs: nowMs })
      return surplus > 0 ? (surplus / perSecond) * 1000 : 0
    },
  }
}
