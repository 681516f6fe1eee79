// When a room's value is published: at once when it changes after a quiet window, else once at the window's end with the newest.
//
//   offer(slug, value) --> differs from what was published? --> due now, or when the window since the last publish ends
//                      '-> as published: whatever waited is dropped (A -> B -> A inside a window says nothing)
//   takeDue(now, max)  --> the values that are due; they count as published from now on
//
// Compared are online count, typing set, stale, blind, active and removed. A room that becomes stale, or lives again, or is removed, or
// was never published in this epoch does not wait. Owns its table, changed in place.
import type { RoomPresence } from '@citypresence/wire/room-presence'

export type Throttle = {
  readonly windowMs: number
  readonly published: Map<string, { readonly value: RoomPresence; readonly atMs: number }>
  /** What differs from what was published, and when it is due. Bounded by the number of rooms. */
  readonly waiting: Map<string, { readonly value: RoomPresence; readonly dueAtMs: number }>
}

export const createThrottle = (windowMs: number): Throttle => ({ windowMs, published: new Map(), waiting: new Map() })

export function offer(throttle: Throttle, value: RoomPresence, nowMs: number): void {
  const slug = value.room_slug
  const last = throttle.published.get(slug)
  if (last !== undefined && saysTheSame(last.value, value)) throttle.waiting.delete(slug)
  else throttle.waiting.set(slug, { value, dueAtMs: dueAt(throttle, last, value, nowMs) })
}

function dueAt(
  { windowMs }: Throttle,
  last: { readonly value: RoomPresence; readonly atMs: number } | undefined,
  value: RoomPresence,
  nowMs: number,
): number {
  if (last === undefined || isUrgent(last.value, value)) return nowMs
  return Math.max(nowMs, last.atMs + windowMs)
}

const isUrgent = (last: RoomPresence, next: RoomPresence): boolean =>
  (last.stale ?? false) !== (next.stale ?? false) || (last.removed ?? false) !== (next.removed ?? false)

/** Typing users come sorted, so that two equal sets are two equal lists. */
export const saysTheSame = (one: RoomPresence, other: RoomPresence): boolean =>
  one.online_count === other.online_count &&
  one.typing_count === other.typing_count &&
  (one.active ?? false) === (other.active ?? false) &&
  (one.blind ?? false) === (other.blind ?? false) &&
  !isUrgent(one, other) &&
  one.matrix_room_id === other.matrix_room_id &&
  one.matrix_room_alias === other.matrix_room_alias &&
  one.typing_users.length === other.typing_users.length &&
  one.typing_users.every((user, index) => user === other.typing_users[index])

/** At most `max` values that are due, longest waiting first; from now on they count as published. */
export const takeDue = (throttle: Throttle, nowMs: number, max: number): RoomPresence[] =>
  takeUntil(throttle, nowMs, { nowMs, max })

/** The same of all that wait, due or not: for the moment in which everything shown is to be true again. */
export const takeWaiting = (throttle: Throttle, nowMs: number, max: number): RoomPresence[] =>
  takeUntil(throttle, Infinity, { nowMs, max })

function takeUntil(
  throttle: Throttle,
  untilMs: number,
  { nowMs, max }: { readonly nowMs: number; readonly max: number },
): RoomPresence[] {
  const due: RoomPresence[] = []
  for (const [slug, { value, dueAtMs }] of throttle.waiting) {
    if (dueAtMs > untilMs) continue
    if (due.length >= max) break
    throttle.waiting.delete(slug)
    // The first word of an epoch says again what stood there and opens no window: a change right after a takeover does not wait.
    const atMs = throttle.published.has(slug) ? nowMs : Number.NEGATIVE_INFINITY
    throttle.published.set(slug, { value, atMs })
    due.push(value)
  }
  return due
}

export function nextDueAtMs({ waiting }: Throttle): number | undefined {
  let next = Number.POSITIVE_INFINITY
  for (const { dueAtMs } of waiting.values()) next = Math.min(next, dueAtMs)
  return next === Number.POSITIVE_INFINITY ? undefined : next
}

/** A new epoch: nothing counts as published, whatever is offered now is due at once. */
export function forgetPublished(throttle: Throttle): void {
  throttle.published.clear()
  throttle.waiting.clear()
}

/** A removed room has been said; it takes no memory any more. */
export function forgetRoom(throttle: Throttle, slug: string): void {
  throttle.published.delete(slug)
  throttle.waiting.delete(slug)
}
