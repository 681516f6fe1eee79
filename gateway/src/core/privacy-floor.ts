// Rooms with few people, shown as no more than that: below the floor nobody learns how many, nor that somebody types or was there.
// Zero is below it too, because the step from nobody to one is what tells of a person.
//
//   floor 3:   0, 1, 2 -> { online_count: 0, typing_count: 0, below: 3 }        3, 4, ... -> as it is
import type { RoomView } from '@citypresence/wire/client-messages'

/** A floor of 0 or 1 hides nothing. Whether a room is stale or gone says nothing about people. */
export function aboveFloor(view: RoomView, floor: number): RoomView {
  if (floor <= 1 || view.online_count >= floor || view.removed === true) return view
  return {
    room_slug: view.room_slug,
    online_count: 0,
    typing_count: 0,
    below: floor,
    ...(view.stale === true && { stale: true }),
  }
}
