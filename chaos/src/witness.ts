// A browser reduced to its honesty: it shows what it was told and notes every frame. When its gateway goes, it tries the next
// one of its list, as a browser behind a balancer does.
import type { RoomView } from '@citypresence/wire/client-messages'
import { clientMessage } from '@citypresence/wire/client-messages'
import { decodeJson } from '@citypresence/wire/decode'
import { createToldView, learn, loseLink } from '@citypresence/checker/core/told-view'
import type { Recorder } from '@citypresence/checker/recorder'

export type Witness = {
  readonly name: string
  /** What it shows: rooms that are part of the city. */
  readonly rooms: ReadonlyMap<string, RoomView>
  /** The mark over everything; undefined until it was told. */
  readonly stale: boolean | undefined
  readonly isConnected: boolean
  /** Of the gateway that it is connected to, or tries now. */
  readonly url: string
  stop(): void
}

const pingEveryMs = 15_000 // as the hook does
const comeBackAfterMs = 250 // a browser waits longer; a witness would only miss more
// A connection that hears nothing for so long is dead: the hook's rule.
const silenceMaxMs = 20_000

export type WitnessOptions = {
  readonly name: string
  /** Addresses of sockets, the first one tried first. */
  readonly urls: readonly string[]
  readonly token: string
  readonly recorder: Recorder
}

export function startWitness(options: WitnessOptions): Witness {
  const witness = new SocketWitness(options)
  witness.connect()
  return witness
}

class SocketWitness implements Witness {
  readonly name: string
  readonly #options: WitnessOptions
  readonly #view = createToldView()
  #connection = 0
  #stopped = false
  #socket: WebSocket | undefined

  constructor(options: WitnessOptions) {
    this.name = options.name
    this.#options = options
  }

  get rooms(): ReadonlyMap<string, RoomView> {
    return this.#view.rooms
  }

  get stale(): boolean | undefined {
    return this.#view.stale
  }

  get isConnected(): boolean {
    return this.#view.isComplete
  }

  get url(): string {
    const { urls } = this.#options
    return urls[(this.#connection - 1) % urls.length] ?? ''
  }

  connect(): void {
    if (this.#stopped) return
    const { token, recorder } = this.#options
    const connection = ++this.#connection
    const at = { witness: this.name, connection }
    const socket = new WebSocket(`${this.url}?token=${encodeURIComponent(token)}`)
    this.#socket = socket
    let heardAtMs = recorder.nowMs()
    let pinging: NodeJS.Timeout | undefined
    socket.addEventListener('open', () => {
      recorder.note({ kind: 'opened', ...at })
      pinging = setInterval(() => {
        if (recorder.nowMs() - heardAtMs > silenceMaxMs) socket.close()
        else if (socket.readyState === WebSocket.OPEN) socket.send('ping')
      }, pingEveryMs)
      // A goodbye that is never answered holds nobody here.
      pinging.unref()
    })
    socket.addEventListener('message', ({ data }) => {
      heardAtMs = recorder.nowMs()
      this.#hear(String(data), at)
    })
    socket.addEventListener('error', () => undefined) // a close follows
    socket.addEventListener('close', ({ code }) => {
      clearInterval(pinging)
      if (pinging !== undefined) recorder.note({ kind: 'closed', ...at, code })
      loseLink(this.#view)
      if (!this.#stopped) setTimeout(() => this.connect(), comeBackAfterMs).unref()
    })
  }

  stop(): void {
    this.#stopped = true
    this.#socket?.close()
  }

  #hear(text: string, at: { witness: string; connection: number }): void {
    if (text === 'pong') return
    const decoded = decodeJson(clientMessage, text)
    if (!decoded.ok) {
      this.#options.recorder.note({ kind: 'garbled', ...at, text: text.slice(0, 200) })
      return
    }
    this.#options.recorder.note({ kind: 'frame', ...at, message: decoded.value })
    learn(this.#view, decoded.value)
  }
}
