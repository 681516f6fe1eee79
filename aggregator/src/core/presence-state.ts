// Who is in which room, what each was said to be, and how many of each room are shown as online. Users and rooms are numbers
// here, their status and counts typed arrays: a change costs the rooms of that user, and neither the size of a room nor of the
// city.
//
//   tell(user, status) -> told --(shown-presence decides)--> shown -> online count of each room of the user -> dirty rooms
//   joinRoom, leaveRoom ------------------------------------------^
//
// The state belongs to the city, which hands it to these functions; they change it in place (copying it for each of a million
// changes would cost more than all the rest) and return or queue what changed.
import { grown } from './growable.ts'
import { createIdTable, intern, nameOf, release, type IdTable } from './id-table.ts'
import { createIndexQueue, drain, enqueue, unqueue, type IndexQueue } from './index-queue.ts'
import { peoplePerPiece, visit, type Pieces } from './pieces.ts'
import { markChanged, markDoubted, markGone, markReported, type UserWatch } from './user-watch.ts'

/** A status as a number; whatever is not offline counts as online. */
export const statusCode = { offline: 0, online: 1, unavailable: 2, busy: 3 } as const
export type StatusCode = (typeof statusCode)[keyof typeof statusCode]

/** `hasLeft`: known from a room that they left, and not heard of since. */
type Outsider = { readonly status: StatusCode; readonly lastActiveTs: number; readonly hasLeft?: true }

export type PresenceState = {
  readonly daemonUserId: string
  readonly users: IdTable
  readonly rooms: IdTable
  /** By user: what the homeserver said last, what is counted, and when the person was last active (wall clock, 0: unknown). */
  told: Uint8Array
  shown: Uint8Array
  lastActiveTs: Float64Array
  readonly roomsOf: number[][]
  /** By room: its people, and how many of them are shown as online. */
  readonly members: Set<number>[]
  online: Int32Array
  /** People shown as online, over all rooms. */
  shownCount: number
  /** Users whose told and shown differ, or did. */
  readonly unsettled: IndexQueue
  /** Users without a room: dropped when the response ends, so that leaving and coming back in one response loses nothing. */
  readonly orphans: number[]
  /** Those who went offline and are shown a little longer, with the time that ends; in the order of these times. */
  readonly leaving: Map<number, number>
  readonly dirty: IndexQueue
  readonly closed: string[]
  /** Presence of people of whom no room is known, oldest first. */
  readonly outsiders: Map<string, Outsider>
  readonly outsidersMax: number
  readonly watch: UserWatch | undefined
}

export const createPresenceState = (
  daemonUserId: string,
  outsidersMax: number,
  watch: UserWatch | undefined,
): PresenceState => ({
  daemonUserId,
  users: createIdTable(),
  rooms: createIdTable(),
  told: new Uint8Array(0),
  shown: new Uint8Array(0),
  lastActiveTs: new Float64Array(0),
  roomsOf: [],
  members: [],
  online: new Int32Array(0),
  shownCount: 0,
  unsettled: createIndexQueue(),
  orphans: [],
  leaving: new Map(),
  dirty: createIndexQueue(),
  closed: [],
  outsiders: new Map(),
  outsidersMax,
  watch,
})

export const isOpen = (state: PresenceState, roomId: string): boolean => state.rooms.indexOf.has(roomId)

/** Begins to follow a room; one that is followed already stays as it is. */
export function openRoom(state: PresenceState, roomId: string): void {
  if (isOpen(state, roomId)) return
  const room = intern(state.rooms, roomId)
  state.online = grown(state.online, room + 1)
  state.members[room] = new Set()
  enqueue(state.dirty, room)
}

/** Forgets a room and, when the response ends, all who were in no other. */
export function closeRoom(state: PresenceState, roomId: string): void {
  const room = state.rooms.indexOf.get(roomId)
  if (room === undefined) return
  for (const user of state.members[room] ?? []) forgetRoom(state, user, room)
  state.members[room] = new Set()
  state.online[room] = 0
  unqueue(state.dirty, room)
  release(state.rooms, room)
  state.closed.push(roomId)
}

/** True when the user was not there before. The daemon is never there, nor is anybody in a room that is not followed. */
export function joinRoom(state: PresenceState, roomId: string, userId: string): boolean {
  const room = state.rooms.indexOf.get(roomId)
  if (room === undefined || userId === state.daemonUserId) return false
  const user = internUser(state, userId)
  const members = state.members[room]
  if (members === undefined || members.has(user)) return false
  members.add(user)
  state.roomsOf[user]?.push(room)
  if (isShown(state, user)) addOnline(state, room, 1)
  enqueue(state.dirty, room)
  return true
}

/** True when the user was there before. */
export function leaveRoom(state: PresenceState, roomId: string, userId: string): boolean {
  const room = state.rooms.indexOf.get(roomId)
  const user = state.users.indexOf.get(userId)
  if (room === undefined || user === undefined || state.members[room]?.delete(user) !== true) return false
  forgetRoom(state, user, room)
  if (isShown(state, user)) addOnline(state, room, -1)
  enqueue(state.dirty, room)
  return true
}

export function isMember(state: PresenceState, roomId: string, userId: string): boolean {
  const room = state.rooms.indexOf.get(roomId)
  const user = state.users.indexOf.get(userId)
  return room !== undefined && user !== undefined && (state.members[room]?.has(user) ?? false)
}

/** In how many rooms that are followed somebody is. */
export function roomsNumberOf(state: PresenceState, userId: string): number {
  const user = state.users.indexOf.get(userId)
  return user === undefined ? 0 : (state.roomsOf[user]?.length ?? 0)
}

/** Whether somebody who was told of before is here again; the world then hears how it stands with them now. */
export function cameBack(state: PresenceState, userId: string): boolean {
  const user = state.users.indexOf.get(userId)
  if (user === undefined) return false
  if (state.watch?.doubted.delete(userId) === true) {
    markReported(state.watch, user)
    markChanged(state.watch, user)
  }
  return true
}

/** Whether the homeserver told of somebody who is in no room that is known: then they are in one that is not. */
export function isHeardOf({ outsiders }: PresenceState, userId: string): boolean {
  const outsider = outsiders.get(userId)
  return outsider !== undefined && outsider.hasLeft !== true
}

/**
 * Makes the members of a room these and no other; how many had to be added, and how many removed. Some are left as they are. Between
 * two pieces nobody may come or go.
 */
export function* auditMembers(
  state: PresenceState,
  roomId: string,
  userIds: readonly string[],
  isExempt: (userId: string) => boolean = () => false,
): Pieces<{ added: number; removed: number }> {
  const room = state.rooms.indexOf.get(roomId)
  if (room === undefined) return { added: 0, removed: 0 }
  const listed = new Set<string>()
  let added = 0
  yield* visit(userIds, peoplePerPiece, (userId) => {
    listed.add(userId)
    if (!isExempt(userId) && joinRoom(state, roomId, userId)) added++
  })
  let removed = 0
  yield* visit(state.members[room] ?? [], peoplePerPiece, (user) => {
    const userId = nameOf(state.users, user)
    if (!listed.has(userId) && !isExempt(userId) && leaveRoom(state, roomId, userId)) removed++
  })
  return { added, removed }
}

/** How many are shown as online in a room; undefined where it is not followed. */
export function onlineIn(state: PresenceState, roomId: string): number | undefined {
  const room = state.rooms.indexOf.get(roomId)
  return room === undefined ? undefined : state.online[room]
}

/** What the homeserver says about a user. `lastActiveTs` is left out where it is unknown. */
export function tell(state: PresenceState, userId: string, status: StatusCode, lastActiveTs: number | undefined): void {
  if (userId === state.daemonUserId) return
  const user = state.users.indexOf.get(userId)
  if (user === undefined) {
    tellOutsider(state, userId, { status, lastActiveTs: lastActiveTs ?? 0 })
    return
  }
  if (lastActiveTs !== undefined) state.lastActiveTs[user] = lastActiveTs
  if (state.told[user] === status) return
  state.told[user] = status
  enqueue(state.unsettled, user)
}

/** Shows a user as `status` from now on: the one place where a count changes by presence. */
export function show(state: PresenceState, user: number, status: number): void {
  const before = state.shown[user] ?? 0
  if (before === status) return
  showUnheard(state, user, status)
  markChanged(state.watch, user)
}

/** As `show`, but nobody who follows single users hears of it. */
export function showUnheard(state: PresenceState, user: number, status: number): void {
  const change = Number(status !== 0) - Number(isShown(state, user))
  state.shown[user] = status
  if (change === 0) return
  state.shownCount += change
  for (const room of state.roomsOf[user] ?? []) {
    addOnline(state, room, change)
    enqueue(state.dirty, room)
  }
}

export const isShown = (state: PresenceState, user: number): boolean => (state.shown[user] ?? 0) !== 0

/**
 * Forgets everybody who is left without a room: nothing is heard of them any more, so nothing may be shown. Unless rooms are to
 * be listed yet, one of which may be theirs: the homeserver said how it stands with them, and will not say it again.
 */
export function dropOrphans(state: PresenceState, rule: { readonly allListed: boolean }): void {
  for (const user of state.orphans)
    if (state.roomsOf[user]?.length === 0 && nameOf(state.users, user) !== '') dropUser(state, user, rule.allListed)
  state.orphans.length = 0
}

/** Adds the rooms whose count or people changed, also those no longer followed; none is dirty afterwards. */
export function takeDirtyRooms(state: PresenceState, rooms: Set<string>): void {
  for (const roomId of state.closed) rooms.add(roomId)
  state.closed.length = 0
  for (const room of drain(state.dirty)) rooms.add(nameOf(state.rooms, room))
}

function addOnline(state: PresenceState, room: number, change: number): void {
  state.online[room] = (state.online[room] ?? 0) + change
}

function internUser(state: PresenceState, userId: string): number {
  const known = state.users.indexOf.get(userId)
  if (known !== undefined) return known
  const user = intern(state.users, userId)
  state.told = grown(state.told, user + 1)
  state.shown = grown(state.shown, user + 1)
  state.lastActiveTs = grown(state.lastActiveTs, user + 1)
  state.roomsOf[user] = []
  admitOutsider(state, user, userId)
  return user
}

/** Somebody of whom presence was heard before any room: what was heard holds. */
function admitOutsider(state: PresenceState, user: number, userId: string): void {
  const outsider = state.outsiders.get(userId)
  if (outsider === undefined) return
  state.outsiders.delete(userId)
  state.told[user] = outsider.status
  state.lastActiveTs[user] = outsider.lastActiveTs
  enqueue(state.unsettled, user)
}

function tellOutsider(state: PresenceState, userId: string, outsider: Outsider): void {
  // Taken out first, so that the one heard of longest ago goes when there are too many.
  state.outsiders.delete(userId)
  if (outsider.status === statusCode.offline) return
  state.outsiders.set(userId, outsider)
  if (state.outsiders.size <= state.outsidersMax) return
  for (const oldest of state.outsiders.keys()) {
    state.outsiders.delete(oldest)
    return
  }
}

function forgetRoom(state: PresenceState, user: number, room: number): void {
  const rooms = state.roomsOf[user]
  if (rooms === undefined) return
  const place = rooms.indexOf(room)
  const last = rooms.pop()
  if (last !== undefined && last !== room) rooms[place] = last
  if (rooms.length === 0) state.orphans.push(user)
}

function dropUser(state: PresenceState, user: number, allListed: boolean): void {
  const userId = nameOf(state.users, user)
  if (!allListed) remember(state, user, userId)
  if (isShown(state, user)) state.shownCount--
  state.told[user] = 0
  state.shown[user] = 0
  state.lastActiveTs[user] = 0
  state.leaving.delete(user)
  if (allListed) markGone(state.watch, user, userId)
  else markDoubted(state.watch, user, userId)
  release(state.users, user)
}

function remember(state: PresenceState, user: number, userId: string): void {
  const lastActiveTs = state.lastActiveTs[user] ?? 0
  tellOutsider(state, userId, { status: (state.told[user] ?? 0) as StatusCode, lastActiveTs, hasLeft: true })
}
