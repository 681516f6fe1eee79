// Follows the city over one WebSocket and keeps what a page shows. Knows no framework.
//
//   world (socket, fetch, timers) --events--> core/link --effects--> world
//                |                                |
//                +--messages--> wire/board -------+--> core/presence-view --> getSnapshot()
//
// It connects with its first subscriber and closes with its last, so that a component that is mounted twice in a row (as
// React's StrictMode does) costs one connection.
import { createBoard, forgetRemoved, liveRooms, putRoom, replaceRooms, type Board } from '@citypresence/wire/board'
import { clientMessage, pingText, type ClientMessage, type SnapshotMessage } from '@citypresence/wire/client-messages'
import { decodeJson } from '@citypresence/wire/decode'
import { addressesOf } from './core/addresses.ts'
import type { GlobalPresence, PresenceStaleReason } from './core/global-presence.ts'
import { createLink, nextDueAtMs, statusOf, stepLink, type LinkEffect, type LinkEvent } from './core/link.ts'
import { createPresence, nextPresence } from './core/presence-view.ts'
import type { TokenSource } from './presence-client.ts'

export type Timer = { cancel(): void }
/** Something on its way: after `drop()` none of its callbacks is called. */
export type Flight = { drop(): void; send(text: string): void }

export type SocketEars = {
  opened(): void
  heard(text: string): void
  closed(code: number): void
}

/** What the loop needs of a browser. */
export type World = {
  /** Monotonic; what waits and deadlines are measured with. */
  nowMs(): number
  wallMs(): number
  random01(): number
  pageUrl(): string | undefined
  setTimer(callback: () => void, delayMs: number): Timer
  /** Undefined when address or token are of a form that no socket takes. */
  openSocket(url: string, token: string, ears: SocketEars): Flight | undefined
  askToken(token: TokenSource, got: (token: string) => void, failed: () => void): Flight
  /** GET with the token; the status of the answer, or undefined where none came. */
  askStatus(url: string, token: string, answered: (httpStatus: number | undefined) => void): Flight
  /** The network is back, or the page is looked at again. */
  watchNudges(nudge: () => void): () => void
}

// One repaint at 60 Hz: more calls than that are work nobody sees. The first change after a pause is told at once.
const tellEveryMs = 16

export class PresenceLoop {
  readonly #world: World
  readonly #url: string
  readonly #token: TokenSource
  readonly #board: Board
  readonly #listeners = new Set<() => void>()
  #link = createLink()
  #presence = createPresence()
  #told = this.#presence
  #unshown = false
  #loaded = false
  #closed = false
  #saidStale: PresenceStaleReason | undefined
  #usedToken = ''
  #flight: Flight | undefined
  #starting: Timer | undefined
  #wake: Timer | undefined
  #wakeAtMs = Infinity
  #telling: Timer | undefined
  #toldAtMs = -Infinity
  #unwatch: (() => void) | undefined

  constructor(
    world: World,
    {
      url,
      token,
      board = createBoard(),
    }: { readonly url: string; readonly token: TokenSource; readonly board?: Board },
  ) {
    this.#world = world
    this.#board = board
    this.#url = url
    this.#token = token
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    // Wrapped, so that the same function given twice is two subscribers.
    const entry = (): void => listener()
    this.#listeners.add(entry)
    // Begun in a turn of its own: whoever unsubscribes in this one never caused a connection.
    if (!this.#closed && this.#listeners.size === 1) this.#starting = this.#world.setTimer(() => this.#start(), 0)
    return () => {
      if (this.#listeners.delete(entry) && this.#listeners.size === 0) this.#stop()
    }
  }

  readonly getSnapshot = (): GlobalPresence => {
    if (!this.#unshown) return this.#presence
    this.#unshown = false
    forgetRemoved(this.#board, this.#board.mark)
    const standing = {
      status: statusOf(this.#link),
      stopReason: this.#link.phase === 'stopped' ? this.#link.why : undefined,
      loaded: this.#loaded,
      saidStale: this.#saidStale,
    }
    this.#presence = nextPresence(this.#presence, liveRooms(this.#board), standing, this.#world.wallMs())
    return this.#presence
  }

  readonly close = (): void => {
    this.#closed = true
    this.#listeners.clear()
    this.#stop()
  }

  #start(): void {
    this.#unwatch = this.#world.watchNudges(() => this.#dispatch({ kind: 'nudge' }))
    this.#dispatch({ kind: 'start' })
  }

  #stop(): void {
    for (const timer of [this.#starting, this.#wake, this.#telling]) timer?.cancel()
    this.#starting = this.#wake = this.#telling = undefined
    this.#wakeAtMs = Infinity
    this.#unwatch?.()
    this.#unwatch = undefined
    this.#drop()
    this.#link = createLink()
    this.#unshown = true
  }

  #dispatch(event: LinkEvent): void {
    const before = statusOf(this.#link)
    const renewable = typeof this.#token === 'function'
    const at = { nowMs: this.#world.nowMs(), random01: this.#world.random01(), renewable }
    const step = stepLink(this.#link, event, at)
    this.#link = step.link
    for (const effect of step.effects) this.#run(effect)
    if (before !== statusOf(this.#link)) this.#changed()
    this.#armWake()
  }

  #run(effect: LinkEffect): void {
    if (effect === 'ping') {
      this.#flight?.send(pingText)
      return
    }
    this.#drop()
    if (effect === 'ask-token') this.#askToken()
    if (effect === 'open') this.#open()
    if (effect === 'ask-why') this.#askWhy()
  }

  #drop(): void {
    this.#flight?.drop()
    this.#flight = undefined
  }

  #askToken(): void {
    const got = (token: string): void => {
      this.#usedToken = token
      this.#dispatch({ kind: 'token' })
    }
    this.#flight = this.#world.askToken(this.#token, got, () => this.#dispatch({ kind: 'no-token' }))
  }

  #open(): void {
    const addresses = addressesOf(this.#url, this.#world.pageUrl())
    const ears: SocketEars = {
      opened: () => this.#dispatch({ kind: 'opened' }),
      heard: (text) => this.#heard(text),
      closed: (code) => this.#dispatch({ kind: 'closed', code }),
    }
    this.#flight = addresses && this.#world.openSocket(addresses.socketUrl, this.#usedToken, ears)
    if (this.#flight === undefined) this.#dispatch({ kind: 'unusable' })
  }

  #askWhy(): void {
    const url = addressesOf(this.#url, this.#world.pageUrl())?.snapshotUrl ?? ''
    const answered = (httpStatus: number | undefined): void => this.#dispatch({ kind: 'answered', httpStatus })
    this.#flight = this.#world.askStatus(url, this.#usedToken, answered)
  }

  /** A frame that cannot be read still shows that the link lives; what it may have said is passed over. */
  #heard(text: string): void {
    const decoded = decodeJson(clientMessage, text)
    if (decoded.ok) this.#take(decoded.value)
    this.#dispatch({ kind: 'heard', snapshot: decoded.ok && decoded.value.type === 'snapshot' })
  }

  #take(message: ClientMessage): void {
    if (message.type === 'snapshot') this.#takeAll(message.rooms)
    else if (message.type === 'room.presence') putRoom(this.#board, message)
    // A gateway that is stale without a word of why: what it cannot vouch for is its source.
    else this.#saidStale = message.stale ? (message.reason ?? 'source') : undefined
    this.#changed()
  }

  #takeAll(rooms: SnapshotMessage['rooms']): void {
    replaceRooms(this.#board, rooms)
    // A session begins fresh; a gateway with stale data says so in its next frame.
    this.#saidStale = undefined
    this.#loaded = true
    // That frame is on its way: told together, or stale numbers would look fresh for a blink.
    this.#telling ??= this.#world.setTimer(() => this.#tell(), tellEveryMs)
  }

  #changed(): void {
    this.#unshown = true
    if (this.#telling !== undefined) return
    const waitMs = this.#toldAtMs + tellEveryMs - this.#world.nowMs()
    if (waitMs <= 0) this.#tell()
    else this.#telling = this.#world.setTimer(() => this.#tell(), waitMs)
  }

  #tell(): void {
    this.#telling = undefined
    this.#toldAtMs = this.#world.nowMs()
    const before = this.#told
    this.#told = this.getSnapshot()
    if (this.#told !== before) for (const listener of [...this.#listeners]) listener()
  }

  /** An earlier timer may stay: it ticks in vain and arms the next. Frames come far more often than timers should be set. */
  #armWake(): void {
    const dueAtMs = nextDueAtMs(this.#link) ?? Infinity
    if (dueAtMs !== Infinity && dueAtMs >= this.#wakeAtMs) return
    this.#wake?.cancel()
    this.#wake = undefined
    this.#wakeAtMs = dueAtMs
    if (dueAtMs === Infinity) return
    this.#wake = this.#world.setTimer(() => this.#onWake(), Math.max(0, dueAtMs - this.#world.nowMs()))
  }

  #onWake(): void {
    this.#wakeAtMs = Infinity
    this.#dispatch({ kind: 'tick' })
  }
}
