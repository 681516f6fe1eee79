// The event about one room that the aggregator publishes, with exactly the keys and types of the first description; what came
// later is optional, so that an older reader passes over it.
import { arrayOf, flag, integer, nullable, object, oneOf, text, type Infer } from './decode.ts'
import { roomSlug } from './subjects.ts'

// Matrix ids are at most 255 bytes.
export const matrixIdLengthMax = 255
// More names at once are no longer a person's business; a typing list is cut there, its count too.
export const typingUsersMax = 1_000

export const roomPresence = object(
  {
    type: oneOf('room.presence'),
    room_slug: roomSlug,
    matrix_room_id: text(matrixIdLengthMax),
    /** null where the room has no alias. */
    matrix_room_alias: nullable(text(matrixIdLengthMax)),
    online_count: integer(0),
    typing_count: integer(0),
    typing_users: arrayOf(text(matrixIdLengthMax), typingUsersMax),
    /** Receipt time of the sync response that last changed what is published, in milliseconds. */
    last_event_ts: integer(0),
  },
  {
    /** Somebody types, or wrote or joined within the active window. */
    active: flag,
    last_activity_ts: integer(0),
    /** The source no longer tells about this room; the counts are the last known. */
    stale: flag,
    /** It is stale because the homeserver keeps the room out of presence: who leads next needs to know. Never told to browsers. */
    blind: flag,
    /** The room is no longer part of the city. */
    removed: flag,
  },
)
export type RoomPresence = Infer<typeof roomPresence>

// A removed room stays readable for so long that a gateway which was away still hears of it.
export const removedRoomTtlSeconds = 600
