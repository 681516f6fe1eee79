// Rooms of which a first sync named only some members, because all of them would not have fitted: who is there comes from
// /joined_members, room by room, and a room counts from its list on.
//
//   lazy first sync -> unlisted -> changes of the syncs after it: kept -> list -> members: the list, and the changes over it
//
// The list was made after the first sync and before or after any of the changes. Whoever did not move since that sync is where
// the list says; whoever did is where the last change says, or the next one will. So it is taken at once and waits for nobody; a long
// one in pieces, between which changes are kept as before.
//
// A list that cannot come (the homeserver fails at it, it is larger than we take) must not keep the city from knowing who has left it:
// after ten minutes nobody waits for it any more. One that comes later counts all the same.
import type { Moment } from './moment.ts'
import { peoplePerPiece, visit, type Pieces } from './pieces.ts'

export type Unlisted = {
  /** A list that was asked for before this is older than the changes that were kept. */
  readonly sinceMs: number
  /** Who left since, and did not come back: a list made before that still has them. */
  readonly left: Set<string>
}

export type UnlistedRooms = Map<string, Unlisted>

export const noteUnlisted = (rooms: UnlistedRooms, roomId: string, { monotonicMs }: Moment): void =>
  void rooms.set(roomId, { sinceMs: monotonicMs, left: new Set() })

export const noteLeft = (rooms: UnlistedRooms, roomId: string, userId: string): void =>
  void rooms.get(roomId)?.left.add(userId)

export const noteJoined = (rooms: UnlistedRooms, roomId: string, userId: string): void =>
  void rooms.get(roomId)?.left.delete(userId)

/** Tells who of the list is in the room, which is listed then. False where the list is too old to say, or became so. */
export function* takeList(
  rooms: UnlistedRooms,
  roomId: string,
  { userIds, askedAt }: { readonly userIds: readonly string[]; readonly askedAt: Moment },
  join: (userId: string) => void,
): Pieces<boolean> {
  const room = rooms.get(roomId)
  if (room === undefined || askedAt.monotonicMs < room.sinceMs) return false
  const isStillOurs = (): boolean => rooms.get(roomId) === room
  yield* visit(userIds, peoplePerPiece, (userId) => {
    if (isStillOurs() && !room.left.has(userId)) join(userId)
  })
  return isStillOurs() && rooms.delete(roomId)
}

/** Two refreshes of the map. Lists come as fast as the homeserver answers: those of 2,000 rooms in two minutes. */
export const listPatienceMs = 600_000

/** Whether there are rooms that are to be listed yet, and hope that they will be. */
export function areAwaited(rooms: UnlistedRooms, nowMs: number): boolean {
  for (const { sinceMs } of rooms.values()) if (nowMs < sinceMs + listPatienceMs) return true
  return false
}
