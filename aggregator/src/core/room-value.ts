// What a room shows, and the message that says so.
import { typingUsersMax, type RoomPresence } from '@citypresence/wire/room-presence'
import type { Observation } from './observation.ts'
import { isMember, onlineIn } from './presence-state.ts'
import type { RoomLife } from './room-life.ts'

export type RoomView = {
  readonly online: number
  /** Sorted, members only. */
  readonly typing: readonly string[]
  readonly active: boolean
  readonly lastActivityTs: number
}

const nobodyTypes: readonly string[] = []

/** What a room shows at a moment; undefined where it is not followed, or it is not known who is there or online. */
export function viewOf(observation: Observation, roomId: string, nowMs: number): RoomView | undefined {
  const online = onlineIn(observation.state, roomId)
  const life = observation.lives.get(roomId)
  if (online === undefined || life === undefined) return undefined
  if (observation.unlisted.has(roomId)) return undefined
  const { lastActivityTs } = life
  const typing = life.typing.length === 0 ? nobodyTypes : typingIn(observation, roomId, life, nowMs)
  return { online, typing, active: typing.length > 0 || life.activeUntilMs > nowMs, lastActivityTs }
}

/** Typing is cut to members here, so that somebody who leaves stops typing at once. */
function typingIn({ state }: Observation, roomId: string, life: RoomLife, nowMs: number): readonly string[] {
  if (life.typingUntilMs <= nowMs) return nobodyTypes
  const members = life.typing.filter((userId) => isMember(state, roomId, userId))
  return members.sort().slice(0, typingUsersMax)
}

/** The same to a reader: the last activity is told along, and is no reason to tell. */
export const sameRoomView = (a: RoomView, b: RoomView): boolean =>
  a.online === b.online &&
  a.active === b.active &&
  a.typing.length === b.typing.length &&
  a.typing.every((userId, index) => userId === b.typing[index])

type Place = { readonly slug: string; readonly roomId: string; readonly alias: string | null }

export const presenceOf = ({ slug, roomId, alias }: Place, view: RoomView, lastEventTs: number): RoomPresence => ({
  type: 'room.presence',
  room_slug: slug,
  matrix_room_id: roomId,
  matrix_room_alias: alias,
  online_count: view.online,
  typing_count: view.typing.length,
  typing_users: view.typing,
  last_event_ts: lastEventTs,
  active: view.active,
  ...(view.lastActivityTs > 0 && { last_activity_ts: view.lastActivityTs }),
})

const nobody: RoomView = { online: 0, typing: [], active: false, lastActivityTs: 0 }

/** The last word about a room that is no longer part of the city. */
export const removedPresence = (place: Place, lastEventTs: number): RoomPresence => ({
  ...presenceOf(place, nobody, lastEventTs),
  removed: true,
})
