// What an honest browser shows after the frames that it was sent: the newest word on every room, and the mark over everything.
import type { ClientMessage, RoomView } from '@citypresence/wire/client-messages'

export type ToldView = {
  readonly rooms: Map<string, RoomView>
  /** The mark over everything; undefined until it was told. */
  stale: boolean | undefined
  /** A snapshot came over this connection. */
  isComplete: boolean
}

export const createToldView = (): ToldView => ({ rooms: new Map(), stale: undefined, isComplete: false })

/** The connection is gone: what is shown stays, and nothing is known about it. */
export function loseLink(view: ToldView): void {
  view.stale = undefined
  view.isComplete = false
}

export function learn(view: ToldView, message: ClientMessage): void {
  if (message.type === 'status') {
    view.stale = message.stale
    return
  }
  if (message.type === 'snapshot') {
    view.rooms.clear()
    view.isComplete = true
  }
  for (const room of message.type === 'snapshot' ? message.rooms : [message])
    if (room.removed === true) view.rooms.delete(room.room_slug)
    else view.rooms.set(room.room_slug, room)
}
