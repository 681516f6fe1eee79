// Which key is worked on next, with the promises of client-go's work queue:
//
//   add ---------------> ready --take--> in hands --done--> (wanted meanwhile? ready again)
//   addAfter, retry -> waiting --'due'----^
//
// A key is in one pair of hands at most; what is wanted while it is there is not forgotten; many wishes for one key are one; who
// failed waits longer each time, and all who failed together no faster than a bucket allows. Keys are those of resources that
// exist or that were just deleted, so their number is bounded by what the API server stores.
import { createBucket } from './bucket.ts'

export type WorkQueueSettings = {
  /** The first retry of a key; each further one waits twice as long. */
  readonly retryMs: number
  readonly retryMsMax: number
  /** Retries of all keys together, once the burst is used up. */
  readonly retriesPerS: number
  readonly retriesBurst: number
}

// client-go's, but a cap of five minutes instead of a thousand seconds: somebody waits for what he just mended.
export const workQueueDefaults: WorkQueueSettings = {
  retryMs: 5,
  retryMsMax: 300_000,
  retriesPerS: 10,
  retriesBurst: 100,
}

export type Taken = { readonly key: string; readonly waitedMs: number }

export type WorkQueue = {
  /** Wanted now. */
  add(key: string, nowMs: number): void
  /** Wanted then, or earlier where an earlier wish waits already. */
  addAfter(key: string, afterMs: number, nowMs: number): void
  /** Wanted again after a failure; answers how long it waits. */
  retry(key: string, nowMs: number): number
  /** It went well: the next failure is a first one. */
  forget(key: string): void
  take(nowMs: number): Taken | undefined
  /** Who took it has put it down. */
  done(key: string, nowMs: number): void
  /** When a waiting key gets ready; the past or now if one is ready already. */
  nextDueAtMs(): number | undefined
  /** Ready and not taken. */
  depth(nowMs: number): number
  /** Of the one that is ready for longest, 0 where none is. */
  oldestMs(nowMs: number): number
  failures(key: string): number
}

// Doubling past this only overflows: 2^40 x 5 ms is two centuries.
const doublingsMax = 40

export function createWorkQueue(settings: WorkQueueSettings = workQueueDefaults): WorkQueue {
  /** Since when each is wanted, in the order in which they are taken. */
  const ready = new Map<string, number>()
  const waiting = new Map<string, number>()
  const inHands = new Set<string>()
  /** Wanted again while it is in hands, and since when. */
  const again = new Map<string, number>()
  const failed = new Map<string, number>()
  const bucket = createBucket({ perS: settings.retriesPerS, burst: settings.retriesBurst })

  const want = (key: string, sinceMs: number): void => {
    const place = inHands.has(key) ? again : ready
    if (!place.has(key)) place.set(key, sinceMs)
  }
  const ripen = (nowMs: number): void => {
    const due = [...waiting].filter(([, dueAtMs]) => dueAtMs <= nowMs).sort(([, a], [, b]) => a - b)
    for (const [key, dueAtMs] of due) {
      waiting.delete(key)
      want(key, dueAtMs)
    }
  }
  const addAfter = (key: string, afterMs: number, nowMs: number): void => {
    ripen(nowMs)
    const dueAtMs = nowMs + Math.max(afterMs, 0)
    waiting.set(key, Math.min(waiting.get(key) ?? Number.POSITIVE_INFINITY, dueAtMs))
    ripen(nowMs)
  }
  return {
    add(key, nowMs) {
      ripen(nowMs)
      want(key, nowMs)
    },
    addAfter,
    retry(key, nowMs) {
      const before = failed.get(key) ?? 0
      failed.set(key, before + 1)
      const ownMs = settings.retryMs * 2 ** Math.min(before, doublingsMax)
      const waitMs = Math.min(Math.max(ownMs, bucket.waitMs(nowMs)), settings.retryMsMax)
      addAfter(key, waitMs, nowMs)
      return waitMs
    },
    forget: (key) => void failed.delete(key),
    take(nowMs) {
      ripen(nowMs)
      const [first] = ready
      if (first === undefined) return undefined
      const [key, sinceMs] = first
      ready.delete(key)
      // What was wanted for later is covered by looking now.
      waiting.delete(key)
      inHands.add(key)
      return { key, waitedMs: nowMs - sinceMs }
    },
    done(key, nowMs) {
      ripen(nowMs)
      inHands.delete(key)
      const sinceMs = again.get(key)
      if (sinceMs === undefined) return
      again.delete(key)
      want(key, sinceMs)
    },
    nextDueAtMs() {
      const [first] = ready.values()
      if (first !== undefined) return first
      return waiting.size === 0 ? undefined : earliest(waiting.values())
    },
    depth(nowMs) {
      ripen(nowMs)
      return ready.size
    },
    oldestMs(nowMs) {
      ripen(nowMs)
      return ready.size === 0 ? 0 : nowMs - earliest(ready.values())
    },
    failures: (key) => failed.get(key) ?? 0,
  }
}

// A walk over all keys, of which there are as many as resources: at a thousand some microseconds.
const earliest = (moments: Iterable<number>): number => {
  let first = Number.POSITIVE_INFINITY
  for (const moment of moments) first = Math.min(first, moment)
  return first
}
