// What each witness's connections showed, moment by moment: the frames of a recording replayed into views, and the views told
// to whoever judges them.
//
//   opened -> snapshot -> status -> room.presence, status ... -> closed
import type { ClientMessage, RoomView } from '@citypresence/wire/client-messages'
import type { Entry } from './history.ts'

export type Connection = {
  readonly witness: string
  readonly number: number
  readonly openedAtMs: number
  readonly rooms: Map<string, RoomView>
  /** The mark over everything; undefined until it was told. */
  stale: boolean | undefined
  hasSnapshot: boolean
}

/** Told in the order of the history; `frame` before the frame is learnt, `shown` after it, `over` when the connection ends. */
export type ConnectionWatcher = {
  frame?(connection: Connection, message: ClientMessage, atMs: number): void
  shown?(connection: Connection, message: ClientMessage, atMs: number): void
  over?(connection: Connection, atMs: number): void
  /** Any other entry, with the connections that are open in its moment. */
  moment?(entry: Entry, open: readonly Connection[]): void
}

export function replay(history: readonly Entry[], watchers: readonly ConnectionWatcher[]): void {
  const open = new Map<string, Connection>()
  const tell = (run: (watcher: ConnectionWatcher) => void): void => watchers.forEach(run)
  for (const entry of history) {
    if (entry.kind === 'opened') {
      const { witness, connection: number, atMs } = entry
      open.set(keyOf(entry), {
        witness,
        number,
        openedAtMs: atMs,
        rooms: new Map(),
        stale: undefined,
        hasSnapshot: false,
      })
    } else if (entry.kind === 'frame') {
      const connection = open.get(keyOf(entry))
      if (connection === undefined) continue
      const { message, atMs } = entry
      tell((watcher) => watcher.frame?.(connection, message, atMs))
      learn(connection, message)
      tell((watcher) => watcher.shown?.(connection, message, atMs))
    } else if (entry.kind === 'closed') {
      const connection = open.get(keyOf(entry))
      if (connection !== undefined) tell((watcher) => watcher.over?.(connection, entry.atMs))
      open.delete(keyOf(entry))
    } else tell((watcher) => watcher.moment?.(entry, [...open.values()]))
  }
  const endMs = history.at(-1)?.atMs ?? 0
  for (const connection of open.values()) tell((watcher) => watcher.over?.(connection, endMs))
}

const keyOf = ({ witness, connection }: { witness: string; connection: number }): string => `${witness} ${connection}`

function learn(connection: Connection, message: ClientMessage): void {
  if (message.type === 'status') connection.stale = message.stale
  else if (message.type === 'snapshot') {
    connection.hasSnapshot = true
    connection.rooms.clear()
    for (const room of message.rooms) if (room.removed !== true) connection.rooms.set(room.room_slug, room)
  } else if (message.removed === true) connection.rooms.delete(message.room_slug)
  else connection.rooms.set(message.room_slug, message)
}
