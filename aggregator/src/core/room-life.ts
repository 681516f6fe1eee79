// What happens in one room apart from who is there: who types, and when somebody last wrote or came in.
//
//   typing list --replaces--> typing, until the safety limit     message, join --> active until the window is over
//
// Owned by the observation and changed in place. Windows run on the monotonic clock, stamps are wall-clock.
import type { Moment } from './moment.ts'
import { createMovers, type RecentMovers } from './recent-movers.ts'

export type RoomLife = {
  typing: readonly string[]
  typingUntilMs: number
  /** 0 when the window is over. */
  activeUntilMs: number
  /** Last message or join, wall clock; 0 when none was seen. */
  lastActivityTs: number
  /** For audits: who came or went lately, by our clock. */
  readonly movers: RecentMovers
  /** Who came or went lately, as news told, and when (their own servers' clocks); the latest one last. */
  readonly moves: Map<string, number>
}

/**
 * So many are remembered of each room. A fork of a room heals with the next event in it, so what may be told again as old state
 * are the last few changes; a hundred are more than can stand between two events, and cost a room 10 kB at the most.
 */
const movesMax = 100

/** Of a room that is followed from this moment on. */
export const createLife = (sinceMs = -Infinity): RoomLife => ({
  typing: [],
  typingUntilMs: Infinity,
  activeUntilMs: 0,
  lastActivityTs: 0,
  movers: createMovers(sinceMs),
  moves: new Map(),
})

/** News of somebody who came or went. */
export function noteMove({ moves }: RoomLife, userId: string, originTs: number): void {
  moves.delete(userId)
  moves.set(userId, originTs)
  for (const oldest of moves.keys()) {
    if (moves.size <= movesMax) return
    moves.delete(oldest)
  }
}

/** Whether news told of something of this person there after that moment. */
export const hasMovedSince = ({ moves }: RoomLife, userId: string, originTs: number): boolean =>
  (moves.get(userId) ?? -Infinity) > originTs

/**
 * The list replaces the one before. It ends by itself after `typingMaxMs`: a server that restarts forgets who typed and says
 * nothing, and one that is asked to keep a person typing sends no second event before its own limit of two minutes.
 */
export function setTyping(life: RoomLife, userIds: readonly string[], at: Moment, typingMaxMs: number): void {
  life.typing = userIds
  life.typingUntilMs = userIds.length === 0 ? Infinity : at.monotonicMs + typingMaxMs
}

/** True when somebody typed. */
export function stopTyping(life: RoomLife): boolean {
  const typed = life.typing.length > 0
  life.typing = []
  life.typingUntilMs = Infinity
  return typed
}

/** A message or a join. Its stamp comes from another server: the future counts as now, the past as what it is. */
export function noteActivity(life: RoomLife, originTs: number | undefined, at: Moment, activeWindowMs: number): void {
  const ts = Math.min(originTs ?? at.wallMs, at.wallMs)
  const untilMs = at.monotonicMs + activeWindowMs - (at.wallMs - ts)
  life.lastActivityTs = Math.max(life.lastActivityTs, ts)
  if (untilMs > at.monotonicMs) life.activeUntilMs = Math.max(life.activeUntilMs, untilMs)
}

/** Ends what is over; true when something ended. */
export function endLife(life: RoomLife, nowMs: number): boolean {
  const typingEnds = life.typingUntilMs <= nowMs
  const activeEnds = life.activeUntilMs !== 0 && life.activeUntilMs <= nowMs
  if (typingEnds) stopTyping(life)
  if (activeEnds) life.activeUntilMs = 0
  return typingEnds || activeEnds
}

/** When something ends next; Infinity when nothing does. */
export const lifeDueMs = ({ typingUntilMs, activeUntilMs }: RoomLife): number =>
  Math.min(typingUntilMs, activeUntilMs === 0 ? Infinity : activeUntilMs)

/**
 * Activity and moves seen before a full replacement are not forgotten by it: the new answer shows only the latest messages, and state
 * of before it may still come after it.
 */
export function carryLife(former: RoomLife, fresh: RoomLife): void {
  fresh.activeUntilMs = Math.max(fresh.activeUntilMs, former.activeUntilMs)
  fresh.lastActivityTs = Math.max(fresh.lastActivityTs, former.lastActivityTs)
  const newer = [...fresh.moves]
  fresh.moves.clear()
  for (const [userId, originTs] of [...former.moves, ...newer]) noteMove(fresh, userId, originTs)
}
