// One browser's view of the city, kept by hand: a WebSocket on a gateway and the newest counts of every room. It shares no
// code with the gateway or the page on purpose: it is the witness.

export type RoomCounts = { online: number; typing: number }
/** Counts and the two marks beside them, as a card shows them. */
export type RoomCard = RoomCounts & { active: boolean; stale: boolean }
export type Frame = { slug: string; counts: RoomCounts; atMs: number }

export type Viewer = {
  readonly name: string
  readonly rooms: ReadonlyMap<string, RoomCard>
  readonly snapshots: number
  readonly updates: number
  readonly reconnects: number
  /** What the last status frame said; undefined before the first. */
  readonly stale: boolean | undefined
  /** When this room last came over the socket (performance.now), or undefined. */
  lastFrameAtMs(slug: string): number | undefined
  onFrame(listener: (frame: Frame) => void): () => void
  /** Each status frame as it comes. */
  onStatus(listener: (stale: boolean | undefined) => void): void
  stop(): void
}

const pingEveryMs = 15_000 // as the hook does; a gateway may close a silent peer
const reconnectAfterMs = 1_000

export function startViewer(name: string, url: string, token: string): Viewer {
  const viewer = new Witness(name, `${url}?token=${encodeURIComponent(token)}`)
  viewer.connect()
  return viewer
}

class Witness implements Viewer {
  readonly name: string
  readonly rooms = new Map<string, RoomCard>()
  snapshots = 0
  updates = 0
  reconnects = 0
  stale: boolean | undefined
  #url: string
  #socket: WebSocket | undefined
  #stopped = false
  #lastFrames = new Map<string, number>()
  #listeners = new Set<(frame: Frame) => void>()
  #statusListeners = new Set<(stale: boolean | undefined) => void>()
  #pinging: NodeJS.Timeout | undefined

  constructor(name: string, url: string) {
    this.name = name
    this.#url = url
  }

  connect(): void {
    if (this.#stopped) return
    const socket = new WebSocket(this.#url)
    this.#socket = socket
    socket.addEventListener('message', ({ data }) => this.hear(String(data), performance.now()))
    socket.addEventListener('error', () => undefined) // a close follows, and that is acted on
    socket.addEventListener('close', () => this.#again())
    clearInterval(this.#pinging)
    this.#pinging = setInterval(() => {
      if (socket.readyState === WebSocket.OPEN) socket.send('ping')
    }, pingEveryMs)
  }

  #again(): void {
    clearInterval(this.#pinging)
    if (this.#stopped) return
    this.reconnects++
    setTimeout(() => this.connect(), reconnectAfterMs)
  }

  stop(): void {
    this.#stopped = true
    clearInterval(this.#pinging)
    this.#socket?.close()
  }

  lastFrameAtMs(slug: string): number | undefined {
    return this.#lastFrames.get(slug)
  }

  onFrame(listener: (frame: Frame) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  onStatus(listener: (stale: boolean | undefined) => void): void {
    this.#statusListeners.add(listener)
  }

  hear(text: string, atMs: number): void {
    if (text === 'pong') return
    const message = JSON.parse(text) as { type: string; rooms?: WireRoom[]; stale?: boolean } & WireRoom
    if (message.type === 'status') {
      this.stale = message.stale
      for (const listener of this.#statusListeners) listener(message.stale)
    }
    if (message.type === 'snapshot') {
      this.snapshots++
      this.rooms.clear()
      for (const room of message.rooms ?? []) this.#learn(room, atMs)
    }
    if (message.type === 'room.presence') {
      this.updates++
      this.#learn(message, atMs)
    }
  }

  #learn(room: WireRoom, atMs: number): void {
    const counts = { online: room.online_count, typing: room.typing_count }
    if (room.removed === true) this.rooms.delete(room.room_slug)
    else this.rooms.set(room.room_slug, { ...counts, active: room.active === true, stale: room.stale === true })
    this.#lastFrames.set(room.room_slug, atMs)
    for (const listener of this.#listeners) listener({ slug: room.room_slug, counts, atMs })
  }
}

type WireRoom = {
  room_slug: string
  online_count: number
  typing_count: number
  active?: boolean
  stale?: boolean
  removed?: boolean
}

/** The rooms in which two views differ, as words; empty when they agree. */
export const differences = (one: ReadonlyMap<string, RoomCounts>, other: ReadonlyMap<string, RoomCounts>): string[] =>
  differing(one, other, toldCounts)

/** The same with the marks. */
export const cardDifferences = (one: ReadonlyMap<string, RoomCard>, other: ReadonlyMap<string, RoomCard>): string[] =>
  differing(one, other, toldCard)

function differing<T>(one: ReadonlyMap<string, T>, other: ReadonlyMap<string, T>, tell: (room: T) => string): string[] {
  const told = (room: T | undefined): string => (room === undefined ? 'absent' : tell(room))
  const slugs = [...new Set([...one.keys(), ...other.keys()])].sort()
  return slugs.flatMap((slug) => {
    const [left, right] = [told(one.get(slug)), told(other.get(slug))]
    return left === right ? [] : [`${slug}: ${left} and ${right}`]
  })
}

const toldCounts = ({ online, typing }: RoomCounts): string => `${online} online, ${typing} typing`
const toldCard = ({ active, stale, ...counts }: RoomCard): string =>
  [toldCounts(counts), ...(active ? ['active'] : []), ...(stale ? ['stale'] : [])].join(', ')
