// What people do in a world, whether a request or a script says so.
import {
  addEvent,
  addPerson,
  addRoom,
  bumpActivity,
  move,
  requireRoom,
  setPresence,
  setTyping,
  type Membership,
  type PresenceState,
  type Room,
  type World,
} from './world.ts'

export type NewRoom = {
  /** Whole, as in `#city_market:test.local`. */
  alias?: string
  creator?: string
  members?: readonly string[]
  isPublic?: boolean
  /** Below 12 the id ends with the server's name. */
  roomVersion?: string
  /** `exclude_rooms_from_presence` */
  blind?: boolean
}

export type Acts = ReturnType<typeof acts>

export function acts(world: World, nowMs: () => number) {
  const change = (roomId: string, userId: string, membership: Membership, sender = userId): void => {
    // Whoever is in a room has an account, the maker of it too: somebody's presence is refused only where no room is shared.
    if (membership === 'join' && userId.endsWith(`:${world.serverName}`)) addPersonById(world, userId)
    move(world, requireRoom(world, roomId), { userId, membership, sender, nowMs: nowMs() })
  }
  const say = (
    room: Room,
    type: string,
    sender: string,
    content: Readonly<Record<string, unknown>>,
    stateKey?: string,
  ) =>
    addEvent(world, room, { type, sender, content, nowMs: nowMs(), ...(stateKey !== undefined && { stateKey }) })
      .event_id

  return {
    createRoom(options: NewRoom = {}): string {
      const { creator = `@mayor:${world.serverName}`, members = [], alias, blind = false } = options
      const room = addRoom(world, options)
      room.blind = blind
      say(room, 'm.room.create', creator, { room_version: options.roomVersion ?? '12' }, '')
      change(room.roomId, creator, 'join')
      say(room, 'm.room.join_rules', creator, { join_rule: room.isPublic ? 'public' : 'invite' }, '')
      if (alias !== undefined) {
        world.aliases.set(alias, room.roomId)
        say(room, 'm.room.canonical_alias', creator, { alias }, '')
      }
      for (const member of members) change(room.roomId, member, 'join')
      return room.roomId
    },
    join: (userId: string, roomId: string) => change(roomId, userId, 'join'),
    leave: (userId: string, roomId: string) => change(roomId, userId, 'leave'),
    kick: (by: string, roomId: string, userId: string) => change(roomId, userId, 'leave', by),
    ban: (by: string, roomId: string, userId: string) => change(roomId, userId, 'ban', by),
    unban: (by: string, roomId: string, userId: string) => change(roomId, userId, 'leave', by),
    invite: (by: string, roomId: string, userId: string) => change(roomId, userId, 'invite', by),
    /** A new room, and the tombstone in the old one that names it; its aliases move along, its people do not. */
    upgrade(roomId: string, by: string): string {
      const room = requireRoom(world, roomId)
      const replacement = this.createRoom({ creator: by, isPublic: room.isPublic })
      for (const [alias, target] of world.aliases) if (target === roomId) world.aliases.set(alias, replacement)
      say(room, 'm.room.tombstone', by, { body: 'This room has been replaced', replacement_room: replacement }, '')
      say(room, 'm.room.canonical_alias', by, {}, '')
      return replacement
    },
    send(
      userId: string,
      roomId: string,
      event: { type?: string; content?: Readonly<Record<string, unknown>> } = {},
    ): string {
      const { type = 'm.room.message', content = { msgtype: 'm.text', body: 'good day' } } = event
      bumpActivity(world, addPersonById(world, userId), nowMs())
      return say(requireRoom(world, roomId), type, userId, content)
    },
    state: (userId: string, roomId: string, type: string, content: Readonly<Record<string, unknown>>, stateKey = '') =>
      say(requireRoom(world, roomId), type, userId, content, stateKey),
    typing(userId: string, roomId: string, isTyping: boolean): void {
      if (isTyping) bumpActivity(world, addPersonById(world, userId), nowMs())
      setTyping(world, requireRoom(world, roomId), userId, isTyping)
    },
    presence(userId: string, state: PresenceState, statusMessage?: string): void {
      setPresence(world, addPersonById(world, userId), { state, statusMessage, nowMs: nowMs() })
    },
    /** `exclude_rooms_from_presence`, as after a restart of the homeserver. */
    blind(roomId: string, isBlind: boolean): void {
      requireRoom(world, roomId).blind = isBlind
    },
    /** The room is gone without a word: whoever syncs after it hears nothing of it. */
    purge(roomId: string): void {
      world.rooms.delete(roomId)
      for (const [alias, target] of world.aliases) if (target === roomId) world.aliases.delete(alias)
    },
    /** A login somewhere: wakes the polls of all who share a room, with nothing of interest. */
    deviceListChanged(userId: string): void {
      addPersonById(world, userId).deviceListSerial = ++world.deviceListSerial
    },
  }
}

const addPersonById = (world: World, userId: string) =>
  world.people.get(userId) ?? addPerson(world, userId.slice(1).split(':')[0] ?? userId)
