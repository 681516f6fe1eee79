// Rooms of which a first sync named only some members, because all of them would not have fitted: who is there comes from
// /joined_members, room by room, and a room counts from its list on.
//
//   lazy first sync -> unlisted -> changes of the syncs after it: kept -> list -> members: the list, and the changes over it
//
// The list was made after the first sync and before or after any of the changes. Whoever did not move since that sync is where
// the list says; whoever did is where the last change says, or the next one will. So it is taken at once and waits for nobody.
import type { Moment } from './moment.ts'

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

/** Who of the list is in the room; undefined where the list is too old to say. The room is listed then. */
export function takeList(
  rooms: UnlistedRooms,
  roomId: string,
  userIds: readonly string[],
  askedAt: Moment,
): readonly string[] | undefined {
  const room = rooms.get(roomId)
  if (room === undefined || askedAt.monotonicMs < room.sinceMs) return undefined
  rooms.delete(roomId)
  return userIds.filter((userId) => !room.left.has(userId))
}
