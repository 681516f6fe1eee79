// What a page sees of the city: plain values, made new only where something changed, so that a UI can compare by identity.
//
//   board + link + what the gateway said about staleness --> GlobalPresence
import type { RoomView } from '@citypresence/wire/client-messages'
import type {
  GlobalPresence,
  PresenceStaleReason,
  PresenceStatus,
  PresenceStopReason,
  RoomPresenceUI,
} from './global-presence.ts'

type Rooms = GlobalPresence['presenceBySlug']

// Without a prototype, because `constructor` is a possible slug.
const noRooms = (): Partial<Record<string, RoomPresenceUI>> =>
  Object.create(null) as Partial<Record<string, RoomPresenceUI>>

export const createPresence = (): GlobalPresence => ({
  status: 'connecting',
  stopReason: undefined,
  loaded: false,
  presenceBySlug: Object.freeze(noRooms()),
  stale: false,
  staleReason: undefined,
  staleSinceMs: undefined,
})

/** What is known besides the rooms. `saidStale`: the reason of the gateway's last status frame. */
export type Standing = {
  readonly status: PresenceStatus
  readonly stopReason: PresenceStopReason | undefined
  readonly loaded: boolean
  readonly saidStale: PresenceStaleReason | undefined
}

/** The next value; the very same object when nothing differs, and the very same rooms where theirs do not. */
export function nextPresence(
  before: GlobalPresence,
  views: Iterable<RoomView>,
  standing: Standing,
  wallMs: number,
): GlobalPresence {
  const staleReason = staleReasonOf(standing)
  const stale = staleReason !== undefined
  const after: GlobalPresence = {
    status: standing.status,
    stopReason: standing.stopReason,
    loaded: standing.loaded,
    presenceBySlug: nextRooms(before.presenceBySlug, views, stale),
    stale,
    staleReason,
    staleSinceMs: stale ? (before.staleSinceMs ?? wallMs) : undefined,
  }
  return sameStanding(before, after) && before.presenceBySlug === after.presenceBySlug ? before : after
}

function staleReasonOf({ loaded, status, saidStale }: Standing): PresenceStaleReason | undefined {
  if (!loaded) return undefined
  return status === 'live' ? saidStale : 'link'
}

const sameStanding = (a: GlobalPresence, b: GlobalPresence): boolean =>
  a.status === b.status && a.stopReason === b.stopReason && a.loaded === b.loaded && a.staleReason === b.staleReason

function nextRooms(before: Rooms, views: Iterable<RoomView>, allStale: boolean): Rooms {
  const after = noRooms()
  let [count, changed] = [0, false]
  for (const view of views) {
    const known = before[view.room_slug]
    const room = roomOf(view, allStale)
    const same = known !== undefined && sameRoom(known, room)
    after[view.room_slug] = same ? known : room
    changed ||= !same
    count++
  }
  return changed || count !== Object.keys(before).length ? Object.freeze(after) : before
}

const roomOf = (view: RoomView, allStale: boolean): RoomPresenceUI => ({
  onlineCount: view.online_count,
  typingCount: view.typing_count,
  active: view.active ?? false,
  stale: allStale || (view.stale ?? false),
  ...(view.below !== undefined && { below: view.below }),
})

const sameRoom = (a: RoomPresenceUI, b: RoomPresenceUI): boolean =>
  a.onlineCount === b.onlineCount &&
  a.typingCount === b.typingCount &&
  a.active === b.active &&
  a.stale === b.stale &&
  a.below === b.below
