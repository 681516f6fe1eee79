// What the gateway shows: the board of rooms and whether all of it is stale, both on one scale of marks, so that "everything
// since mark m" is one question.
//
//   learn / replace / setStatus --> mark grows --> framesSince(m) for readers at m, joinBytes for a new reader
//
// A city belongs to the loop; the functions change it in place and say whether a reader has something new to show.
import { changedSince, createBoard, forgetRemoved, liveRooms, putRoom, replaceRooms } from '@citypresence/wire/board'
import type { Board } from '@citypresence/wire/board'
import type { RoomView, StaleReason } from '@citypresence/wire/client-messages'
import { snapshotText, statusFrame, textFrame, updateFrame } from './frames.ts'

export type Status = { readonly stale: boolean; readonly reason?: StaleReason | undefined }
export type City = {
  readonly board: Board
  status: Status
  statusMark: number
  /** Each view's frame is built once, whoever needs it; it goes with the view. */
  readonly frames: WeakMap<RoomView, Buffer>
  /** What a new reader gets, as of a mark; built when somebody comes after a change. */
  join: { readonly mark: number; readonly bytes: Buffer } | undefined
  snapshotBuilds: number
}

/** Nothing heard yet: unknown, and said so. */
const initialStatus: Status = { stale: true, reason: 'no-beat' }

export const createCity = (): City => ({
  board: createBoard(),
  status: initialStatus,
  statusMark: 0,
  frames: new WeakMap(),
  join: undefined,
  snapshotBuilds: 0,
})

export const markOf = (city: City): number => city.board.mark

/** How many rooms changed for a reader. */
export function learnRooms(city: City, views: readonly RoomView[]): number {
  let changed = 0
  for (const view of views) if (putRoom(city.board, view)) changed++
  return changed
}

export const replaceCity = (city: City, views: readonly RoomView[]): number => replaceRooms(city.board, views).length

export function setStatus(city: City, status: Status): boolean {
  if (status.stale === city.status.stale && status.reason === city.status.reason) return false
  city.status = status
  city.board.mark++
  city.statusMark = city.board.mark
  return true
}

export type MarkedFrame = { readonly mark: number; readonly bytes: Buffer }

/** The frames that a reader at `mark` has missed, oldest change first: the newest value of each room, and the status. */
export function framesSince(city: City, mark: number): MarkedFrame[] {
  const missed = changedSince(city.board, mark).map((view) => ({
    mark: city.board.entries.get(view.room_slug)?.mark ?? 0,
    bytes: frameOf(city, view),
  }))
  if (city.statusMark <= mark) return missed
  const status = { mark: city.statusMark, bytes: statusFrame(toMessage(city.status)) }
  const at = missed.findIndex((other) => other.mark > status.mark)
  missed.splice(at < 0 ? missed.length : at, 0, status)
  return missed
}

function frameOf(city: City, view: RoomView): Buffer {
  const known = city.frames.get(view)
  if (known !== undefined) return known
  const built = updateFrame(view)
  city.frames.set(view, built)
  return built
}

const toMessage = ({ stale, reason }: Status) => (reason === undefined ? { stale } : { stale, reason })

/** Snapshot and status in one piece, the same for all who join at this mark. */
export function joinBytes(city: City): Buffer {
  if (city.join?.mark === city.board.mark) return city.join.bytes
  const bytes = Buffer.concat([textFrame(snapshotOf(city)), statusFrame(toMessage(city.status))])
  city.join = { mark: city.board.mark, bytes }
  city.snapshotBuilds++
  return bytes
}

/** The snapshot as text: what a socket gets first and what the REST road answers. */
export const snapshotOf = (city: City): string => snapshotText(liveRooms(city.board))

/** Everybody has everything up to `mark`: rooms removed before it need not be remembered. */
export const forgetBefore = (city: City, mark: number): void => forgetRemoved(city.board, mark)
