// The rooms of the city as readers see them: which slug is which Matrix room, and what was last seen there.
//
//   Matrix room --look--> record { view }   <--slug entry-- slug       changed: slugs whose value may differ
//        lost --> the slugs keep the last value, frozen and stale, until a room of theirs was looked at again
//        blind -> the same, whoever comes, goes, or enters it anew, until it is known to be shown again (see blind-rooms)
//
// Owned by the city and changed in place.
import { roomsMax } from '@citypresence/wire/room-directory'
import type { RoomPresence } from '@citypresence/wire/room-presence'
import type { RoomSlug } from '@citypresence/wire/subjects'
import type { Observation } from './observation.ts'
import { presenceOf, removedPresence, sameRoomView, viewOf, type RoomView } from './room-value.ts'

export type MappedRoom = { readonly slug: RoomSlug; readonly roomId: string; readonly alias: string | null }

export type RoomValue =
  | { readonly kind: 'known'; readonly presence: RoomPresence }
  /** Never counted yet: nothing may be said about it. */
  | { readonly kind: 'unobserved' }
  | { readonly kind: 'removed'; readonly presence: RoomPresence }

/** A room that is followed, or mapped, or both. `view` is undefined until it was counted. */
type RoomRecord = {
  readonly roomId: string
  readonly slugs: Set<RoomSlug>
  view: RoomView | undefined
  lastEventTs: number
}

type SlugEntry = {
  readonly mapped: MappedRoom
  /** When the slug began to mean this room. */
  readonly sinceTs: number
  /** The last value, for the time in which the room is not counted. */
  frozen: RoomPresence | undefined
}

export type CityRooms = {
  readonly records: Map<string, RoomRecord>
  readonly slugs: Map<RoomSlug, SlugEntry>
  /** Slugs that are no longer mapped, longest gone first. */
  readonly removed: Map<RoomSlug, RoomPresence>
  changed: Set<RoomSlug>
  /** Rooms that are followed and were not counted yet, because presence is held. */
  readonly awaiting: Set<string>
  /**
   * Rooms of which the homeserver tells no presence: who is online there is not known. No sync says so or takes it back, so it
   * outlives the daemon's leaving, and also a map without the room, which may come back.
   */
  readonly blind: Set<string>
}

export const createCityRooms = (): CityRooms => ({
  records: new Map(),
  slugs: new Map(),
  removed: new Map(),
  changed: new Set(),
  awaiting: new Set(),
  blind: new Set(),
})

export type Look = { readonly held: boolean; readonly nowMs: number; readonly stampTs: number }

/** Looks at one room after something happened there. */
export function lookAtRoom(rooms: CityRooms, observation: Observation, roomId: string, look: Look): void {
  const view = rooms.blind.has(roomId) ? undefined : viewOf(observation, roomId, look.nowMs)
  if (view === undefined) loseRoom(rooms, roomId, look.stampTs)
  else showRoom(rooms, recordOf(rooms, roomId), view, look)
}

function showRoom(rooms: CityRooms, record: RoomRecord, view: RoomView, { held, stampTs }: Look): void {
  const before = record.view
  if (before === undefined && held) {
    rooms.awaiting.add(record.roomId)
    return
  }
  record.view = view
  if (before === undefined) rooms.awaiting.delete(record.roomId)
  if (before === undefined || !sameRoomView(before, view)) tellSlugs(rooms, record, stampTs)
}

function tellSlugs(rooms: CityRooms, record: RoomRecord, stampTs: number): void {
  record.lastEventTs = stampTs
  for (const slug of record.slugs) rooms.changed.add(slug)
}

function recordOf(rooms: CityRooms, roomId: string): RoomRecord {
  const known = rooms.records.get(roomId)
  if (known !== undefined) return known
  const record: RoomRecord = { roomId, slugs: new Set(), view: undefined, lastEventTs: 0 }
  rooms.records.set(roomId, record)
  return record
}

/** The daemon is out of the room: what was last seen stays, and is marked. */
function loseRoom(rooms: CityRooms, roomId: string, stampTs: number): void {
  const record = rooms.records.get(roomId)
  rooms.awaiting.delete(roomId)
  if (record === undefined) return
  for (const slug of record.slugs) {
    const entry = rooms.slugs.get(slug)
    if (entry !== undefined) freeze(rooms, entry, stampTs)
  }
  record.view = undefined
  if (record.slugs.size === 0) rooms.records.delete(roomId)
}

function freeze(rooms: CityRooms, entry: SlugEntry, stampTs: number): void {
  const { mapped } = entry
  const view = rooms.records.get(mapped.roomId)?.view
  if (view === undefined) return
  entry.frozen = { ...presenceOf(mapped, view, stampTs), stale: true }
  rooms.changed.add(mapped.slug)
}

export function noteBlind(rooms: CityRooms, roomId: string, isBlind: boolean): void {
  const { blind } = rooms
  if (!isBlind) blind.delete(roomId)
  else blind.add(roomId)
  // A map holds at most so many: there are some that it does not hold, and these matter to nobody now.
  if (blind.size > roomsMax) for (const one of blind) if (!isMapped(rooms, one)) blind.delete(one)
}

const isMapped = (rooms: CityRooms, roomId: string): boolean => (rooms.records.get(roomId)?.slugs.size ?? 0) > 0

/** What was last known of a blind room, where its slug still means that room. */
export function inheritBlind(rooms: CityRooms, last: RoomPresence): void {
  const entry = rooms.slugs.get(last.room_slug)
  if (entry?.mapped.roomId !== last.matrix_room_id) return
  noteBlind(rooms, entry.mapped.roomId, true)
  rooms.awaiting.delete(entry.mapped.roomId)
  recordOf(rooms, entry.mapped.roomId).view = undefined
  const view = { online: last.online_count, typing: [], active: false, lastActivityTs: last.last_activity_ts ?? 0 }
  entry.frozen = { ...presenceOf(entry.mapped, view, last.last_event_ts), stale: true }
  rooms.changed.add(entry.mapped.slug)
}

/** Takes a new map: it holds these slugs and no other. */
export function takeMap(
  rooms: CityRooms,
  map: readonly MappedRoom[],
  isFollowed: (roomId: string) => boolean,
  stampTs: number,
): void {
  const slugs = new Set(map.map(({ slug }) => slug))
  for (const [slug, entry] of rooms.slugs) if (!slugs.has(slug)) removeSlug(rooms, entry, isFollowed, stampTs)
  for (const mapped of map) mapSlug(rooms, mapped, isFollowed, stampTs)
}

function removeSlug(
  rooms: CityRooms,
  entry: SlugEntry,
  isFollowed: (roomId: string) => boolean,
  stampTs: number,
): void {
  const { slug } = entry.mapped
  detach(rooms, entry, isFollowed)
  rooms.slugs.delete(slug)
  rooms.changed.add(slug)
  rooms.removed.set(slug, removedPresence(entry.mapped, stampTs))
  // A map holds at most so many; who asks later about one removed before them is told of zeros without a room id.
  if (rooms.removed.size > roomsMax) forgetOldest(rooms.removed)
}

function forgetOldest(removed: Map<RoomSlug, RoomPresence>): void {
  for (const oldest of removed.keys()) {
    removed.delete(oldest)
    return
  }
}

function detach(rooms: CityRooms, { mapped }: SlugEntry, isFollowed: (roomId: string) => boolean): void {
  const record = rooms.records.get(mapped.roomId)
  record?.slugs.delete(mapped.slug)
  if (record?.slugs.size === 0 && !isFollowed(mapped.roomId)) rooms.records.delete(mapped.roomId)
}

function mapSlug(rooms: CityRooms, mapped: MappedRoom, isFollowed: (roomId: string) => boolean, stampTs: number): void {
  const { slug, roomId, alias } = mapped
  const before = rooms.slugs.get(slug)
  if (before?.mapped.roomId === roomId && before.mapped.alias === alias) return
  if (before !== undefined) freeze(rooms, before, stampTs)
  if (before !== undefined && before.mapped.roomId !== roomId) detach(rooms, before, isFollowed)
  const record = recordOf(rooms, roomId)
  record.slugs.add(slug)
  const frozen = record.view === undefined ? before?.frozen : undefined
  rooms.slugs.set(slug, { mapped, sinceTs: stampTs, frozen })
  rooms.removed.delete(slug)
  rooms.changed.add(slug)
}

export function valueOfSlug(rooms: CityRooms, slug: RoomSlug): RoomValue {
  const entry = rooms.slugs.get(slug)
  if (entry === undefined) return { kind: 'removed', presence: rooms.removed.get(slug) ?? neverMapped(slug) }
  const record = rooms.records.get(entry.mapped.roomId)
  if (record?.view !== undefined) {
    const lastEventTs = Math.max(record.lastEventTs, entry.sinceTs)
    return { kind: 'known', presence: presenceOf(entry.mapped, record.view, lastEventTs) }
  }
  if (entry.frozen === undefined) return { kind: 'unobserved' }
  const isBlind = rooms.blind.has(entry.mapped.roomId)
  return { kind: 'known', presence: { ...entry.frozen, ...(isBlind && { blind: true }) } }
}

const neverMapped = (slug: RoomSlug): RoomPresence => removedPresence({ slug, roomId: '', alias: null }, 0)
