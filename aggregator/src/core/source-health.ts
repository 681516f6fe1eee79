// May the source be believed right now? A small machine over three things: the last good sync, what the last probe said about
// presence, and whether presence is held.
//
//   no good sync for long                       -> stale, 'no-sync'
//   the probe says presence does not work       -> held and stale, 'presence-off', until a probe says otherwise
//   held (most of the city offline at once)     -> a probe is wanted; none that works within 30 s: stale, 'presence-unproven'
import type { Moment } from './moment.ts'

export type StaleReason = 'no-sync' | 'presence-off' | 'presence-unproven'
export type SourceVerdict = {
  readonly source: 'live' | 'stale'
  /** Time since the last good sync; before the first one, since the clock began. */
  readonly sourceAgeMs: number
  readonly reason?: StaleReason
}

export type SourceHealth = {
  readonly lastSyncMs: number | undefined
  readonly presence: 'unproven' | 'works' | 'off'
  readonly heldSinceMs: number | undefined
  /** When presence was last heard of, or seen to work; before that, the first sync. */
  readonly presenceMs: number | undefined
}

export const firstHealth: SourceHealth = {
  lastSyncMs: undefined,
  presence: 'unproven',
  heldSinceMs: undefined,
  presenceMs: undefined,
}

// Three attempts of a probe under the homeserver's own limit of one presence change in ten seconds.
const proofMaxMs = 30_000

/** Of somebody's presence something is heard every few seconds in a city that is awake. With two probes this is found in a minute. */
const presenceSilenceMaxMs = 45_000

export const noteSync = (health: SourceHealth, at: Moment): SourceHealth => ({
  ...health,
  lastSyncMs: at.monotonicMs,
  presenceMs: health.presenceMs ?? at.monotonicMs,
})

export const notePresence = (health: SourceHealth, at: Moment): SourceHealth => ({
  ...health,
  presenceMs: at.monotonicMs,
})

/** Held, or so long without a word about anybody that a homeserver whose presence stands still would look just so. */
export function wantsProbe({ lastSyncMs, presenceMs, heldSinceMs }: SourceHealth, nowMs: number): boolean {
  if (heldSinceMs !== undefined) return true
  // Where no sync comes either, nobody would answer a probe.
  if (lastSyncMs === undefined || presenceMs === undefined || nowMs - lastSyncMs >= presenceSilenceMaxMs) return false
  return nowMs - presenceMs >= presenceSilenceMaxMs
}

export const isHeld = (health: SourceHealth): boolean => health.heldSinceMs !== undefined

/** Begins a hold; one that stands already goes on with its own beginning. */
export const hold = (health: SourceHealth, at: Moment): SourceHealth => ({
  ...health,
  heldSinceMs: health.heldSinceMs ?? at.monotonicMs,
})

export function noteProbe(health: SourceHealth, works: boolean, at: Moment): SourceHealth {
  if (works) return { ...health, presence: 'works', heldSinceMs: undefined, presenceMs: at.monotonicMs }
  return { ...hold(health, at), presence: 'off' }
}

export function judgeSource(health: SourceHealth, at: Moment, staleAfterMs: number): SourceVerdict {
  const sourceAgeMs = Math.max(0, Math.round(at.monotonicMs - (health.lastSyncMs ?? 0)))
  const reason = staleReason(health, at, staleAfterMs)
  return reason === undefined ? { source: 'live', sourceAgeMs } : { source: 'stale', sourceAgeMs, reason }
}

function staleReason(health: SourceHealth, at: Moment, staleAfterMs: number): StaleReason | undefined {
  const { lastSyncMs, heldSinceMs, presence } = health
  if (lastSyncMs === undefined || at.monotonicMs - lastSyncMs >= staleAfterMs) return 'no-sync'
  if (presence === 'off') return 'presence-off'
  return heldSinceMs !== undefined && at.monotonicMs - heldSinceMs >= proofMaxMs ? 'presence-unproven' : undefined
}

/** When time alone turns the verdict to stale, if it is live at `nowMs`. */
export function sourceDueMs(health: SourceHealth, nowMs: number, staleAfterMs: number): number | undefined {
  if (health.lastSyncMs === undefined || health.presence === 'off') return undefined
  const proofEndsMs = health.heldSinceMs === undefined ? Infinity : health.heldSinceMs + proofMaxMs
  const dueMs = Math.min(health.lastSyncMs + staleAfterMs, proofEndsMs)
  return dueMs > nowMs ? dueMs : undefined
}
