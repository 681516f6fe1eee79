// Gateway <-> browser: what is sent, and what each close code asks of the browser.
//
//   gateway -> browser: snapshot once, then room.presence, and a small status frame; text `pong`
//   browser -> gateway: text `ping`; anything else closes the socket with 1008
//
// No user id and no Matrix id is in any of these shapes, so none can leave.
import { arrayOf, byType, flag, integer, object, oneOf, type Infer } from './decode.ts'
import { roomsMax } from './room-directory.ts'
import type { RoomPresence } from './room-presence.ts'
import { roomSlug } from './subjects.ts'

const roomFields = { room_slug: roomSlug, online_count: integer(0), typing_count: integer(0) }
/** `below`: a room with fewer people than that; how many is not told, and the counts say 0. */
const roomExtras = { active: flag, stale: flag, removed: flag, below: integer(1) }

const roomView = object(roomFields, roomExtras)
/** What a browser may know about a room. */
export type RoomView = Infer<typeof roomView>

// Removed rooms ride along until they expire, so a snapshot may hold more rooms than a map does.
const snapshotRoomsMax = 2 * roomsMax
const snapshot = object({ type: oneOf('snapshot'), rooms: arrayOf(roomView, snapshotRoomsMax) })
export type SnapshotMessage = Infer<typeof snapshot>

const roomUpdate = object({ type: oneOf('room.presence'), ...roomFields }, roomExtras)
export type RoomUpdateMessage = Infer<typeof roomUpdate>

/** Why everything is stale, in one word; the sentence stands in the page. */
export const staleReasons = ['no-beat', 'incomplete', 'source'] as const
export type StaleReason = (typeof staleReasons)[number]
const status = object({ type: oneOf('status'), stale: flag }, { reason: oneOf(...staleReasons) })
export type StatusMessage = Infer<typeof status>

export const clientMessage = byType({ snapshot, 'room.presence': roomUpdate, status })
export type ClientMessage = Infer<typeof clientMessage>

/** What of a room's event a browser is told: counts, never names. Keys that say nothing (false) are left out. */
export function viewOf(room: RoomPresence): RoomView {
  return {
    room_slug: room.room_slug,
    online_count: room.online_count,
    typing_count: room.typing_count,
    ...(room.active === true && { active: true }),
    ...(room.stale === true && { stale: true }),
    ...(room.removed === true && { removed: true }),
  }
}

export const pingText = 'ping'
export const pongText = 'pong'
/** Where a browser connects, and where it asks with the same token why a handshake was refused. */
export const socketPath = '/ws/city/presence'
export const snapshotPath = '/api/city/presence'
/** A token as subprotocol: `Sec-WebSocket-Protocol: city-presence, bearer.<token>`; the first is what the gateway echoes. */
export const socketProtocol = 'city-presence'
export const tokenProtocolPrefix = 'bearer.'

/** How a browser behaves after a close: `soon` with jitter, `later` with a longer back-off, `new-token` or `never`. */
export type ComeBack = 'soon' | 'later' | 'new-token' | 'never'
export type CloseCode = { readonly code: number; readonly reason: string; readonly comeBack: ComeBack }

/** Every code the gateway closes with. A code that is not listed is an accident of the way: come back soon. */
export const closeCodes = {
  protocolError: { code: 1002, reason: 'protocol error', comeBack: 'later' },
  unexpectedMessage: { code: 1008, reason: 'only ping is understood', comeBack: 'never' },
  messageTooBig: { code: 1009, reason: 'message too big', comeBack: 'never' },
  restarting: { code: 1012, reason: 'restarting', comeBack: 'soon' },
  overloaded: { code: 1013, reason: 'overloaded', comeBack: 'later' },
  tokenExpired: { code: 4401, reason: 'token expired', comeBack: 'new-token' },
  forbidden: { code: 4403, reason: 'forbidden', comeBack: 'never' },
  notReading: { code: 4408, reason: 'not reading', comeBack: 'soon' },
  tooMany: { code: 4429, reason: 'too many connections', comeBack: 'later' },
} as const satisfies Record<string, CloseCode>

export function comeBackAfter(code: number): ComeBack {
  return Object.values(closeCodes).find((entry) => entry.code === code)?.comeBack ?? 'soon'
}
