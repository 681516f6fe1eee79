// The rooms that the feed knows: of each the newest value, and how many belong to the voice that is followed.
//
//   learn(room) --> was it news?      raise(voice) --> a new count begins      dropMissing / dropOlder --> what is gone
//
// A table belongs to one feed, which hands it to these functions; they change it in place (it holds thousands of rooms).
import type { RoomView } from '@citypresence/wire/client-messages'
import { compareEpochs, type Epoch } from '@citypresence/wire/epoch'

export type Known = { readonly epoch: Epoch; readonly sequence: number; readonly view: RoomView }

export type RoomTable = {
  /** The best voice heard; nothing lower is believed. */
  best: Epoch | undefined
  /** The voice of the last complete city: what is lower than that is a ghost, wherever it comes from. */
  floor: Epoch | undefined
  readonly rooms: Map<string, Known>
  /** Rooms of the best voice, removed ones apart: what a beat's number is held against. */
  current: number
  /** Newest sequence of a room of the best voice: a beat that is older says nothing about this table. */
  newestRoom: number
}

export const createRoomTable = (): RoomTable => ({
  best: undefined,
  floor: undefined,
  rooms: new Map(),
  current: 0,
  newestRoom: 0,
})

const isCurrent = ({ best }: RoomTable, { epoch }: Known): boolean =>
  best !== undefined && compareEpochs(epoch, best) === 0

const counts = (table: RoomTable, known: Known | undefined): number =>
  known !== undefined && known.view.removed !== true && isCurrent(table, known) ? 1 : 0

/** A higher voice begins a new count: of its rooms none is known yet. False when it is no higher. */
export function raise(table: RoomTable, voice: Epoch): boolean {
  if (table.best !== undefined && compareEpochs(voice, table.best) <= 0) return false
  table.best = voice
  table.current = 0
  table.newestRoom = 0
  return true
}

/** Takes what is newer than what is known. An older value may come after a newer one: a snapshot overtakes live messages. */
export function learn(table: RoomTable, incoming: Known): boolean {
  const known = table.rooms.get(incoming.view.room_slug)
  if (!isBelievable(table, incoming) || (known !== undefined && !isNewer(incoming, known))) return false
  table.current += counts(table, incoming) - counts(table, known)
  table.rooms.set(incoming.view.room_slug, incoming)
  if (isCurrent(table, incoming)) table.newestRoom = Math.max(table.newestRoom, incoming.sequence)
  return true
}

function isBelievable({ best, floor }: RoomTable, { epoch }: Known): boolean {
  if (best === undefined || compareEpochs(epoch, best) > 0) return false
  return floor === undefined || compareEpochs(epoch, floor) >= 0
}

function isNewer(a: Known, b: Known): boolean {
  const order = compareEpochs(a.epoch, b.epoch)
  return order > 0 || (order === 0 && a.sequence > b.sequence)
}

/** Forgets what the stream up to `newest` no longer holds; true when that was a room of the city. */
export function dropMissing(table: RoomTable, held: ReadonlySet<string>, newest: number): boolean {
  const before = table.current
  for (const [slug, known] of table.rooms) {
    if (known.sequence > newest || held.has(slug)) continue
    table.current -= counts(table, known)
    table.rooms.delete(slug)
  }
  return table.current !== before
}

/** The city of the best voice is complete: what older ones left behind goes. The rooms of the city. */
export function settle(table: RoomTable): RoomView[] {
  table.floor = table.best
  const views: RoomView[] = []
  for (const [slug, known] of table.rooms) {
    if (!isCurrent(table, known)) table.rooms.delete(slug)
    else if (known.view.removed !== true) views.push(known.view)
  }
  return views
}
