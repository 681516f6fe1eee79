// The answer to one /sync: what lies between a reader's token and now, for one person and one filter.
import { blocksAll, passes, toWire, type SyncFilter } from './filter.ts'
import { stateBefore, timelineOf, type Window } from './timeline.ts'
import { formatToken, type Token } from './tokens.ts'
import { joinedMembers, membershipOf, visibleTo, type Person, type Room, type RoomEvent, type World } from './world.ts'

export type SyncQuestion = {
  readonly me: string
  readonly since: Token | undefined
  readonly filter: SyncFilter
  readonly fullState: boolean
}

export type SyncResult = {
  /** A long poll goes on waiting. */
  readonly isEmpty: boolean
  readonly nextBatch: string
  /** Ages are told for the moment of sending, also when the answer was kept for a while. */
  bodyAt(nowMs: number): Readonly<Record<string, unknown>>
}

type ToldPresence = (nowMs: number) => unknown
type RoomPart = Readonly<Record<string, unknown>>
type Told = { readonly rooms: Record<'join' | 'leave' | 'invite', Record<string, RoomPart>>; readonly seen: Newcomers }
/** Whose presence goes along although it did not change: who is seen to join, and everybody in rooms that are new to the reader. */
type Newcomers = Set<string>

export const tokenNow = (world: World): Token => ({
  events: world.position,
  presence: world.presenceSerial,
  typing: world.typingSerial,
  deviceLists: world.deviceListSerial,
})

export function answerSync(world: World, question: SyncQuestion): SyncResult {
  const told: Told = { rooms: { join: {}, leave: {}, invite: {} }, seen: new Set() }
  for (const room of world.rooms.values()) if (isWanted(room, question.filter)) tellRoom(room, question, told)
  const presence = presenceEvents(world, question, told.seen)
  const changedDevices = changedDeviceLists(world, question)
  const rooms = Object.fromEntries(Object.entries(told.rooms).filter(([, part]) => Object.keys(part).length > 0))
  const hasRooms = Object.keys(rooms).length > 0
  const nextBatch = formatToken(tokenNow(world))
  return {
    isEmpty: !hasRooms && presence.length === 0 && changedDevices.length === 0,
    nextBatch,
    bodyAt: (nowMs) => ({
      next_batch: nextBatch,
      ...(presence.length > 0 && { presence: { events: presence.map((told) => told(nowMs)) } }),
      ...(changedDevices.length > 0 && { device_lists: { changed: changedDevices } }),
      device_one_time_keys_count: { signed_curve25519: 0 },
      device_unused_fallback_key_types: [],
      ...(hasRooms && { rooms }),
    }),
  }
}

const isWanted = (room: Room, { rooms, notRooms }: SyncFilter): boolean =>
  (rooms === undefined || rooms.includes(room.roomId)) && !notRooms.includes(room.roomId)

function tellRoom(room: Room, question: SyncQuestion, told: Told): void {
  const membership = membershipOf(room, question.me)
  if (membership === 'join') tellJoined(room, question, told)
  else if (membership === 'invite') tellInvited(room, question, told)
  else if (membership !== undefined) tellLeft(room, question, told)
}

/** The reader's own comings and goings in a room since the token. */
const ownMoves = (room: Room, { me, since }: SyncQuestion): readonly RoomEvent[] =>
  room.events.filter(
    ({ type, state_key, position }) => type === 'm.room.member' && state_key === me && position > (since?.events ?? 0),
  )

function tellJoined(room: Room, question: SyncQuestion, told: Told): void {
  const { since, filter, me } = question
  const isNew = since === undefined || ownMoves(room, question).length > 0
  const window: Window = { events: room.events, since: isNew ? undefined : since.events }
  const timeline = timelineOf(window, filter.timeline)
  const typing = typingEvents(room, question)
  // Nothing of a known room passed: it is left out, and what its timeline lacked is never told again.
  if (!isNew && !question.fullState && timeline.events.length === 0 && typing.length === 0) return
  const state = stateBefore(timeline, window, { whole: isNew || question.fullState, filter: filter.state, me })
  const wire = (events: readonly RoomEvent[]) => events.map((event) => toWire(event, filter.eventFields))
  told.rooms.join[room.roomId] = {
    timeline: {
      events: wire(timeline.events),
      prev_batch: formatToken({ ...zeroToken, events: timeline.events[0]?.position ?? room.events.length }),
      limited: timeline.limited || (isNew && since !== undefined),
    },
    state: { events: wire(state) },
    account_data: { events: [] },
    ephemeral: { events: typing },
    unread_notifications: { notification_count: 0, highlight_count: 0 },
    summary: filter.state.lazyLoadMembers ? { 'm.joined_member_count': joinedMembers(room).length } : {},
  }
  if (since !== undefined && !room.blind) noteNewcomers(room, isNew, [...state, ...timeline.events], told.seen)
}

const zeroToken: Token = { events: 0, presence: 0, typing: 0, deviceLists: 0 }

/** Read off the filtered answer, as Synapse does: who filters members out is not told of the newcomers' presence. */
function noteNewcomers(room: Room, isNew: boolean, events: readonly RoomEvent[], seen: Newcomers): void {
  if (isNew) for (const member of joinedMembers(room)) seen.add(member)
  for (const event of events)
    if (event.type === 'm.room.member' && event.content['membership'] === 'join') seen.add(event.state_key ?? '')
}

function typingEvents(room: Room, { since, filter }: SyncQuestion): readonly unknown[] {
  if (!passes(filter.ephemeral, { type: 'm.typing' })) return []
  const isNews = since === undefined ? room.typing.size > 0 : room.typingSerial > since.typing
  return isNews ? [{ type: 'm.typing', content: { user_ids: [...room.typing] } }] : []
}

function tellInvited(room: Room, question: SyncQuestion, told: Told): void {
  if (ownMoves(room, question).length === 0) return
  // The invited see little of a room, and that little whole: event_fields does not touch it.
  const events = [...room.state.values()]
    .filter(({ type, state_key }) => type !== 'm.room.member' || state_key === question.me)
    .map(({ type, sender, state_key, content }) => ({ type, sender, state_key, content }))
  told.rooms.invite[room.roomId] = { invite_state: { events } }
}

/** Kicked, banned or left: told only where the move itself passes the timeline's filter. */
function tellLeft(room: Room, question: SyncQuestion, told: Told): void {
  const { filter, since, me } = question
  const last = ownMoves(room, question).at(-1)
  if (last === undefined) return
  if (since === undefined && last.sender === me && !filter.includeLeave) return
  const window: Window = {
    events: room.events.filter(({ position }) => position <= last.position),
    since: since?.events,
  }
  // The room is no longer among those that are read anew, so it is loaded from its end even where it was known.
  const timeline = timelineOf({ events: eventsSince(window), since: undefined }, filter.timeline)
  if (since !== undefined && timeline.events.length === 0) return
  const state = stateBefore(timeline, window, { whole: since === undefined, filter: filter.state, me })
  const wire = (events: readonly RoomEvent[]) => events.map((event) => toWire(event, filter.eventFields))
  told.rooms.leave[room.roomId] = {
    timeline: { events: wire(timeline.events), prev_batch: formatToken(zeroToken), limited: timeline.limited },
    state: { events: wire(state) },
    account_data: { events: [] },
  }
}

const eventsSince = ({ events, since }: Window): readonly RoomEvent[] =>
  events.filter(({ position }) => position > (since ?? 0))

function presenceEvents(world: World, question: SyncQuestion, newcomers: Newcomers): readonly ToldPresence[] {
  const { filter } = question
  if (blocksAll(filter.presence)) return []
  const visible = visibleTo(world, question.me)
  const told: ToldPresence[] = []
  for (const person of world.people.values()) {
    const { userId } = person
    if (!visible.has(userId) || !passes(filter.presence, { type: 'm.presence', sender: userId })) continue
    if (isToldOf(world, person, question, newcomers)) told.push(presenceEvent(person))
  }
  return told
}

function isToldOf(world: World, person: Person, { since, fullState, me }: SyncQuestion, newcomers: Newcomers): boolean {
  if (since === undefined) {
    if (!world.presenceTracked) return false
    return person.presence !== 'offline' || (world.offlineOnFirstSync && person.userId !== me)
  }
  if (person.presenceSerial > since.presence) return true
  if (person.userId === me || !world.presenceTracked) return false
  return fullState || newcomers.has(person.userId)
}

/** As it was when it was asked for, its age as of when it is sent. */
function presenceEvent(person: Person): ToldPresence {
  const { presence, lastActiveMs, statusMessage, userId } = person
  const content = (nowMs: number) => ({
    presence,
    ...(lastActiveMs !== undefined && { last_active_ago: nowMs - lastActiveMs }),
    ...(presence === 'online' && { currently_active: true }),
    ...(statusMessage !== undefined && { status_msg: statusMessage }),
  })
  return (nowMs) => ({ type: 'm.presence', sender: userId, content: content(nowMs) })
}

/** Somebody logged in or changed his keys: wakes every poll of those who share a room, whatever their filter says. */
function changedDeviceLists(world: World, { since, me }: SyncQuestion): readonly string[] {
  if (since === undefined) return []
  const visible = visibleTo(world, me)
  return [...world.people.values()]
    .filter(({ deviceListSerial, userId }) => deviceListSerial > since.deviceLists && visible.has(userId))
    .map(({ userId }) => userId)
}
