// A person at a Matrix client, for tests and for the demo: the ordinary client API over plain fetch. It knows nothing that
// a real client would not know; the admin calls at the end are the operator's of the homeserver.
import { createHmac } from 'node:crypto'

export type Presence = 'online' | 'unavailable' | 'offline'

export type Account = { userId: string; accessToken: string }

export type MatrixEvent = {
  type: string
  sender?: string
  state_key?: string
  event_id?: string
  content?: Record<string, unknown>
}

/** Only what tests look at; everything may be absent, as it is when nothing changed. */
export type SyncAnswer = {
  next_batch: string
  presence?: { events?: MatrixEvent[] }
  rooms?: {
    join?: Record<string, JoinedRoomAnswer>
    leave?: Record<string, JoinedRoomAnswer>
    invite?: Record<string, unknown>
  }
}
export type JoinedRoomAnswer = {
  state?: { events?: MatrixEvent[] }
  timeline?: { events?: MatrixEvent[]; limited?: boolean }
  ephemeral?: { events?: MatrixEvent[] }
}

export type SyncOptions = {
  since?: string
  timeoutMs?: number
  filter?: unknown
  setPresence?: Presence
  fullState?: boolean
  signal?: AbortSignal
}

export class MatrixFailure extends Error {
  override readonly name = 'MatrixFailure'
  readonly status: number
  readonly errcode: string
  readonly retryAfterMs: number | undefined

  constructor(what: string, status: number, body: unknown) {
    const { errcode, error, retry_after_ms } = (body ?? {}) as Record<string, unknown>
    const code = typeof errcode === 'string' ? errcode : ''
    super(`${what}: ${status} ${code} ${typeof error === 'string' ? error : ''}`.trimEnd())
    this.status = status
    this.errcode = code
    this.retryAfterMs = typeof retry_after_ms === 'number' ? retry_after_ms : undefined
  }
}

type Call = { method: 'GET' | 'PUT' | 'POST' | 'DELETE'; path: string; body?: unknown; signal?: AbortSignal }

// A minute: a join on a busy machine has been seen to take seconds; a long poll asks for its own time on top.
const callDeadlineMs = 60_000

let transactions = 0

export type MatrixClient = ReturnType<typeof createMatrixClient>

export function createMatrixClient(url: string, account: Account) {
  const call = <T>(call: Call): Promise<T> => matrixCall<T>(url, account.accessToken, call)
  const room = (roomId: string, rest: string): string => `/_matrix/client/v3/rooms/${enc(roomId)}/${rest}`
  const me = enc(account.userId)
  const act = async (roomId: string, action: string, body: Record<string, unknown> = {}): Promise<void> => {
    await call({ method: 'POST', path: room(roomId, action), body })
  }
  return {
    ...account,
    url,
    call,

    async createRoom(options: {
      alias?: string
      name?: string
      preset?: string
      roomVersion?: string
    }): Promise<string> {
      const body = {
        preset: options.preset ?? 'public_chat',
        ...(options.alias === undefined ? {} : { room_alias_name: options.alias }),
        ...(options.name === undefined ? {} : { name: options.name }),
        ...(options.roomVersion === undefined ? {} : { room_version: options.roomVersion }),
      }
      return (await call<{ room_id: string }>({ method: 'POST', path: '/_matrix/client/v3/createRoom', body })).room_id
    },
    async join(roomIdOrAlias: string): Promise<string> {
      const path = `/_matrix/client/v3/join/${enc(roomIdOrAlias)}`
      return (await call<{ room_id: string }>({ method: 'POST', path, body: {} })).room_id
    },
    leave: (roomId: string) => act(roomId, 'leave'),
    kick: (roomId: string, userId: string) => act(roomId, 'kick', { user_id: userId }),
    ban: (roomId: string, userId: string) => act(roomId, 'ban', { user_id: userId }),
    unban: (roomId: string, userId: string) => act(roomId, 'unban', { user_id: userId }),
    invite: (roomId: string, userId: string) => act(roomId, 'invite', { user_id: userId }),

    async setPresence(presence: Presence, statusMessage?: string): Promise<void> {
      const body = { presence, ...(statusMessage === undefined ? {} : { status_msg: statusMessage }) }
      await call({ method: 'PUT', path: `/_matrix/client/v3/presence/${me}/status`, body })
    },
    presenceOf: (userId: string) =>
      call<{ presence: Presence; last_active_ago?: number; currently_active?: boolean }>({
        method: 'GET',
        path: `/_matrix/client/v3/presence/${enc(userId)}/status`,
      }),
    async typing(roomId: string, isTyping: boolean, timeoutMs = 30_000): Promise<void> {
      const body = isTyping ? { typing: true, timeout: timeoutMs } : { typing: false }
      await call({ method: 'PUT', path: room(roomId, `typing/${me}`), body })
    },
    async send(roomId: string, text: string): Promise<string> {
      const path = room(roomId, `send/m.room.message/${process.pid}-${Date.now()}-${transactions++}`)
      return (await call<{ event_id: string }>({ method: 'PUT', path, body: { msgtype: 'm.text', body: text } }))
        .event_id
    },

    sync(options: SyncOptions = {}): Promise<SyncAnswer> {
      const path = `/_matrix/client/v3/sync?${syncQuery(options).toString()}`
      return call({ method: 'GET', path, ...(options.signal === undefined ? {} : { signal: options.signal }) })
    },
    async joinedMembers(roomId: string): Promise<string[]> {
      const { joined } = await call<{ joined: Record<string, unknown> }>({
        method: 'GET',
        path: room(roomId, 'joined_members'),
      })
      return Object.keys(joined)
    },
    async joinedRooms(): Promise<string[]> {
      return (await call<{ joined_rooms: string[] }>({ method: 'GET', path: '/_matrix/client/v3/joined_rooms' }))
        .joined_rooms
    },
    async resolveAlias(alias: string): Promise<string> {
      return (await call<{ room_id: string }>({ method: 'GET', path: aliasPath(alias) })).room_id
    },
    async setAlias(alias: string, roomId: string): Promise<void> {
      await call({ method: 'PUT', path: aliasPath(alias), body: { room_id: roomId } })
    },
    async deleteAlias(alias: string): Promise<void> {
      await call({ method: 'DELETE', path: aliasPath(alias) })
    },
    async upgradeRoom(roomId: string, newVersion: string): Promise<string> {
      const body = { new_version: newVersion }
      const path = room(roomId, 'upgrade')
      return (await call<{ replacement_room: string }>({ method: 'POST', path, body })).replacement_room
    },
    async logout(): Promise<void> {
      await call({ method: 'POST', path: '/_matrix/client/v3/logout', body: {} })
    },

    // For an account registered with `admin: true`.
    admin: {
      /** Everybody out and the room purged; answers when Synapse is done. */
      async deleteRoom(roomId: string): Promise<void> {
        const path = `/_synapse/admin/v1/rooms/${enc(roomId)}`
        await call({ method: 'DELETE', path, body: { purge: true, block: false } })
      },
      async deactivate(userId: string): Promise<void> {
        await call({ method: 'POST', path: `/_synapse/admin/v1/deactivate/${enc(userId)}`, body: { erase: false } })
      },
      async joinUser(roomIdOrAlias: string, userId: string): Promise<void> {
        await call({ method: 'POST', path: `/_synapse/admin/v1/join/${enc(roomIdOrAlias)}`, body: { user_id: userId } })
      },
    },
  }
}

export type Registration = {
  url: string
  registrationSecret: string
  localpart: string
  password?: string
  admin?: boolean
}

export const passwordDefault = 'a-password-for-tests'

/** Registers through the shared secret, as `register_new_matrix_user` does: a nonce, then its HMAC over who it is. */
export async function registerUser(registration: Registration): Promise<Account> {
  const { url, localpart, admin = false, password = passwordDefault } = registration
  const path = '/_synapse/admin/v1/register'
  const { nonce } = await matrixCall<{ nonce: string }>(url, undefined, { method: 'GET', path })
  const mac = createHmac('sha1', registration.registrationSecret)
    .update([nonce, localpart, password, admin ? 'admin' : 'notadmin'].join('\0'))
    .digest('hex')
  const body = { nonce, username: localpart, password, admin, mac }
  return accountOf(await matrixCall<LoginAnswer>(url, undefined, { method: 'POST', path, body }))
}

export async function loginUser(url: string, localpart: string, password = passwordDefault): Promise<Account> {
  const body = { type: 'm.login.password', identifier: { type: 'm.id.user', user: localpart }, password }
  const path = '/_matrix/client/v3/login'
  return accountOf(await matrixCall<LoginAnswer>(url, undefined, { method: 'POST', path, body }))
}

type LoginAnswer = { user_id: string; access_token: string }
const accountOf = (answer: LoginAnswer): Account => ({ userId: answer.user_id, accessToken: answer.access_token })

async function matrixCall<T>(url: string, accessToken: string | undefined, call: Call): Promise<T> {
  const answer = await fetch(`${url}${call.path}`, {
    method: call.method,
    headers: {
      ...(accessToken === undefined ? {} : { authorization: `Bearer ${accessToken}` }),
      ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
    signal: call.signal ?? AbortSignal.timeout(callDeadlineMs),
  })
  const body: unknown = await answer.json().catch(() => undefined)
  // The path holds room and user ids, never the token.
  if (!answer.ok) throw new MatrixFailure(`${call.method} ${call.path}`, answer.status, body)
  return body as T
}

function syncQuery(options: SyncOptions): URLSearchParams {
  const query = new URLSearchParams({ timeout: String(options.timeoutMs ?? 0) })
  if (options.since !== undefined) query.set('since', options.since)
  if (options.filter !== undefined) query.set('filter', JSON.stringify(options.filter))
  if (options.setPresence !== undefined) query.set('set_presence', options.setPresence)
  if (options.fullState === true) query.set('full_state', 'true')
  return query
}

const enc = encodeURIComponent
const aliasPath = (alias: string): string => `/_matrix/client/v3/directory/room/${enc(alias)}`
