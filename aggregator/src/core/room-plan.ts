// From the map of the city to Matrix rooms: which room each slug means now, and which rooms the daemon has to be in.
//
//   entry -> its room id, else what its alias resolves to -> the room that replaced it, and so on -> the room
//
// A slug without a room stays in the map under a name that no room has (see unknownRoom): a room that is not known is not a
// room that was removed. Two slugs never share a room: the first of the map keeps it. Pure.
import type { RoomDirectoryEntry } from '@citypresence/wire/room-directory'
import type { RoomSlug } from '@citypresence/wire/subjects'
import type { MappedRoom } from './city-rooms.ts'
import type { JoinTarget } from './join-queue.ts'

export type Resolved = { readonly roomId: string; readonly servers: readonly string[] }
export type Successor = { readonly roomId: string; readonly viaServer: string }

export type RoomPlan = {
  readonly mapped: readonly MappedRoom[]
  readonly targets: readonly JoinTarget[]
  /** Slugs whose alias leads nowhere, or that have neither id nor alias. */
  readonly unresolved: readonly RoomSlug[]
  /** Slugs that lead to a room which another slug has. */
  readonly doubled: readonly RoomSlug[]
}

/** A room upgraded more often than this is a circle. */
const upgradesMax = 32

export function planRooms(
  entries: readonly RoomDirectoryEntry[],
  resolved: ReadonlyMap<string, Resolved>,
  successors: ReadonlyMap<string, Successor>,
): RoomPlan {
  const taken = new Set<string>()
  const plan = {
    mapped: [] as MappedRoom[],
    targets: [] as JoinTarget[],
    unresolved: [] as RoomSlug[],
    doubled: [] as RoomSlug[],
  }
  for (const entry of entries) {
    const { slug, matrix_room_alias: alias = null } = entry
    const target = targetOf(entry, resolved, successors)
    const isFree = target !== undefined && !taken.has(target.roomId)
    if (target === undefined) plan.unresolved.push(slug)
    else if (!isFree) plan.doubled.push(slug)
    else {
      taken.add(target.roomId)
      plan.targets.push(target)
    }
    plan.mapped.push({ slug, roomId: isFree ? target.roomId : unknownRoom(slug), alias })
  }
  return plan
}

/** Room ids begin with `!`, so that this is none. */
export const unknownRoom = (slug: RoomSlug): string => `?${slug}`
export const isUnknownRoom = (roomId: string): boolean => !roomId.startsWith('!')

function targetOf(
  { matrix_room_id: roomId, matrix_room_alias: alias }: RoomDirectoryEntry,
  resolved: ReadonlyMap<string, Resolved>,
  successors: ReadonlyMap<string, Successor>,
): JoinTarget | undefined {
  const found = alias === undefined ? undefined : resolved.get(alias)
  const first = roomId ?? found?.roomId
  if (first === undefined) return undefined
  const via = [...(alias === undefined ? [] : [serverOfAlias(alias)]), ...(found?.servers ?? [])]
  return follow({ roomId: first, via: unique(via) }, successors)
}

function follow(target: JoinTarget, successors: ReadonlyMap<string, Successor>): JoinTarget {
  let current = target
  for (let upgrade = 0; upgrade < upgradesMax; upgrade++) {
    const next = successors.get(current.roomId)
    if (next === undefined) return current
    current = { roomId: next.roomId, via: unique([next.viaServer, ...current.via]) }
  }
  // A circle: nobody knows which of them is meant, so what the map says stays.
  return target
}

/** The localpart of an alias holds no colon, so the first one begins the server's name (which may hold a port). */
const serverOfAlias = (alias: string): string => alias.slice(alias.indexOf(':') + 1)
const unique = (servers: readonly string[]): string[] => [...new Set(servers)].filter((server) => server !== '')
