// The gateway's loop: what the feed says goes onto the board, what the board says goes to every reader.
//
//   feed -> learnRooms -> [wake] -> beginSweep -> sweepSome -> sweepSome -> ... -> freshness observed
//   browser: join (snapshot + status) -> sweeps -> message, pong, left
//   every 100 ms: a tenth of all readers is looked at (expiry, pings, who does not read), drained laggards catch up
//
// The world is handed in: a clock, `defer` (run after other pending work), outlets. Nothing here is per reader but its session.
import { noCauses, spanFor, withCause, type Causes } from '@citypresence/chassis/core/causes'
import type { RoomView } from '@citypresence/wire/client-messages'
import {
  createCity,
  forgetBefore,
  joinBytes,
  learnRooms,
  markOf,
  replaceCity,
  setStatus,
  snapshotOf,
} from './core/city.ts'
import type { City, Status } from './core/city.ts'
import type { Client, Outlet } from './core/client.ts'
import { nextPingId, pingFrame, pongId, pongTextFrame } from './core/frames.ts'
import { aboveFloor } from './core/privacy-floor.ts'
import { checkReader, createReader, forgive, notePing, notePong } from './core/reader.ts'
import type { Holder } from './core/revocations.ts'
import { createRound, visitShare, type Round } from './core/round.ts'
import { awaitToken, step, type LiveSession, type Session, type SessionEvent } from './core/session.ts'
import { beginSweep, catchUpIfDrained, createSweeper, heardByAll, sweepSome, type Sweeper } from './core/sweep.ts'
import type { GatewayMetrics } from './metrics.ts'

export interface ServeClock {
  wallMs(): number
  monotonicMs(): number
  after(ms: number, run: () => void): () => void
}

/** When the oldest of these changes happened, and which trace it belongs to. */
export type Stamps = { readonly oldestEventTs?: number; readonly traceparent?: string }

/** Of all that wait for the next sweep. */
type Gathered = { readonly oldestEventTs?: number; readonly causes: Causes }
const nothing: Gathered = { causes: noCauses }

export type ServeOptions = {
  readonly clock: ServeClock
  /** Runs after what is pending now, sockets included. */
  readonly defer: (run: () => void) => void
  readonly metrics: GatewayMetrics
  /** A span around a sweep that belongs to a sampled trace. */
  readonly startSpan: (name: string, options: { parent: string; links: readonly string[] }) => { end(): void }
  /** Asked of each session once a second. */
  readonly isRevoked?: (holder: Holder) => boolean
  /** Rooms with fewer people are shown as that; 0 hides nothing. */
  readonly privacyFloor?: number
  /** Over how long the sessions are ended at a stop. */
  readonly drainMs: number
}

export type Gateway = ReturnType<typeof serve>

/** About 4 ms of writes: pings, upgrades and the feed get their turn in between. */
const sweepShare = 500
const tickMs = 100
/** Every reader is looked at once in this time: an expired token is closed within it. */
const roundMs = 1_000
const forgetEveryMs = 10_000
/** Ticks come late on a busy machine; one that is so late had an event loop that stood still. */
const stoodStillMs = 1_000
/** A clock that is an hour off must not make the mean of all freshness a lie: beyond this it is late, and that is all. */
const freshnessMaxMs = 60_000

type Loop = ServeOptions & {
  readonly city: City
  readonly sweeper: Sweeper
  readonly clients: Set<Client>
  readonly round: Round<Client>
  woken: boolean
  /** Stamps of what was learnt since the last sweep began, and of the sweep that runs. */
  gathered: Gathered
  joined: number
  forgotAtMs: number
  tickedAtMs: number
  closed: boolean
  draining: { perTick: number; done: () => void } | undefined
  cancelTick: () => void
}

export function serve(options: ServeOptions) {
  const city = createCity()
  const clients = new Set<Client>()
  const loop: Loop = {
    ...options,
    city,
    sweeper: createSweeper(city),
    clients,
    round: createRound(clients),
    woken: false,
    gathered: nothing,
    joined: 0,
    forgotAtMs: 0,
    tickedAtMs: Math.trunc(options.clock.monotonicMs()),
    closed: false,
    draining: undefined,
    cancelTick: () => undefined,
  }
  startTicking(loop)
  return {
    feed: feedOf(loop),
    open: (): Session => awaitToken(nowOf(loop)),
    accept: (session: Session, expiresAtMs: number) => accept(loop, session, expiresAtMs),
    join: (session: LiveSession, outlet: Outlet, holder?: Holder) => join(loop, session, { outlet, holder }),
    message: (client: Client, text: string | undefined) => apply(loop, client, { kind: 'message', text }),
    pong: (client: Client, payload: Uint8Array) => answer(loop, client, payload),
    left: (client: Client) => forget(loop, client),
    snapshot: () => snapshotOf(city),
    size: () => clients.size,
    /** False from the moment the sessions are being ended: nobody new is let in. */
    isOpen: () => !loop.closed,
    drain: () => drain(loop),
    stop: () => loop.cancelTick(),
  }
}

/** Whole milliseconds: see createReader. */
const nowOf = ({ clock }: Loop): number => Math.trunc(clock.monotonicMs())

// --- from the feed ---------------------------------------------------------------------------------------------------------

function feedOf(loop: Loop) {
  const learnt = (changed: number, stamps: Stamps) => {
    if (changed === 0) return
    loop.metrics.changes.inc(changed)
    loop.gathered = gather(loop.gathered, stamps)
    wake(loop)
  }
  // Before anything is kept: what is not on the board reaches nobody, by socket or by REST.
  const shown = (views: readonly RoomView[]) => views.map((view) => aboveFloor(view, loop.privacyFloor ?? 0))
  return {
    changed: (views: readonly RoomView[], stamps: Stamps) => learnt(learnRooms(loop.city, shown(views)), stamps),
    replaced: (views: readonly RoomView[]) => learnt(replaceCity(loop.city, shown(views)), {}),
    status(status: Status) {
      if (!setStatus(loop.city, status)) return
      loop.metrics.stale.set(status.stale ? 1 : 0)
      wake(loop)
    },
  }
}

/** The oldest change counts, and the traces of all: a sweep is one piece of work for all of them. */
function gather(before: Gathered, { oldestEventTs, traceparent }: Stamps): Gathered {
  const oldest = Math.min(before.oldestEventTs ?? Infinity, oldestEventTs ?? Infinity)
  return {
    ...(Number.isFinite(oldest) && { oldestEventTs: oldest }),
    causes: withCause(before.causes, traceparent),
  }
}

// --- sweeps ----------------------------------------------------------------------------------------------------------------

/** Deferred by one turn, so that the messages of one batch, which arrive in one turn, make one flush. */
function wake(loop: Loop): void {
  if (loop.woken) return
  loop.woken = true
  loop.defer(() => startSweep(loop))
}

function startSweep(loop: Loop): void {
  const { gathered } = loop
  loop.gathered = nothing
  const startedMs = loop.clock.monotonicMs()
  if (!beginSweep(loop.sweeper, loop.clients, nowOf(loop))) {
    loop.woken = false
    return
  }
  const origin = spanFor(gathered.causes)
  const span = origin && loop.startSpan('sweep', origin)
  const go = () => {
    if (!sweepSome(loop.sweeper, sweepShare, nowOf(loop))) {
      loop.defer(go)
      return
    }
    span?.end()
    noteSweep(loop, gathered, startedMs)
    loop.woken = false
    // What came while the sweep ran.
    if (loop.sweeper.flushedMark !== markOf(loop.city)) wake(loop)
  }
  go()
}

function noteSweep({ metrics, clock, sweeper, city }: Loop, { oldestEventTs }: Gathered, startedMs: number): void {
  metrics.sweepSeconds.observe((clock.monotonicMs() - startedMs) / 1000)
  metrics.noteTotals(sweeper.totals)
  if (oldestEventTs === undefined) return
  const ageMs = clock.wallMs() - oldestEventTs
  // Two machines' clocks differ: an event from the future counts as fresh, and is told.
  if (ageMs < 0) metrics.clockSkew.inc()
  // Late and marked is honest, late and unmarked is what the objective counts.
  const marked = city.status.stale ? 'yes' : 'no'
  metrics.freshnessSeconds.observe({ marked }, Math.min(freshnessMaxMs, Math.max(0, ageMs)) / 1000)
}

// --- readers ---------------------------------------------------------------------------------------------------------------

/** Before the 101, so that nobody is let in to be shown out; undefined where it is too late for this one, or for all. */
function accept(loop: Loop, session: Session, expiresAtMs: number): LiveSession | undefined {
  const nowMs = nowOf(loop)
  const reader = createReader(markOf(loop.city), loop.joined, nowMs)
  const accepted = step(session, { kind: 'token-accepted', reader, expiresAtMs }, nowMs)
  return accepted.session.kind === 'live' && !loop.closed ? accepted.session : undefined
}

/** In the same turn as accept, so that snapshot and status are of the reader's mark: no gap, and nothing twice. */
function join(loop: Loop, session: LiveSession, { outlet, holder }: Omit<Client, 'session'>): Client {
  const client: Client = { outlet, session, holder }
  loop.joined++
  outlet.send(joinBytes(loop.city))
  loop.clients.add(client)
  loop.metrics.sessions.inc()
  return client
}

function apply(loop: Loop, client: Client, event: SessionEvent): void {
  const { session, effect } = step(client.session, event, nowOf(loop))
  client.session = session
  if (effect.kind === 'pong') {
    // Who asks without reading the answers gets none: they would gather here.
    if (client.outlet.pendingBytes === 0) client.outlet.send(pongTextFrame)
  } else if (effect.kind === 'close') {
    forget(loop, client)
    loop.metrics.closes.inc({ code: effect.code.code })
    client.outlet.close(effect.code)
  }
}

function answer(loop: Loop, client: Client, payload: Uint8Array): void {
  const { session } = client
  if (session.kind !== 'live' || !notePong(session.reader, pongId(payload), nowOf(loop))) return
  if (loop.sweeper.behind.has(client)) catchUpIfDrained(loop.sweeper, client, nowOf(loop))
}

function forget(loop: Loop, client: Client): void {
  loop.clients.delete(client)
  loop.sweeper.behind.delete(client)
}

// --- every 100 ms ----------------------------------------------------------------------------------------------------------

function startTicking(loop: Loop): void {
  loop.cancelTick = loop.clock.after(tickMs, () => {
    tick(loop)
    startTicking(loop)
  })
}

function tick(loop: Loop): void {
  const { clients, sweeper, metrics } = loop
  const nowMs = nowOf(loop)
  const lateMs = nowMs - loop.tickedAtMs
  loop.tickedAtMs = nowMs
  if (lateMs >= stoodStillMs) forgiveAll(loop, lateMs)
  for (const client of sweeper.behind) catchUpIfDrained(sweeper, client, nowMs)
  lookAtSome(loop, nowMs)
  drainSome(loop)
  metrics.connections.set(clients.size)
  metrics.behind.set(sweeper.behind.size)
  if (nowMs - loop.forgotAtMs < forgetEveryMs) return
  loop.forgotAtMs = nowMs
  forgetBefore(loop.city, heardByAll(sweeper, clients))
  metrics.rooms.set(loop.city.board.entries.size)
}

/** Timers come before what sockets have brought: without this everybody who owes a pong would be taken for dead. */
function forgiveAll({ clients }: Loop, lateMs: number): void {
  for (const { session } of clients) if (session.kind === 'live') forgive(session.reader, lateMs)
}

function lookAtSome(loop: Loop, nowMs: number): void {
  const { sweeper, round } = loop
  // One ping frame for all who fall quiet in this tick.
  let frame: Buffer | undefined
  visitShare(round, tickMs, roundMs, (client) => {
    const { holder } = client
    const revoked = holder !== undefined && loop.isRevoked?.(holder) === true
    apply(loop, client, { kind: revoked ? 'revoked' : 'time' })
    if (client.session.kind !== 'live') return
    const { reader } = client.session
    const check = checkReader(reader, nowMs)
    if (check === 'not-reading') apply(loop, client, { kind: 'not-reading' })
    if (check !== 'ping') return
    if (frame === undefined) {
      sweeper.pingId = nextPingId(sweeper.pingId)
      frame = pingFrame(sweeper.pingId)
    }
    notePing(reader, sweeper.pingId, nowMs)
    client.outlet.send(frame)
  })
}

// --- the end ---------------------------------------------------------------------------------------------------------------

/** Ends all sessions, a share at each tick, so that not all of them look for another gateway in one moment. */
function drain(loop: Loop): Promise<void> {
  loop.closed = true
  const { promise, resolve } = Promise.withResolvers<undefined>()
  const perTick = Math.ceil((loop.clients.size * tickMs) / Math.max(loop.drainMs, tickMs))
  if (loop.clients.size === 0) resolve(undefined)
  else loop.draining = { perTick, done: () => resolve(undefined) }
  return promise.then(() => undefined)
}

function drainSome(loop: Loop): void {
  const { draining, clients } = loop
  if (draining === undefined) return
  let left = draining.perTick
  for (const client of clients) {
    if (left-- === 0) return
    apply(loop, client, { kind: 'restarting' })
  }
  if (clients.size === 0) {
    loop.draining = undefined
    draining.done()
  }
}
