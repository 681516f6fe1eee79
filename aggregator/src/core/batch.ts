// What goes out in one fenced batch: rooms first, the beat last; and how many rooms of this epoch the stream then holds.
//
//   rooms (at most 999) + beat -> messages, each with epoch, and where there is one, trace and time to live
import type { Beat } from '@citypresence/wire/beat'
import { epochHeader, formatEpoch, traceHeader, type Epoch } from '@citypresence/wire/epoch'
import { removedRoomTtlSeconds, type RoomPresence } from '@citypresence/wire/room-presence'
import type { Subjects } from '@citypresence/wire/subjects'

export type OutMessage = {
  /** As stored; the stream takes it under its intake. */
  readonly subject: string
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
}

// nats-server takes at most 1,000 messages in one atomic batch.
export const batchMax = 1_000
/** One place is the beat's. */
export const roomsPerBatchMax = batchMax - 1

export type BatchOptions = {
  readonly epoch: Epoch
  readonly subjects: Subjects
  readonly traceOf: (slug: string) => string | undefined
}

export function toMessages(rooms: readonly RoomPresence[], beat: Beat, options: BatchOptions): OutMessage[] {
  const voice = formatEpoch(options.epoch)
  const messages = rooms.map((room) => roomMessage(room, voice, options))
  messages.push({ subject: options.subjects.beat, body: JSON.stringify(beat), headers: { [epochHeader]: voice } })
  return messages
}

function roomMessage(room: RoomPresence, voice: string, { subjects, traceOf }: BatchOptions): OutMessage {
  const trace = traceOf(room.room_slug)
  return {
    subject: subjects.room(room.room_slug),
    body: JSON.stringify(room),
    headers: {
      [epochHeader]: voice,
      ...(trace !== undefined && { [traceHeader]: trace }),
      ...(room.removed === true && { 'Nats-TTL': `${removedRoomTtlSeconds}s` }),
    },
  }
}

/** The rooms of this epoch that the stream holds once these are stored: what the beat tells as its number. */
export function heldAfter(held: ReadonlySet<string>, rooms: readonly RoomPresence[]): Set<string> {
  const after = new Set(held)
  for (const room of rooms) {
    if (room.removed === true) after.delete(room.room_slug)
    else after.add(room.room_slug)
  }
  return after
}

/** A room that is no part of the city any more: zeros, and the mark that says so. */
export const removedRoom = (stored: RoomPresence, nowWallMs: number): RoomPresence => ({
  type: 'room.presence',
  room_slug: stored.room_slug,
  matrix_room_id: stored.matrix_room_id,
  matrix_room_alias: stored.matrix_room_alias,
  online_count: 0,
  typing_count: 0,
  typing_users: [],
  last_event_ts: nowWallMs,
  removed: true,
})
