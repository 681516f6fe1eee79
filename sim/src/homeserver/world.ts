// What a homeserver holds in its head: people, rooms, and one stream position for each kind of news.
//
//   script or request --> a change here --> a higher position --> /sync tells what lies between two positions
//
// A world belongs to one homeserver double, whose functions change it in place. Time arrives as an argument, ids are counted:
// the same script gives the same world.

export type Membership = 'join' | 'leave' | 'invite' | 'ban'
export type PresenceState = 'online' | 'unavailable' | 'offline' | 'org.matrix.msc3026.busy'

export type RoomEvent = {
  readonly position: number
  readonly type: string
  readonly event_id: string
  readonly sender: string
  readonly state_key?: string
  readonly origin_server_ts: number
  readonly content: Readonly<Record<string, unknown>>
}

export type Room = {
  readonly roomId: string
  isPublic: boolean
  /** Nobody's presence is shown for sharing this room alone (`exclude_rooms_from_presence`). */
  blind: boolean
  readonly events: RoomEvent[]
  /** The newest event of each type and state key. */
  readonly state: Map<string, RoomEvent>
  typing: ReadonlySet<string>
  typingSerial: number
}

export type Person = {
  readonly userId: string
  presence: PresenceState
  statusMessage: string | undefined
  lastActiveMs: number | undefined
  presenceSerial: number
  deviceListSerial: number
}

export type World = {
  readonly serverName: string
  /** Off: no presence is taken in or told any more, and nobody is told why. */
  presenceTracked: boolean
  /** `include_offline_users_on_sync` */
  offlineOnFirstSync: boolean
  readonly people: Map<string, Person>
  readonly rooms: Map<string, Room>
  readonly aliases: Map<string, string>
  position: number
  presenceSerial: number
  typingSerial: number
  deviceListSerial: number
  counter: number
}

export const createWorld = (serverName: string): World => ({
  serverName,
  presenceTracked: true,
  offlineOnFirstSync: false,
  people: new Map(),
  rooms: new Map(),
  aliases: new Map(),
  // As on a server that has lived: no position is zero, so that a token of zeros is older than everything.
  position: 1,
  presenceSerial: 1,
  typingSerial: 0,
  deviceListSerial: 1,
  counter: 0,
})

export const stateKey = (type: string, key: string): string => `${type}\0${key}`

export function addPerson(world: World, localpart: string): Person {
  const userId = `@${localpart}:${world.serverName}`
  const known = world.people.get(userId)
  if (known !== undefined) return known
  const person: Person = {
    userId,
    presence: 'offline',
    statusMessage: undefined,
    lastActiveMs: undefined,
    presenceSerial: 0,
    deviceListSerial: 0,
  }
  world.people.set(userId, person)
  return person
}

export function requireRoom(world: World, roomId: string): Room {
  const room = world.rooms.get(roomId)
  if (room === undefined) throw new Error(`the homeserver double has no room ${roomId}`)
  return room
}

export function membershipOf(room: Room, userId: string): Membership | undefined {
  return room.state.get(stateKey('m.room.member', userId))?.content['membership'] as Membership | undefined
}

export function joinedMembers(room: Room): string[] {
  const joined: string[] = []
  for (const event of room.state.values())
    if (event.type === 'm.room.member' && event.content['membership'] === 'join') joined.push(event.state_key ?? '')
  return joined
}

export const joinedRooms = (world: World, userId: string): Room[] =>
  [...world.rooms.values()].filter((room) => membershipOf(room, userId) === 'join')

/** Ids of version 12 rooms are `!` and 43 characters, without a server; older ones end with the server's name. */
export function addRoom(world: World, options: { isPublic?: boolean; roomVersion?: string } = {}): Room {
  const number = ++world.counter
  const isOld = options.roomVersion !== undefined && Number(options.roomVersion) < 12
  const roomId = isOld ? `!room${number}:${world.serverName}` : `!room${String(number).padStart(39, '0')}`
  const room: Room = {
    roomId,
    isPublic: options.isPublic ?? true,
    blind: false,
    events: [],
    state: new Map(),
    typing: new Set(),
    typingSerial: 0,
  }
  world.rooms.set(roomId, room)
  return room
}

export type NewEvent = {
  type: string
  sender: string
  stateKey?: string
  content: Readonly<Record<string, unknown>>
  nowMs: number
}

export function addEvent(world: World, room: Room, event: NewEvent): RoomEvent {
  const added: RoomEvent = {
    position: ++world.position,
    type: event.type,
    event_id: `$event${String(world.position).padStart(38, '0')}`,
    sender: event.sender,
    ...(event.stateKey !== undefined && { state_key: event.stateKey }),
    origin_server_ts: event.nowMs,
    content: event.content,
  }
  room.events.push(added)
  if (event.stateKey !== undefined) room.state.set(stateKey(event.type, event.stateKey), added)
  return added
}

export type Move = { userId: string; membership: Membership; sender?: string; nowMs: number }

/** Somebody joins, leaves, is invited, kicked or banned. Who leaves stops typing. */
export function move(world: World, room: Room, { userId, membership, sender = userId, nowMs }: Move): void {
  const displayname = userId.slice(1).split(':')[0] ?? userId
  const content = membership === 'join' ? { membership, displayname } : { membership }
  addEvent(world, room, { type: 'm.room.member', sender, stateKey: userId, content, nowMs })
  if (membership !== 'join') setTyping(world, room, userId, false)
}

/** True when the list changed: a typist who goes on typing is no news. */
export function setTyping(world: World, room: Room, userId: string, isTyping: boolean): boolean {
  if (room.typing.has(userId) === isTyping) return false
  // The order of the list differs from event to event on a real server; here the newest comes first.
  const others = [...room.typing].filter((other) => other !== userId)
  room.typing = new Set(isTyping ? [userId, ...others] : others)
  room.typingSerial = ++world.typingSerial
  return true
}

/** True when somebody is to be told. */
export function setPresence(
  world: World,
  person: Person,
  change: { state: PresenceState; statusMessage?: string | undefined; nowMs: number },
): boolean {
  if (!world.presenceTracked) return false
  const isNews = person.presence !== change.state || person.statusMessage !== change.statusMessage
  person.presence = change.state
  person.statusMessage = change.statusMessage
  if (change.state === 'online') person.lastActiveMs = change.nowMs
  if (isNews) person.presenceSerial = ++world.presenceSerial
  return isNews
}

/** A message or typing: wakes who was `unavailable`, and tells of an offline person once more that he is offline. */
export function bumpActivity(world: World, person: Person, nowMs: number): void {
  if (!world.presenceTracked) return
  person.lastActiveMs = nowMs
  if (person.presence === 'unavailable') person.presence = 'online'
  else if (person.presence !== 'offline') return
  person.presenceSerial = ++world.presenceSerial
}

/** Tells everybody who is not offline once more, unchanged, as Synapse does each minute. Nobody is woken by it. */
export function repeatPresence(world: World): void {
  for (const person of world.people.values())
    if (person.presence !== 'offline') person.presenceSerial = ++world.presenceSerial
}

/** Presence is switched off: whoever was seen is told as offline once, and from then on there is silence. */
export function stopTrackingPresence(world: World): void {
  for (const person of world.people.values())
    if (person.presence !== 'offline') setPresence(world, person, { state: 'offline', nowMs: 0 })
  world.presenceTracked = false
}

/** Everything about typing lives in memory: after a restart nobody types, and its numbers begin again. */
export function forgetTyping(world: World): void {
  world.typingSerial = 0
  for (const room of world.rooms.values()) {
    room.typing = new Set()
    room.typingSerial = 0
  }
}

/** Whom a person sees: everybody with whom he shares a joined room that is not blind, himself included. */
export function visibleTo(world: World, userId: string): Set<string> {
  const visible = new Set([userId])
  for (const room of joinedRooms(world, userId))
    if (!room.blind) for (const member of joinedMembers(room)) visible.add(member)
  return visible
}
