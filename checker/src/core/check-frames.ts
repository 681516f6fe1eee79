// Judges every frame by itself: in the order of the contract (INV-06), a value that the stream stored (INV-05), and none from
// before one that this connection was already shown (INV-04).
import type { ClientMessage, RoomView } from '@citypresence/wire/client-messages'
import type { Entry } from './history.ts'
import type { Connection, ConnectionWatcher } from './connections.ts'
import { findStored, keyOf, type StoredValues } from './stored-values.ts'
import type { Invariant, Violation } from './violation.ts'

// The recorder hears the stream on a connection of its own, which may come back a little later than a gateway's.
const recorderLateMs = 3_000
// A change is shown within a sweep; one that was conflated while a reader lagged is the newest.
const frameLateMs = 6_000

export function frameChecks(stored: StoredValues, found: Violation[]): ConnectionWatcher {
  const places = new WeakMap<Connection, Map<string, number>>()
  const complain = (invariant: Invariant, atMs: number, { witness, number }: Connection, text: string): void =>
    void found.push({ invariant, atMs, text: `${witness} (connection ${number}) ${text}` })

  const checkRoom = (connection: Connection, room: RoomView, sinceMs: number, atMs: number): void => {
    const slug = room.room_slug
    const known = places.get(connection) ?? new Map<string, number>()
    places.set(connection, known)
    const list = stored.get(slug) ?? []
    const untilMs = atMs + recorderLateMs
    const place = findStored(list, keyOf(room), { from: known.get(slug) ?? 0, sinceMs, untilMs })
    if (place >= 0) known.set(slug, place)
    else if (findStored(list, keyOf(room), { from: 0, sinceMs: -Infinity, untilMs }) >= 0)
      complain('INV-04', atMs, connection, `was shown ${slug} as ${keyOf(room)}, older than what it knew`)
    else complain('INV-05', atMs, connection, `was shown ${slug} as ${keyOf(room)}, which was never published`)
  }

  return {
    frame(connection: Connection, message: ClientMessage, atMs: number) {
      if (message.type === 'snapshot') {
        if (connection.hasSnapshot) complain('INV-06', atMs, connection, 'got a second snapshot')
        // What a gateway knows may be old; whether it says so is judged by what is shown.
        for (const room of message.rooms) checkRoom(connection, room, -Infinity, atMs)
        return
      }
      if (!connection.hasSnapshot) complain('INV-06', atMs, connection, `got ${message.type} before a snapshot`)
      // What waited in a broken way comes late, and in order; the mark says so.
      const sinceMs = connection.stale === true ? -Infinity : atMs - frameLateMs
      if (message.type === 'room.presence') checkRoom(connection, message, sinceMs, atMs)
    },
    moment(entry: Entry) {
      if (entry.kind !== 'garbled') return
      const text = `${entry.witness} (connection ${entry.connection}) got a frame that is no message: ${entry.text}`
      found.push({ invariant: 'INV-06', atMs: entry.atMs, text })
    },
  }
}
