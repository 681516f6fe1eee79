// The board: the latest presence of every room. The gateway makes snapshots from it, the browser shows it; both use this file.
//
//   put(room) --> did it change?     replace(rooms) --> what differs, rooms that are gone as zeros with `removed`
//
// A board belongs to one loop, which hands it to these functions; they change it in place and return what changed (copying a
// thousand rooms for each change of one would cost more than the rest of the gateway).
import type { RoomView } from './client-messages.ts'

/** Each room with the `mark` of its last change: marks only grow, so "what is newer than m" has an answer for any reader. */
export type BoardEntry = { readonly view: RoomView; readonly mark: number }
export type Board = { readonly entries: Map<string, BoardEntry>; mark: number }

export const createBoard = (): Board => ({ entries: new Map(), mark: 0 })

export const sameView = (a: RoomView, b: RoomView): boolean =>
  a.online_count === b.online_count &&
  a.typing_count === b.typing_count &&
  (a.active ?? false) === (b.active ?? false) &&
  (a.stale ?? false) === (b.stale ?? false) &&
  (a.removed ?? false) === (b.removed ?? false) &&
  a.below === b.below

/** Sets one room; true when a reader has something new to show. A removed room that nobody knew is nothing new. */
export function putRoom(board: Board, view: RoomView): boolean {
  const known = board.entries.get(view.room_slug)
  if (known === undefined ? view.removed === true : sameView(known.view, view)) return false
  board.mark++
  // Taken out first, so that the map runs from the longest unchanged room to the latest changed one.
  board.entries.delete(view.room_slug)
  board.entries.set(view.room_slug, { view, mark: board.mark })
  return true
}

const removedView = (slug: string): RoomView => ({ room_slug: slug, online_count: 0, typing_count: 0, removed: true })

/** Makes the board hold these rooms and no other; returns the views that differ from before. */
export function replaceRooms(board: Board, views: Iterable<RoomView>): RoomView[] {
  const changed: RoomView[] = []
  const kept = new Set<string>()
  for (const view of views) {
    kept.add(view.room_slug)
    if (putRoom(board, view)) changed.push(view)
  }
  for (const slug of [...board.entries.keys()]) {
    const gone = removedView(slug)
    if (!kept.has(slug) && putRoom(board, gone)) changed.push(gone)
  }
  return changed
}

/** The rooms to show: removed ones are kept as entries, so that a late reader hears of it, but are no part of the city. */
export function liveRooms(board: Board): RoomView[] {
  const rooms: RoomView[] = []
  for (const { view } of board.entries.values()) if (view.removed !== true) rooms.push(view)
  return rooms
}

/** The newest value of each room that changed after `mark`, oldest change first: all that a reader at `mark` has missed. */
export function changedSince(board: Board, mark: number): RoomView[] {
  const missed: RoomView[] = []
  if (mark >= board.mark) return missed
  for (const entry of board.entries.values()) if (entry.mark > mark) missed.push(entry.view)
  return missed
}

/** Forgets rooms that were removed at or before `mark`: every reader has heard of it by then. */
export function forgetRemoved(board: Board, mark: number): void {
  for (const [slug, entry] of board.entries)
    if (entry.view.removed === true && entry.mark <= mark) board.entries.delete(slug)
}
