// The public port: the socket at /ws/city/presence, the same as one answer at /api/city/presence, and the page at /city.
//
//   upgrade -> path, ready?, Host and Origin, room for one more?, token -> verified -> 101, snapshot and joining in one turn
//           '-> refused with a status, and the connection is closed: no 101 and no byte of data before a valid token
//
// The ws library reads what browsers send and closes as the protocol asks; what we send goes straight to the TCP socket,
// because it is the same bytes for everybody. No address is logged: it may carry a token.
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Socket } from 'node:net'
import { WebSocketServer } from 'ws'
import { takeNoBodies } from '@citypresence/chassis/edge/no-bodies'
import { CityError, type ErrorCode } from '@citypresence/chassis/errors'
import type { Logger } from '@citypresence/chassis/log'
import { snapshotPath, socketPath, socketProtocol } from '@citypresence/wire/client-messages'
import type { Client, Outlet } from '../core/client.ts'
import { findToken, judgeOrigin, pathOf } from '../core/handshake.ts'
import { createPlaces, leavePlace, takePlace, type Places } from '../core/places.ts'
import type { Holder } from '../core/revocations.ts'
import type { LiveSession, Session } from '../core/session.ts'
import type { Authenticate } from './authenticate.ts'
import type { AddressOf } from './peer-address.ts'
import { createTurnstile } from './turnstile.ts'
import { ClientSocket, ignoreError, listenTo, boundRest, SocketOutlet, type BrowserListener } from './client-socket.ts'

/** What the public port needs of the loop. */
export interface Doors extends BrowserListener {
  isOpen(): boolean
  open(): Session
  accept(session: Session, expiresAtMs: number): LiveSession | undefined
  join(session: LiveSession, outlet: Outlet, holder?: Holder): Client
  snapshot(): string
  size(): number
}

export type WsServerOptions = {
  readonly host: string
  readonly port: number
  readonly doors: Doors
  readonly authenticate: Authenticate
  readonly clock: { wallMs(): number; monotonicMs(): number }
  readonly isReady: () => boolean
  readonly allowedOrigins: readonly string[]
  readonly connectionsMax: number
  readonly addressOf: AddressOf
  /** Of one address, and of one subject; 0: no matter how many. */
  readonly perAddressMax: number
  readonly perSubjectMax: number
  readonly isRevoked: (holder: Holder) => boolean
  /** Whether bytes are handed to the system past Node's streams where nothing waits in them. */
  readonly directWrites: boolean
  /** The folder of the built page, undefined where it is not served. */
  readonly pageFolder: string | undefined
  readonly countRefusal: (code: ErrorCode) => void
  readonly log: Logger
}

export type WsServer = { readonly port: number; stop(): Promise<void> }

/** The first name this socket had; clients of the first days still use it. */
const aliasPath = '/ws/city/global-presence'
// A browser sends `ping`; nothing that is longer than a line is meant for us.
const messageBytesMax = 1_024
// A message of a few bytes has no need to come in many pieces.
const fragmentsMax = 16
const chunksMax = 64
// How long a peer may take to answer our close before the connection is cut.
const closeTimeoutMs = 5_000
const headersTimeoutMs = 5_000
const requestTimeoutMs = 10_000
const keepAliveTimeoutMs = 5_000
// How often Node looks for connections that overran the first two of these; its default, 30 s, is what a dripping one would get.
const connectionsCheckMs = 1_000
// Node's default; a token of 8 KiB and a browser's cookies fit.
const headerBytesMax = 16 * 1024
// Beside the sockets: handshakes under way, page and snapshot requests, and those who are being told that there is no room. Who
// comes while all of these are taken is hung up on without a word: about 10 MiB are enough for strangers.
const extraConnections = 1_024
const retryAfterS = 2
// About 3 ms of handshakes, as long as a share of a sweep: who is in waits that much longer when all others come.
const upgradesPerTurn = 16
// Connections that the system holds for us until we look: a city's browsers may all come in one second. The system may hold fewer.
const backlog = 4_096

type Refusal = { readonly status: number; readonly text: string }
const refusals: Partial<Record<ErrorCode, Refusal>> = {
  HostRefused: { status: 400, text: 'Bad Request' },
  OriginRefused: { status: 403, text: 'Forbidden' },
  NotReady: { status: 503, text: 'Service Unavailable' },
  TooManyConnections: { status: 503, text: 'Service Unavailable' },
  TooManyOfAddress: { status: 429, text: 'Too Many Requests' },
  TooManyOfSubject: { status: 429, text: 'Too Many Requests' },
  AuthKeysUnreachable: { status: 503, text: 'Service Unavailable' },
  Unexpected: { status: 500, text: 'Internal Server Error' },
}
const unauthorized: Refusal = { status: 401, text: 'Unauthorized' }
const refusalOf = (code: ErrorCode): Refusal => refusals[code] ?? unauthorized

type Admitted = {
  readonly ok: true
  readonly expiresAtMs: number
  readonly holder: Holder
  readonly origin?: string
}
type Judged = Admitted | { readonly ok: false; readonly code: ErrorCode }

type Hall = WsServerOptions & {
  readonly library: WebSocketServer
  readonly sockets: Set<ClientSocket>
  /** Handshakes that wait for their token to be judged; they count as connections. */
  pending: number
  readonly addresses: Places
  readonly subjects: Places
}

export async function startWsServer(options: WsServerOptions): Promise<WsServer> {
  const app = createApp(options)
  const hall: Hall = { ...options, library: createLibrary(), sockets: new Set(), pending: 0, ...places() }
  const turnstile = createTurnstile<Knock>(
    upgradesPerTurn,
    // Who stood in line and went is passed over.
    (knock) => (knock.socket.destroyed ? undefined : void upgrade(hall, knock)),
    (run) => void setImmediate(run),
  )
  app.server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    // Before anything is awaited: a reset without a listener would end the process.
    socket.on('error', ignoreError)
    turnstile.enter({ request, socket, head })
  })
  // Out of descriptors a connection cannot be taken, which is told as an error of the server; without a listener it would end us.
  app.server.on('error', (error) => options.log.warn({ err: error }, 'a connection could not be taken'))
  app.server.maxConnections = options.connectionsMax + extraConnections
  await listen(app, options)
  const address = app.server.address()
  const port = typeof address === 'object' && address !== null ? address.port : options.port
  options.log.info({ port }, 'gateway listens')
  const stop = async (): Promise<void> => {
    // Whoever is still there had its close and did not answer, or came in at the last moment.
    for (const socket of hall.sockets) socket.terminate()
    await app.close()
  }
  return { port, stop }
}

function createLibrary(): WebSocketServer {
  const settings = {
    noServer: true,
    WebSocket: ClientSocket,
    perMessageDeflate: false,
    maxPayload: messageBytesMax,
    maxFragments: fragmentsMax,
    maxBufferedChunks: chunksMax,
    clientTracking: false,
    closeTimeout: closeTimeoutMs,
    // Never the other one that is offered: it holds the token.
    handleProtocols: (offered: Set<string>) => (offered.has(socketProtocol) ? socketProtocol : false),
  }
  return new WebSocketServer(settings)
}

async function listen(app: FastifyInstance, { host, port }: WsServerOptions): Promise<void> {
  try {
    await app.listen({ host, port, backlog })
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    const isTaken = code === 'EADDRINUSE' || code === 'EACCES'
    throw new CityError(isTaken ? 'PortTaken' : 'StartFailed', `PORT ${port}: cannot be listened on`, { cause })
  }
}

// --- who may come in -----------------------------------------------------------------------------------------------------------

/** Everything about a request for data, in the order of its cost; the token last. */
async function judge(options: WsServerOptions, request: IncomingMessage): Promise<Judged> {
  const { doors, clock } = options
  if (!options.isReady() || !doors.isOpen()) return { ok: false, code: 'NotReady' }
  const origin = judgeOrigin(request.rawHeaders, options.allowedOrigins)
  if (!origin.ok) return origin
  const found = findToken(request.rawHeaders, request.url ?? '')
  if (!found.ok) return found
  const verdict = await options.authenticate(found.token, clock.wallMs())
  if (!verdict.ok) return verdict
  const { holder = {} } = verdict
  if (options.isRevoked(holder)) return { ok: false, code: 'TokenRevoked' }
  // From here on by the monotonic clock: a wall clock that jumps ends nobody's session.
  const expiresAtMs = clock.monotonicMs() + (verdict.expiresAtWallMs - clock.wallMs())
  return { ok: true, expiresAtMs, holder, ...(origin.origin !== undefined && { origin: origin.origin }) }
}

// --- the socket ------------------------------------------------------------------------------------------------------------------

type Knock = { readonly request: IncomingMessage; readonly socket: Socket; readonly head: Buffer }

async function upgrade(hall: Hall, knock: Knock): Promise<void> {
  const { request, socket, head } = knock
  const path = pathOf(request.url ?? '')
  if (path !== socketPath && path !== aliasPath) {
    refuse(socket, { status: 404, text: 'Not Found' })
    return
  }
  const session = hall.doors.open()
  const judged = await judgeUpgrade(hall, knock)
  if (socket.destroyed) return
  const live = judged.ok ? hall.doors.accept(session, judged.expiresAtMs) : undefined
  if (!judged.ok || live === undefined) {
    const code = judged.ok ? 'NotReady' : judged.code
    hall.countRefusal(code)
    refuse(socket, refusalOf(code))
    return
  }
  // 101, snapshot and joining happen in this one turn, and leave in one write: no change can fall between them.
  socket.cork()
  hall.library.handleUpgrade(request, socket, head, (ws) => {
    // The library makes them of this class, which its types do not say.
    if (!(ws instanceof ClientSocket)) return
    ws.raw = socket
    ws.on('error', boundRest)
    const client = hall.doors.join(live, new SocketOutlet(socket, ws, hall.directWrites), judged.holder)
    listenTo(ws, client, hall.doors, hall.sockets)
  })
  socket.uncork()
}

async function judgeUpgrade(hall: Hall, { request, socket }: Knock): Promise<Judged> {
  if (hall.doors.size() + hall.pending >= hall.connectionsMax) return { ok: false, code: 'TooManyConnections' }
  const address = hall.addressOf(socket.remoteAddress, request.rawHeaders)
  if (!seat(hall.addresses, address, hall.perAddressMax, socket)) return { ok: false, code: 'TooManyOfAddress' }
  hall.pending++
  try {
    const judged = await judge(hall, request)
    if (!judged.ok || socket.destroyed || seat(hall.subjects, judged.holder.subject, hall.perSubjectMax, socket))
      return judged
    return { ok: false, code: 'TooManyOfSubject' }
  } catch (error) {
    hall.log.error({ err: error }, 'a handshake could not be judged')
    return { ok: false, code: 'Unexpected' }
  } finally {
    hall.pending--
  }
}

const places = () => ({ addresses: createPlaces(), subjects: createPlaces() })

/** A place that the socket gives back when it is closed, however that comes. */
function seat(places: Places, key: string | undefined, max: number, socket: Socket): boolean {
  if (key === undefined || max === 0) return true
  if (!takePlace(places, key, max)) return false
  socket.once('close', () => leavePlace(places, key))
  return true
}

function refuse(socket: Duplex, { status, text }: Refusal): void {
  const retry = status === 503 || status === 429 ? `Retry-After: ${retryAfterS}\r\n` : ''
  socket.end(`HTTP/1.1 ${status} ${text}\r\n${retry}Content-Length: 0\r\nConnection: close\r\n\r\n`)
  // Whoever keeps its half open after our end is cut off.
  socket.once('finish', () => socket.destroy())
}

// --- plain requests --------------------------------------------------------------------------------------------------------------

function createApp(options: WsServerOptions): FastifyInstance {
  const app = fastify({
    logger: false,
    bodyLimit: 1_024,
    requestTimeout: requestTimeoutMs,
    connectionTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    forceCloseConnections: true,
    http: {
      headersTimeout: headersTimeoutMs,
      maxHeaderSize: headerBytesMax,
      connectionsCheckingInterval: connectionsCheckMs,
    },
  })
  app.setErrorHandler((error, _request, reply) => {
    options.log.warn({ err: error }, 'a request failed')
    return reply.code(500).send({ error: 'Unexpected' })
  })
  takeNoBodies(app)
  // The library's own answer repeats the address that was asked for, a token in it included.
  app.setNotFoundHandler((_request, reply) => reply.code(404).send({ error: 'not found' }))
  app.get(snapshotPath, (request, reply) => answerSnapshot(options, request, reply))
  app.options(snapshotPath, (request, reply) => answerPreflight(options, request, reply))
  if (options.pageFolder !== undefined) servePage(app, options.pageFolder)
  return app
}

async function answerSnapshot(
  options: WsServerOptions,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const judged = await judge(options, request.raw)
  reply.header('cache-control', 'no-store').header('vary', 'Origin')
  if (!judged.ok) {
    options.countRefusal(judged.code)
    const { status } = refusalOf(judged.code)
    if (status === 503) reply.header('retry-after', String(retryAfterS))
    allow(reply, judgedOrigin(options, request))
    return reply.code(status).send({ error: judged.code })
  }
  allow(reply, judged.origin)
  return reply.header('content-type', 'application/json; charset=utf-8').send(options.doors.snapshot())
}

/** A page of another origin that carries its token as a header has to ask first. */
function answerPreflight(options: WsServerOptions, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const origin = judgedOrigin(options, request)
  if (origin === undefined) return reply.code(403).send()
  allow(reply, origin)
  return reply.header('access-control-allow-headers', 'authorization').header('vary', 'Origin').code(204).send()
}

function judgedOrigin({ allowedOrigins }: WsServerOptions, request: FastifyRequest): string | undefined {
  const verdict = judgeOrigin(request.raw.rawHeaders, allowedOrigins)
  return verdict.ok ? verdict.origin : undefined
}

const allow = (reply: FastifyReply, origin: string | undefined): void => {
  if (origin !== undefined) reply.header('access-control-allow-origin', origin)
}

/** The page loads nothing from elsewhere and runs nothing inline; its token stands in the fragment and is told to nobody. */
const pageHeaders = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cross-origin-opener-policy': 'same-origin',
}

function servePage(app: FastifyInstance, root: string): void {
  void app.register(import('@fastify/static'), {
    root,
    prefix: '/city/',
    index: 'index.html',
    setHeaders: (reply, path) => {
      reply.headers(pageHeaders)
      // The names of assets carry a hash of their content; the page itself does not.
      reply.header('cache-control', path.endsWith('.html') ? 'no-cache' : 'public, max-age=31536000, immutable')
    },
    cacheControl: false,
  })
  app.get('/city', (_request, reply) => reply.sendFile('index.html'))
}
