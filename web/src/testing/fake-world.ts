// A browser for the presence loop that does only what a test says: a clock that is moved by hand, sockets that are opened,
// fed and closed by hand. It holds the loop to its side of the bargain too: no callback after `drop()`, one thing in flight.
import type { Flight, SocketEars, Timer, World } from '../presence-loop.ts'
import type { TokenSource } from '../presence-client.ts'

export type FakeSocket = SocketEars & {
  readonly url: string
  readonly token: string
  readonly sent: string[]
  dropped: boolean
}

type FakeTimer = { readonly atMs: number; readonly callback: () => void }
type Question = {
  readonly url: string
  readonly token: string
  answer(status: number | undefined): void
  dropped: boolean
}

export class FakeWorld implements World {
  readonly sockets: FakeSocket[] = []
  readonly questions: Question[] = []
  readonly #timers = new Set<FakeTimer>()
  readonly nudges = new Set<() => void>()
  random = 0.5
  wallStartMs = 1_000_000
  /** No socket can be made. */
  unusable = false
  #nowMs = 0

  nowMs = (): number => this.#nowMs
  wallMs = (): number => this.wallStartMs + this.#nowMs
  random01 = (): number => this.random
  pageUrl = (): string => 'http://city.example/city'

  setTimer(callback: () => void, delayMs: number): Timer {
    const timer = { atMs: this.#nowMs + delayMs, callback }
    this.#timers.add(timer)
    return { cancel: () => void this.#timers.delete(timer) }
  }

  openSocket(url: string, token: string, ears: SocketEars): Flight | undefined {
    if (this.unusable) return undefined
    const unlessDropped = (act: () => void): void => {
      if (!socket.dropped) act()
    }
    const socket: FakeSocket = {
      url,
      token,
      sent: [],
      dropped: false,
      opened: () => unlessDropped(() => ears.opened()),
      heard: (text) => unlessDropped(() => ears.heard(text)),
      closed: (code) => unlessDropped(() => ears.closed(code)),
    }
    this.sockets.push(socket)
    return { drop: () => void (socket.dropped = true), send: (text) => void socket.sent.push(text) }
  }

  askToken(token: TokenSource, got: (token: string) => void, failed: () => void): Flight {
    let dropped = false
    const answer = typeof token === 'function' ? token() : token
    this.setTimer(() => {
      if (!dropped && typeof answer === 'string') (answer === '' ? failed : got)(answer)
    }, 0)
    return { drop: () => void (dropped = true), send: () => undefined }
  }

  askStatus(url: string, token: string, answered: (httpStatus: number | undefined) => void): Flight {
    const question: Question = {
      url,
      token,
      dropped: false,
      answer(status) {
        if (!question.dropped) answered(status)
      },
    }
    this.questions.push(question)
    return { drop: () => void (question.dropped = true), send: () => undefined }
  }

  watchNudges(nudge: () => void): () => void {
    this.nudges.add(nudge)
    return () => this.nudges.delete(nudge)
  }

  get timers(): number {
    return this.#timers.size
  }

  get socket(): FakeSocket {
    const last = this.sockets.at(-1)
    if (last === undefined) throw new Error('no socket was opened')
    return last
  }

  /** Moves the clock, running each timer at its moment. */
  pass(ms: number): void {
    const untilMs = this.#nowMs + ms
    for (let next = this.#next(untilMs); next !== undefined; next = this.#next(untilMs)) {
      this.#nowMs = Math.max(this.#nowMs, next.atMs)
      this.#timers.delete(next)
      next.callback()
    }
    this.#nowMs = untilMs
  }

  #next(untilMs: number): FakeTimer | undefined {
    return [...this.#timers].filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0]
  }
}
