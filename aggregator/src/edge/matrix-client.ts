// The few requests of the daemon to its homeserver, each typed, each behind the gate that keeps the server's limits.
//
//   join, resolveAlias, ... -> gate -> MatrixHttpApi (matrix-js-sdk) -> fetch of the HTTP client -> decoder -> value
//   sync, joinedMembers     -> gate -> HTTP client ----------------------------------------------> bytes, for sync-worker.ts
//
// These two stay bytes, because a city's first answer, and the list of a crowd, are too large to be parsed on the event loop. The token is read
// again for every request, so that a rotated one needs no restart. Failures are the words of matrix-errors.ts.
import { type Clock, sleep, systemClock } from '@citypresence/chassis/edge/clock'
import type { HttpClient, HttpResponse } from '@citypresence/chassis/edge/http-client'
import { asFetch } from '@citypresence/chassis/edge/http-fetch'
import { CityError } from '@citypresence/chassis/errors'
import type { Logger } from '@citypresence/chassis/log'
import type { Secret } from '@citypresence/chassis/secret'
import { arrayOf, describeDecodeError, object, text, type Decoder } from '@citypresence/wire/decode'
import { matrixRoomId, roomsMax } from '@citypresence/wire/room-directory'
import { ClientPrefix, HTTPError, MatrixError, MatrixHttpApi, Method } from 'matrix-js-sdk/lib/http-api/index.js'
import { TypedEventEmitter } from 'matrix-js-sdk/lib/models/typed-event-emitter.js'
import {
  answered,
  limited,
  lookAhead,
  mayPass,
  openGate,
  tokenRefused,
  type CallKind,
  type RequestGate,
} from '../core/request-gate.ts'
import { MatrixRefusal, notYet, toRefusal } from './matrix-errors.ts'

export type MatrixClientOptions = {
  readonly homeserverUrl: string
  readonly accessToken: Secret
  readonly http: HttpClient
  /** Reads an answer of /joined_members. */
  readonly readMembers: (body: Uint8Array) => Promise<readonly string[]>
  readonly log: Logger
  readonly clock?: Clock
}

export type SyncQuery = {
  readonly since: string | undefined
  readonly filter: string
  readonly timeoutMs: number
}
export type SyncLimits = { readonly deadlineMs: number; readonly bytesMax: number; readonly signal: AbortSignal }

export type ResolvedAlias = { readonly roomId: string; readonly servers: readonly string[] }

/** Every method may throw the words of matrix-errors.ts; a refusal is a MatrixRefusal with its status. */
export interface MatrixClient {
  /** The user of the token. */
  whoami(signal?: AbortSignal): Promise<string>
  /** Stores a filter and answers its id; the server gives the same id for the same filter. */
  storeFilter(userId: string, filter: object, signal?: AbortSignal): Promise<string>
  sync(query: SyncQuery, limits: SyncLimits): Promise<Uint8Array>
  /** `via`: servers to ask for a room that ours does not know. */
  join(roomId: string, via: readonly string[], signal?: AbortSignal): Promise<void>
  resolveAlias(alias: string, signal?: AbortSignal): Promise<ResolvedAlias>
  joinedRooms(signal?: AbortSignal): Promise<readonly string[]>
  joinedMembers(roomId: string, signal?: AbortSignal): Promise<readonly string[]>
  setPresence(userId: string, presence: string, signal?: AbortSignal): Promise<void>
  presenceOf(userId: string, signal?: AbortSignal): Promise<string>
  /** Waits until a call of this kind may leave: a named time is over, or the token is another one. Early at an abort. */
  untilAllowed(kind: CallKind, signal: AbortSignal): Promise<void>
}

// Half a minute: longer than any read of a healthy server, shorter than anybody's patience with a room map.
const readTimeoutMs = 30_000
/** A join over federation has been seen to take a minute and more. */
const joinTimeoutMs = 120_000
/** The rooms of a hundred thousand slugs; whatever else is answered is small. */
const callBytesMax = 8 * 1024 * 1024
/** As much as a first sync may be: the list of a room of 300,000 people, each with a name and a picture. */
const membersBytesMax = 64 * 1024 * 1024
/** A closed gate is looked at this often: a new token is in use at most this long after its file has it. */
const gateLookMs = 2_000
/** A refusal has a short body; of a proxy's page nothing is kept. */
const refusalBytesMax = 64 * 1024
/** Synapse lists every server of a room; a handful is enough to join through. */
const viaMax = 5

type Call = {
  readonly kind: CallKind
  readonly method: Method
  readonly path: string
  readonly query?: Record<string, string | string[]>
  readonly body?: object
  readonly signal?: AbortSignal | undefined
}

const enc = encodeURIComponent
const roomPath = (roomId: string, rest: string): string => `/rooms/${enc(roomId)}/${rest}`
const presencePath = (userId: string): string => `/presence/${enc(userId)}/status`

export function createMatrixClient(options: MatrixClientOptions): MatrixClient {
  const { homeserverUrl, clock = systemClock } = options
  const passing = createPassing(options.accessToken, clock)
  const calls = createCalls(options, passing, readTimeoutMs)
  const joins = createCalls(options, passing, joinTimeoutMs)
  return {
    whoami: async (signal) =>
      (await calls(userAnswer, { kind: 'sync', method: Method.Get, path: '/account/whoami', signal })).user_id,
    storeFilter: async (userId, filter, signal) =>
      (
        await calls(filterAnswer, {
          kind: 'sync',
          method: Method.Post,
          path: `/user/${enc(userId)}/filter`,
          body: filter,
          signal,
        })
      ).filter_id,
    async join(roomId, via, signal) {
      // Servers before 1.12 of the specification know the first name, those after the second.
      const servers = via.slice(0, viaMax)
      const query = servers.length === 0 ? {} : { server_name: servers, via: servers }
      await joins(roomAnswer, {
        kind: 'join',
        method: Method.Post,
        path: `/join/${enc(roomId)}`,
        query,
        body: {},
        signal,
      })
    },
    async resolveAlias(alias, signal) {
      const path = `/directory/room/${enc(alias)}`
      const found = await calls(aliasAnswer, { kind: 'read', method: Method.Get, path, signal })
      return { roomId: found.room_id, servers: (found.servers ?? []).slice(0, viaMax) }
    },
    joinedRooms: async (signal) =>
      (await calls(roomsAnswer, { kind: 'read', method: Method.Get, path: '/joined_rooms', signal })).joined_rooms,
    async joinedMembers(roomId, signal) {
      const path = roomPath(roomId, 'joined_members')
      const question = { kind: 'read', where: `GET ${path}`, url: urlOf(homeserverUrl, path) } as const
      const limits = { deadlineMs: readTimeoutMs, bytesMax: membersBytesMax, signal }
      return options.readMembers(await bytesOf(options.http, passing, question, limits))
    },
    async setPresence(userId, presence, signal) {
      const path = presencePath(userId)
      await calls(anyAnswer, { kind: 'presence', method: Method.Put, path, body: { presence }, signal })
    },
    presenceOf: async (userId, signal) =>
      (await calls(presenceAnswer, { kind: 'read', method: Method.Get, path: presencePath(userId), signal })).presence,
    sync: (query, limits) =>
      bytesOf(options.http, passing, { kind: 'sync', where: 'GET /sync', url: syncUrl(homeserverUrl, query) }, limits),
    untilAllowed: (kind, signal) => passing.untilAllowed(kind, signal),
  }
}

const userAnswer = object({ user_id: text(255) })
const filterAnswer = object({ filter_id: text(255) })
const roomAnswer = object({ room_id: matrixRoomId })
const aliasAnswer = object({ room_id: matrixRoomId }, { servers: arrayOf(text(255), 10_000) })
// Ten times what a directory may hold: the daemon may still be in rooms of former maps.
const roomsAnswer = object({ joined_rooms: arrayOf(matrixRoomId, roomsMax * 10) })
const presenceAnswer = object({ presence: text(255) })
const anyAnswer = object({})

type Passing = ReturnType<typeof createPassing>

/** Who asks passes here before and reports after. */
function createPassing(accessToken: Secret, clock: Clock) {
  let gate: RequestGate = openGate
  const nowMs = () => clock.monotonicMs()
  return {
    nowWallMs: () => clock.wallMs(),
    enter(kind: CallKind): string {
      const token = accessToken.read()
      const passed = mayPass(gate, kind, token, nowMs())
      gate = passed.gate
      if (passed.passage.kind === 'wait') throw notYet(passed.passage.why, passed.passage.untilMs - nowMs())
      return token
    },
    succeeded(token: string): void {
      gate = answered(gate, token)
    },
    refused(kind: CallKind, token: string, refusal: MatrixRefusal): void {
      if (refusal.status === 401) gate = tokenRefused(gate, token, nowMs())
      else if (refusal.status < 500) gate = answered(gate, token)
      if (refusal.retryAfterMs !== undefined) gate = limited(gate, kind, refusal.retryAfterMs, nowMs())
    },
    async untilAllowed(kind: CallKind, signal: AbortSignal): Promise<void> {
      while (!signal.aborted) {
        const passage = lookAhead(gate, kind, accessToken.read(), nowMs())
        if (passage.kind === 'go') return
        await sleep(clock, Math.min(gateLookMs, passage.untilMs - nowMs()), signal)
      }
    },
  }
}

type Calls = <T>(decoder: Decoder<T>, call: Call) => Promise<T>

function createCalls({ homeserverUrl, http, log }: MatrixClientOptions, passing: Passing, timeoutMs: number): Calls {
  const api = new MatrixHttpApi(new TypedEventEmitter(), {
    baseUrl: homeserverUrl,
    prefix: ClientPrefix.V3,
    onlyData: true,
    fetchFn: asFetch(http, { timeoutMs, maxBytes: callBytesMax }),
    logger: sdkLogger(log),
  })
  return async (decoder, call) => {
    const where = `${call.method} ${call.path}`
    const answer = await ask(api, passing, call, where)
    const decoded = decoder.decode(answer)
    if (!decoded.ok) throw new CityError('MatrixGarbled', `${where}: ${describeDecodeError(decoded.error)}`)
    return decoded.value
  }
}

async function ask(
  api: MatrixHttpApi<{ baseUrl: string; prefix: string; onlyData: true }>,
  passing: Passing,
  { kind, method, path, query, body, signal }: Call,
  where: string,
): Promise<unknown> {
  const token = passing.enter(kind)
  try {
    const headers = { Authorization: `Bearer ${token}` }
    // Not authedRequest: it keeps a token of its own, and ours may change between two requests.
    const answer = await api.request(method, path, query, body, {
      headers,
      ...(signal === undefined ? {} : { abortSignal: signal }),
    })
    passing.succeeded(token)
    return answer
  } catch (error) {
    if (signal?.aborted === true) throw new CityError('Aborted', `${where}: cancelled`, { cause: error })
    const known = toMatrixError(error, where, passing.nowWallMs())
    if (known instanceof MatrixRefusal) passing.refused(kind, token, known)
    throw known
  }
}

function toMatrixError(error: unknown, where: string, nowWallMs: number): CityError {
  if (error instanceof HTTPError && error.httpStatus !== undefined) {
    const body: unknown = error instanceof MatrixError ? error.data : undefined
    const retryAfterHeader = error.httpHeaders?.get('retry-after') ?? undefined
    return toRefusal({ where, status: error.httpStatus, retryAfterHeader, body, nowWallMs })
  }
  // The SDK's word for whatever the HTTP client says; its message holds ours, address and reason included.
  if (error instanceof Error && error.name === 'ConnectionError')
    return new CityError('MatrixUnreachable', error.message, { cause: error })
  return new CityError('MatrixGarbled', `${where}: the answer is no JSON of Matrix`, { cause: error })
}

type BytesQuestion = { readonly kind: CallKind; readonly where: string; readonly url: URL }
type BytesLimits = Omit<SyncLimits, 'signal'> & { readonly signal: AbortSignal | undefined }

async function bytesOf(
  http: HttpClient,
  passing: Passing,
  { kind, where, url }: BytesQuestion,
  { deadlineMs, bytesMax, signal }: BytesLimits,
): Promise<Uint8Array> {
  const token = passing.enter(kind)
  const response = await fetchBytes(http, url, {
    headers: { authorization: `Bearer ${token}` },
    timeoutMs: deadlineMs,
    maxBytes: bytesMax,
    ...(signal === undefined ? {} : { signal }),
  })
  if (response.status === 200) {
    passing.succeeded(token)
    return response.body
  }
  const refusal = toRefusal({
    where,
    status: response.status,
    retryAfterHeader: response.headers['retry-after'],
    body: jsonOf(response),
    nowWallMs: passing.nowWallMs(),
  })
  passing.refused(kind, token, refusal)
  throw refusal
}

async function fetchBytes(http: HttpClient, url: URL, request: Parameters<HttpClient['request']>[1]) {
  try {
    return await http.request(url, request)
  } catch (cause) {
    if (!(cause instanceof CityError) || cause.code === 'Aborted') throw cause
    const unreadable = cause.code === 'HttpTooLarge' || cause.code === 'HttpGarbled'
    throw new CityError(unreadable ? 'MatrixGarbled' : 'MatrixUnreachable', cause.message, { cause })
  }
}

const stateAfterNames = ['use_state_after', 'org.matrix.msc4222.use_state_after']

const urlOf = (homeserverUrl: string, path: string): URL =>
  new URL(`${homeserverUrl.replace(/\/$/, '')}${ClientPrefix.V3}${path}`)

function syncUrl(homeserverUrl: string, { since, filter, timeoutMs }: SyncQuery): URL {
  const url = urlOf(homeserverUrl, '/sync')
  url.searchParams.set('filter', filter)
  url.searchParams.set('timeout', String(timeoutMs))
  // The daemon watches and is never seen.
  url.searchParams.set('set_presence', 'offline')
  // State as it is after the timeline, by its name in the specification and by the one that a Synapse with msc4222_enabled knows;
  // others pass over both and answer with the state before it.
  for (const name of stateAfterNames) url.searchParams.set(name, 'true')
  if (since !== undefined) url.searchParams.set('since', since)
  return url
}

function jsonOf({ body }: HttpResponse): unknown {
  if (body.byteLength > refusalBytesMax) return undefined
  try {
    return JSON.parse(Buffer.from(body).toString('utf8'))
  } catch {
    return undefined
  }
}

/** The SDK logs each request at debug, with its query taken out. */
function sdkLogger(log: Logger) {
  const write =
    (level: 'trace' | 'debug' | 'info' | 'warn' | 'error') =>
    (...messages: unknown[]): void =>
      log[level]({ from: 'matrix-js-sdk' }, messages.map(String).join(' '))
  const logger = {
    trace: write('trace'),
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    getChild: () => logger,
  }
  return logger
}
