// One browser of a crowd: an open socket that has its snapshot, reads as well as it was told to, and comes back as the hook does.
import WebSocket, { type RawData } from 'ws'
import type { Arrival } from './orders.ts'

export type Notebook = {
  arrives(): void
  isIn(handshakeMs: number): void
  refused(status: number, saysWhen: boolean): void
  closed(code: number): void
  /** Back with a snapshot after so long without. */
  wasAway(ms: number): void
  /** Asked before a message is made text: a crowd hears a hundred thousand a second. */
  readonly isListening: boolean
  heard(text: string): void
}

const handshakeTimeoutMs = 20_000
const latePongMs = 1_500
const sipEveryMs = 1_000

// The hook's own waits: web/src/core/link.ts, `soon` and `later`.
const soonMs = (tries: number): number => 100 + Math.random() * Math.min(15_000, 1_000 * 2 ** (tries - 1))
const laterMs = (tries: number): number => (Math.min(120_000, 5_000 * 2 ** (tries - 1)) * (1 + Math.random())) / 2

export class Guest {
  isIn = false
  readonly #arrival: Arrival
  readonly #notes: Notebook
  #socket: WebSocket | undefined
  #tries = 0
  #turn = 0
  #gone = false
  #lostAtMs: number | undefined

  constructor(arrival: Arrival, notes: Notebook, turn: number) {
    this.#arrival = arrival
    this.#notes = notes
    this.#turn = turn
  }

  get manner(): Arrival['manner'] {
    return this.#arrival.manner
  }

  arrive(): void {
    if (this.#gone) return
    const { urls, token, manner } = this.#arrival
    const url = urls[this.#turn % urls.length] ?? ''
    const startedAtMs = performance.now()
    this.#notes.arrives()
    const socket = new WebSocket(`${url}?token=${encodeURIComponent(token)}`, {
      perMessageDeflate: false,
      handshakeTimeout: handshakeTimeoutMs,
      autoPong: manner !== 'late',
    })
    this.#socket = socket
    let refusedBy: number | undefined
    socket.on('unexpected-response', (request, response) => {
      refusedBy = response.statusCode ?? 0
      this.#notes.refused(refusedBy, response.headers['retry-after'] !== undefined)
      request.destroy()
      socket.terminate()
    })
    socket.on('error', () => undefined) // a close follows
    socket.on('ping', (data) => {
      if (manner === 'late') setTimeout(() => socket.pong(data, undefined, () => undefined), latePongMs).unref()
    })
    socket.on('message', (data) => {
      if (!this.isIn) this.#enter(socket, performance.now() - startedAtMs)
      if (manner === 'well' && this.#notes.isListening) this.#notes.heard(textOf(data))
    })
    socket.on('close', (code) => {
      if (this.isIn) {
        this.isIn = false
        this.#lostAtMs = performance.now()
        this.#notes.closed(code)
        this.#tries = 0
      } else if (refusedBy === undefined) this.#notes.refused(0, false)
      this.#comeBack(refusedBy === undefined)
    })
  }

  leave(): void {
    this.#gone = true
    this.#socket?.terminate()
  }

  #enter(socket: WebSocket, handshakeMs: number): void {
    this.isIn = true
    this.#notes.isIn(handshakeMs)
    if (this.#lostAtMs !== undefined) this.#notes.wasAway(performance.now() - this.#lostAtMs)
    this.#lostAtMs = undefined
    const { manner } = this.#arrival
    if (manner === 'not-at-all' || manner === 'slowly') socket.pause()
    if (manner === 'slowly') sip(socket)
  }

  /** The next gateway, as a balancer would have it. */
  #comeBack(soon: boolean): void {
    if (this.#gone || !this.#arrival.comesBack) return
    this.#turn++
    this.#tries++
    setTimeout(() => this.arrive(), soon ? soonMs(this.#tries) : laterMs(this.#tries)).unref()
  }
}

/** A moment of reading, and a second of none. */
function sip(socket: WebSocket): void {
  const timer = setInterval(() => {
    if (socket.readyState !== WebSocket.OPEN) {
      clearInterval(timer)
      return
    }
    socket.resume()
    setImmediate(() => socket.pause())
  }, sipEveryMs)
  timer.unref()
}

const textOf = (data: RawData): string => (Buffer.isBuffer(data) ? data.toString('utf8') : '')
