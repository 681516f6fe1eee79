// A room whose count is the moment at which it was said: whoever reads it knows its age.
import type { RoomPresence } from '@citypresence/wire/room-presence'

// Units of 100 us, modulo 10^9: what load/sink.c reads.
const stampNow = (): number => Math.floor((performance.timeOrigin + performance.now()) * 10) % 1_000_000_000

export const roomNow = (index: number): RoomPresence => ({
  type: 'room.presence',
  room_slug: `room${index}`,
  matrix_room_id: `!room${index}:bench`,
  matrix_room_alias: null,
  online_count: stampNow(),
  typing_count: 0,
  typing_users: [],
  last_event_ts: Date.now(),
})
