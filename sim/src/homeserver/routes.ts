// The client API, as far as our services and our tests use it: a table of paths, each with what it does to the world.
import type { Accounts, Session } from './accounts.ts'
import { readFilter, type SyncFilter } from './filter.ts'
import type { RateLimit } from './rate-limit.ts'
import { ok, refuse, Refused, type Reply } from './reply.ts'
import { acts, type Acts } from './acts.ts'
import {
  joinedMembers,
  joinedRooms,
  membershipOf,
  visibleTo,
  type PresenceState,
  type Room,
  type World,
} from './world.ts'

export type Request = {
  readonly session: Session
  readonly params: readonly string[]
  readonly query: URLSearchParams
  readonly body: Readonly<Record<string, unknown>>
  readonly nowMs: number
}

export type Home = {
  readonly world: World
  readonly accounts: Accounts
  readonly filters: Map<string, unknown>
  /** Typing that is not said again stops after this time. */
  stopTypingAfter(userId: string, roomId: string, ms: number): void
  joinLimit: RateLimit | undefined
}

type Route = { readonly method: string; readonly path: RegExp; readonly run: (home: Home, request: Request) => Reply }

/** `:x` stands for one part of a path; it arrives decoded. */
const route = (method: string, path: string, run: Route['run']): Route => ({
  method,
  path: new RegExp(`^${path.replaceAll(/:\w+/g, '([^/]+)')}$`),
  run,
})

/** What needs a token. Everything about /sync is in sync-endpoint.ts, because it alone waits. */
const routes: readonly Route[] = [
  route('GET', '/account/whoami', (_, { session }) =>
    ok({ user_id: session.userId, device_id: 'DOUBLE', is_guest: false }),
  ),
  route('POST', '/user/:user/filter', storeFilter),
  route('GET', '/joined_rooms', ({ world }, { session }) =>
    ok({ joined_rooms: joinedRooms(world, session.userId).map(({ roomId }) => roomId) }),
  ),
  route('GET', '/rooms/:room/joined_members', membersOf),
  route('POST', '/createRoom', (home, request) => {
    const { body, session, nowMs } = request
    const alias =
      typeof body['room_alias_name'] === 'string' ? `#${body['room_alias_name']}:${home.world.serverName}` : undefined
    const roomVersion = typeof body['room_version'] === 'string' ? body['room_version'] : undefined
    const isPublic = body['preset'] !== 'private_chat'
    const room = actsAt(home, nowMs).createRoom({
      creator: session.userId,
      isPublic,
      ...(alias && { alias }),
      ...(roomVersion && { roomVersion }),
    })
    return ok({ room_id: room })
  }),
  route('POST', '/join/:room', join),
  route('POST', '/rooms/:room/join', join),
  route('POST', '/rooms/:room/leave', (home, request) => {
    const room = roomOf(home, request)
    requireMember(room, request, ['join', 'invite'])
    actsAt(home, request.nowMs).leave(request.session.userId, room.roomId)
    return ok()
  }),
  route('POST', '/rooms/:room/kick', moderate('kick')),
  route('POST', '/rooms/:room/ban', moderate('ban')),
  route('POST', '/rooms/:room/unban', moderate('unban')),
  route('POST', '/rooms/:room/invite', moderate('invite')),
  route('POST', '/rooms/:room/upgrade', (home, request) => {
    const room = roomOf(home, request)
    requireMember(room, request)
    return ok({ replacement_room: actsAt(home, request.nowMs).upgrade(room.roomId, request.session.userId) })
  }),
  route('PUT', '/rooms/:room/typing/:user', typing),
  route('PUT', '/rooms/:room/send/:type/:txn', (home, request) => {
    const room = roomOf(home, request)
    requireMember(room, request)
    const [, type = ''] = request.params
    return ok({
      event_id: actsAt(home, request.nowMs).send(request.session.userId, room.roomId, { type, content: request.body }),
    })
  }),
  route('PUT', '/presence/:user/status', putPresence),
  route('GET', '/presence/:user/status', getPresence),
  route('GET', '/directory/room/:alias', ({ world }, { params: [alias = ''] }) => {
    const roomId = world.aliases.get(alias) ?? refuse(404, 'M_NOT_FOUND', `Room alias ${alias} not found`)
    return ok({ room_id: roomId, servers: [world.serverName] })
  }),
  route('PUT', '/directory/room/:alias', ({ world }, { params: [alias = ''], body }) => {
    if (world.aliases.has(alias)) refuse(409, 'M_UNKNOWN', `Room alias ${alias} already exists`)
    world.aliases.set(alias, String(body['room_id']))
    return ok()
  }),
  route('DELETE', '/directory/room/:alias', ({ world }, { params: [alias = ''] }) => {
    if (!world.aliases.delete(alias)) refuse(404, 'M_NOT_FOUND', `Room alias ${alias} not found`)
    return ok()
  }),
  route('POST', '/logout', ({ accounts }, { session }) => {
    accounts.end(session.accessToken)
    return ok()
  }),
]

export type Matched = { readonly run: (home: Home, request: Omit<Request, 'params'>) => Reply }

export function routeTo(method: string, path: string): Matched | undefined {
  for (const candidate of routes) {
    const match = candidate.method === method ? candidate.path.exec(path) : null
    if (match === null) continue
    const params = match.slice(1).map(decodeURIComponent)
    return { run: (home, request) => candidate.run(home, { ...request, params }) }
  }
  return undefined
}

const actsAt = ({ world }: Home, nowMs: number): Acts => acts(world, () => nowMs)

/** A stored filter: the same one has the same id, and none can be taken out. */
function storeFilter({ filters }: Home, { body }: Request): Reply {
  if (readFilter(body) === 'limit is no number')
    return { status: 500, body: { errcode: 'M_UNKNOWN', error: 'Internal server error' } }
  const text = JSON.stringify(body)
  for (const [id, known] of filters) if (JSON.stringify(known) === text) return ok({ filter_id: id })
  const id = String(filters.size)
  filters.set(id, body)
  return ok({ filter_id: id })
}

/** The filter of a sync: a stored one by its id, or JSON beginning with a brace. */
export function filterOf(filters: Home['filters'], given: string | null): SyncFilter {
  const filter = readFilter(
    given === null ? {} : given.startsWith('{') ? parseFilter(given) : storedFilter(filters, given),
  )
  return filter === 'limit is no number' ? refuse(400, 'M_UNKNOWN', 'Invalid filter') : filter
}

function parseFilter(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return refuse(400, 'M_NOT_JSON', 'Invalid filter JSON')
  }
}

const storedFilter = (filters: Home['filters'], id: string): unknown =>
  filters.has(id) ? filters.get(id) : refuse(400, 'M_INVALID_PARAM', 'No such filter')

function roomOf({ world }: Home, { params: [roomId = ''], session }: Request): Room {
  const room = world.rooms.get(roomId)
  return room ?? refuse(403, 'M_FORBIDDEN', `User ${session.userId} not in room ${roomId}`)
}

function requireMember(room: Room, { session }: Request, memberships: readonly string[] = ['join']): void {
  if (!memberships.includes(membershipOf(room, session.userId) ?? ''))
    refuse(403, 'M_FORBIDDEN', `User ${session.userId} not in room ${room.roomId}`)
  if (session.state === 'suspended')
    refuse(403, 'M_USER_SUSPENDED', 'Sending messages while account is suspended is not allowed.')
}

function membersOf(home: Home, request: Request): Reply {
  const room = roomOf(home, request)
  if (membershipOf(room, request.session.userId) !== 'join')
    refuse(403, 'M_FORBIDDEN', `User ${request.session.userId} not in room ${room.roomId}`)
  const named = joinedMembers(room).map((userId) => [
    userId,
    { avatar_url: null, display_name: userId.slice(1).split(':')[0] },
  ])
  return ok({ joined: Object.fromEntries(named) as unknown })
}

/** Refuses as Synapse does, with both ways to say how long. */
function requireJoinAllowed({ joinLimit }: Home, { session, nowMs }: Request): void {
  const waitMs = joinLimit?.waitMs(session.userId, nowMs) ?? 0
  if (waitMs === 0) return
  const headers = { 'retry-after': String(Math.ceil(waitMs / 1000)) }
  const body = { errcode: 'M_LIMIT_EXCEEDED', error: 'Too Many Requests', retry_after_ms: Math.ceil(waitMs) }
  throw new Refused({ status: 429, body, headers })
}

function join(home: Home, request: Request): Reply {
  const { session, params, nowMs } = request
  const [named = ''] = params
  if (session.state === 'suspended')
    refuse(403, 'M_USER_SUSPENDED', 'Joining rooms while account is suspended is not allowed.')
  if (!/^#.|^![^:]+:.|^![^:]{43}$/.test(named)) refuse(400, 'M_UNKNOWN', `${named} was not legal room ID or room alias`)
  const roomId = named.startsWith('#')
    ? (home.world.aliases.get(named) ?? refuse(404, 'M_NOT_FOUND', `Room alias ${named} not found`))
    : named
  const room =
    home.world.rooms.get(roomId) ??
    refuse(404, 'M_UNKNOWN', "Can't join remote room because no servers that are in the room have been provided.")
  const membership = membershipOf(room, session.userId)
  if (membership === 'ban') refuse(403, 'M_BAD_STATE', `${session.userId} was banned from the room`)
  if (membership !== 'join' && membership !== 'invite' && !room.isPublic)
    refuse(403, 'M_FORBIDDEN', 'You are not invited to this room.')
  if (membership !== 'join') {
    requireJoinAllowed(home, request)
    actsAt(home, nowMs).join(session.userId, roomId)
  }
  return ok({ room_id: roomId })
}

function moderate(action: 'kick' | 'ban' | 'unban' | 'invite'): Route['run'] {
  return (home, request) => {
    const room = roomOf(home, request)
    requireMember(room, request)
    actsAt(home, request.nowMs)[action](request.session.userId, room.roomId, String(request.body['user_id']))
    return ok()
  }
}

// Synapse's cap: two minutes, whatever is asked for.
const typingMaxMs = 120_000
const typingDefaultMs = 30_000

function typing(home: Home, request: Request): Reply {
  const room = roomOf(home, request)
  requireMember(room, request)
  const { body, session } = request
  const timeoutMs = body['timeout'] ?? typingDefaultMs
  if (typeof timeoutMs !== 'number')
    return { status: 500, body: { errcode: 'M_UNKNOWN', error: 'Internal server error' } }
  const isTyping = body['typing'] === true
  actsAt(home, request.nowMs).typing(session.userId, room.roomId, isTyping)
  if (isTyping) home.stopTypingAfter(session.userId, room.roomId, Math.min(Math.max(0, timeoutMs), typingMaxMs))
  return ok()
}

function putPresence({ world }: Home, { session, body, params: [userId = ''], nowMs }: Request): Reply {
  if (userId !== session.userId) refuse(403, 'M_FORBIDDEN', 'Can only set your own presence state')
  // With presence off, anything is taken and nothing happens.
  if (!world.presenceTracked) return ok()
  const state = body['presence']
  if (state !== 'online' && state !== 'unavailable' && state !== 'offline')
    return refuse(400, 'M_UNKNOWN', 'Invalid presence state')
  const statusMessage = typeof body['status_msg'] === 'string' ? body['status_msg'] : undefined
  acts(world, () => nowMs).presence(userId, state, statusMessage)
  return ok()
}

function getPresence({ world }: Home, { session, params: [userId = ''], nowMs }: Request): Reply {
  if (!world.presenceTracked) return ok({ presence: 'offline' satisfies PresenceState })
  const person = visibleTo(world, session.userId).has(userId) ? world.people.get(userId) : undefined
  if (person === undefined) return refuse(403, 'M_FORBIDDEN', 'You are not allowed to see their presence.')
  const { presence, lastActiveMs } = person
  return ok({
    presence,
    ...(lastActiveMs !== undefined && { last_active_ago: nowMs - lastActiveMs }),
    ...(presence === 'online' && { currently_active: true }),
  })
}
