// Many browsers outside the cluster, each with a socket of its own, who come back as the page does; and one look at all of them ten times
// a second that knows the truth. It shares no code with the page or the gateway.
//
//   refused     upgrades that were answered by anything but a socket, and connections that nobody took
//   wrong       the longest time that somebody who was connected showed another number than the true one
//   away        the longest time that somebody was without a connection
import { WebSocket } from 'ws'
import { until } from '@citypresence/stack/until'

type CrowdReport = {
  readonly sockets: number
  readonly refused: readonly string[]
  readonly longestWrongMs: number
  readonly longestAwayMs: number
  readonly reconnects: number
  /** Codes of closes and how many, e.g. 1012. */
  readonly closes: Readonly<Record<string, number>>
}

type Rooms = ReadonlyMap<string, number>

const lookEveryMs = 100
// As the page: a random wait below this ceiling after a close, so that not all come back in one moment.
const comeBackWithinMs = 1_000
// A connection whose other end is gone is found out by a ping without an answer; the page waits longer, because nobody waits for it.
const pingEveryMs = 5_000

export class Crowd {
  readonly #members: Member[]
  readonly #looking: NodeJS.Timeout
  readonly #truth: () => Rooms

  private constructor(url: string, token: string, size: number, truth: () => Rooms) {
    this.#truth = truth
    this.#members = Array.from({ length: size }, () => new Member(`${url}?token=${encodeURIComponent(token)}`))
    this.#looking = setInterval(() => this.#look(), lookEveryMs)
  }

  /** Resolves when everybody has a snapshot and shows the truth. */
  static async gather(
    url: string,
    token: string,
    size: number,
    truth: () => Rooms,
    deadlineMs = 60_000,
  ): Promise<Crowd> {
    const crowd = new Crowd(url, token, size, truth)
    // In batches: five hundred handshakes in one moment are a storm, which is another test.
    for (const [index, member] of crowd.#members.entries()) {
      member.connect()
      if (index % 50 === 49) await new Promise((resolve) => setTimeout(resolve, 50))
    }
    await crowd.agrees(deadlineMs)
    crowd.forget()
    return crowd
  }

  /** Waits until everybody is connected and shows what is true. */
  async agrees(deadlineMs: number): Promise<void> {
    await until(
      () => {
        const truth = this.#truth()
        const late = this.#members.filter((member) => !member.isHere || !shows(member.rooms, truth))
        if (late.length === 0) return true
        const [first] = late
        throw new Error(`${late.length} of ${this.#members.length} do not: ${told(first?.rooms ?? new Map(), truth)}`)
      },
      { deadlineMs, everyMs: 50, what: 'everybody to show what is true' },
    )
  }

  /** What happened so far does not count: a scenario begins. */
  forget(): void {
    for (const member of this.#members) member.forget()
  }

  report(): CrowdReport {
    const members = this.#members
    const closes: Record<string, number> = {}
    for (const code of members.flatMap((member) => member.closes)) closes[code] = (closes[code] ?? 0) + 1
    return {
      sockets: members.length,
      refused: members.flatMap(({ refused }) => refused),
      longestWrongMs: Math.round(Math.max(0, ...members.map((member) => member.longestWrongMs))),
      longestAwayMs: Math.round(Math.max(0, ...members.map((member) => member.longestAwayMs))),
      reconnects: members.reduce((sum, { reconnects }) => sum + reconnects, 0),
      closes,
    }
  }

  stop(): void {
    clearInterval(this.#looking)
    for (const member of this.#members) member.stop()
  }

  #look(): void {
    const truth = this.#truth()
    const nowMs = performance.now()
    for (const member of this.#members) member.look(truth, nowMs)
  }
}

class Member {
  readonly rooms = new Map<string, number>()
  refused: string[] = []
  closes: number[] = []
  reconnects = 0
  longestWrongMs = 0
  longestAwayMs = 0
  isHere = false
  readonly #url: string
  #socket: WebSocket | undefined
  #isStopped = false
  #wrongSinceMs: number | undefined
  #awaySinceMs: number | undefined
  #pinging: NodeJS.Timeout | undefined
  #isPonged = true

  constructor(url: string) {
    this.#url = url
  }

  connect(): void {
    if (this.#isStopped) return
    const socket = new WebSocket(this.#url, { handshakeTimeout: 10_000, perMessageDeflate: false })
    this.#socket = socket
    clearInterval(this.#pinging)
    this.#isPonged = true
    this.#pinging = setInterval(() => this.#ping(socket), pingEveryMs)
    socket.on('message', (data: Buffer) => this.#hear(data.toString('utf8')))
    socket.on('error', (error: Error & { code?: string }) => {
      // One that breaks later is a close like others.
      if (!this.isHere) this.refused.push(error.code ?? error.message.replace('Unexpected server response: ', ''))
    })
    socket.on('close', (code) => {
      if (this.isHere) this.closes.push(code)
      this.isHere = false
      this.#awaySinceMs ??= performance.now()
      if (this.#isStopped) return
      this.reconnects++
      setTimeout(() => this.connect(), Math.random() * comeBackWithinMs)
    })
  }

  look(truth: Rooms, nowMs: number): void {
    this.#wrongSinceMs = this.isHere && !shows(this.rooms, truth) ? (this.#wrongSinceMs ?? nowMs) : undefined
    if (this.#wrongSinceMs !== undefined)
      this.longestWrongMs = Math.max(this.longestWrongMs, nowMs - this.#wrongSinceMs)
    if (this.#awaySinceMs !== undefined) this.longestAwayMs = Math.max(this.longestAwayMs, nowMs - this.#awaySinceMs)
  }

  forget(): void {
    this.refused = []
    this.closes = []
    this.reconnects = 0
    this.longestWrongMs = 0
    this.longestAwayMs = 0
  }

  stop(): void {
    this.#isStopped = true
    clearInterval(this.#pinging)
    this.#socket?.terminate()
  }

  #ping(socket: WebSocket): void {
    if (!this.isHere) return
    if (!this.#isPonged) {
      socket.terminate()
      return
    }
    this.#isPonged = false
    socket.send('ping')
  }

  #hear(text: string): void {
    if (text === 'pong') {
      this.#isPonged = true
      return
    }
    const message = JSON.parse(text) as { type: string; rooms?: readonly WireRoom[] } & WireRoom
    if (message.type === 'snapshot') {
      this.rooms.clear()
      for (const room of message.rooms ?? []) this.rooms.set(room.room_slug, room.online_count)
      // A socket without a snapshot shows nothing yet.
      this.isHere = true
      this.#awaySinceMs = undefined
    }
    if (message.type === 'room.presence') this.rooms.set(message.room_slug, message.online_count)
  }
}

type WireRoom = { readonly room_slug: string; readonly online_count: number }

const shows = (rooms: Rooms, truth: Rooms): boolean => [...truth].every(([slug, count]) => rooms.get(slug) === count)

const told = (rooms: Rooms, truth: Rooms): string =>
  [...truth]
    .filter(([slug, count]) => rooms.get(slug) !== count)
    .map(([slug, count]) => `${slug} shows ${rooms.get(slug) ?? 'nothing'} instead of ${count}`)
    .join(', ') || 'no connection'
