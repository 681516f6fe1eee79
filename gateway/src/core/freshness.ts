// Whether what is shown may be called fresh: who leads has been heard lately, said the whole city, and believes in its source.
//
//   claim, beat (live) -> endWrite, praise     complete -> completeAtMs     staleReason(now) -> why not, or undefined
import type { Beat } from '@citypresence/wire/beat'
import type { StaleReason } from '@citypresence/wire/client-messages'

export type Freshness = {
  /** What the last believed beat said of it; a claim says nothing, so it outlives the voice. */
  source: Beat['source'] | undefined
  /** When the last beat came that proved that its leader lives. */
  beatAtMs: number | undefined
  completeAtMs: number | undefined
  /** Writes of a leader that were heard to their end since the last silence. */
  ends: number
  endAtMs: number | undefined
}

// A beat comes every second: five missed ones are no accident any more.
export const staleAfterMs = 5_000

export const createFreshness = (): Freshness => ({
  source: undefined,
  beatAtMs: undefined,
  completeAtMs: undefined,
  ends: 0,
  endAtMs: undefined,
})

/**
 * A live write came to its end: a claim is one by itself, a beat ends every other. The first one after a silence may have been held
 * up on its way while its leader died: whoever leads has one in flight, and sends the next only when that one was answered. So the
 * second is the one that shows that somebody lives.
 */
export function endWrite(freshness: Freshness, kind: 'claim' | 'beat', nowMs: number): void {
  const { endAtMs } = freshness
  const isAfterSilence = endAtMs === undefined || nowMs - endAtMs >= staleAfterMs
  freshness.ends = isAfterSilence ? 1 : freshness.ends + 1
  freshness.endAtMs = nowMs
  if (kind === 'beat' && freshness.ends >= 2) freshness.beatAtMs = nowMs
}

/** What a leader says before it said the whole city is no praise of what the one before it left. */
export function noteSource(freshness: Freshness, { complete, source }: Beat): void {
  if (complete || source === 'stale') freshness.source = source
}

/** Undefined when everything shown is as true as the leader knows. */
export function staleReason(freshness: Freshness, nowMs: number): StaleReason | undefined {
  const isRecent = (atMs: number | undefined): boolean => atMs !== undefined && nowMs - atMs <= staleAfterMs
  if (!isRecent(freshness.beatAtMs)) return 'no-beat'
  if (!isRecent(freshness.completeAtMs)) return 'incomplete'
  return freshness.source === 'stale' ? 'source' : undefined
}
