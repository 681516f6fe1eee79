// A browser in a simulated city: it shows what it was told, notes every frame, comes back when it is thrown out, and now and then
// does not read for a while.
import { createToldView, learn, loseLink } from '@citypresence/checker/core/told-view'
import type { Recorder } from '@citypresence/checker/recorder'
import type { Client, Outlet } from '@citypresence/gateway/core/client'
import { pingOpcode, readFrames, readMessages } from '@citypresence/gateway/testing/read-frames'
import { clientMessage, type RoomView } from '@citypresence/wire/client-messages'
import type { GatewayPod } from './gateway-pod.ts'
import type { SimClock } from './sim-clock.ts'

export type SimWitness = {
  readonly name: string
  readonly rooms: ReadonlyMap<string, RoomView>
  readonly stale: boolean | undefined
  readonly isConnected: boolean
  /** For so long it takes nothing. */
  stopReading(forMs: number): void
  /** The gateway is gone: nothing more comes, and the connection breaks. */
  lose(pod: GatewayPod): void
}

type WitnessOptions = {
  readonly name: string
  readonly clock: SimClock
  readonly recorder: Recorder
  /** In the order in which it tries them. */
  readonly pods: () => readonly GatewayPod[]
}

const comeBackAfterMs = 250
const tokenMs = 24 * 3_600_000

type Seat = { readonly pod: GatewayPod; readonly number: number; client: Client | undefined; readonly unread: Buffer[] }

export function startSimWitness(options: WitnessOptions): SimWitness {
  const witness = new Sitting(options)
  witness.connect()
  return witness
}

class Sitting implements SimWitness {
  readonly name: string
  readonly #options: WitnessOptions
  readonly #view = createToldView()
  #seat: Seat | undefined
  #connections = 0
  #tries = 0
  #reads = true

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

  connect(): void {
    const { pods, clock, recorder } = this.#options
    const all = pods()
    const pod = all[this.#tries++ % all.length]
    const now = clock.monotonicMs()
    const session = pod?.isReady() === true ? pod.gateway.open() : undefined
    const live = session === undefined ? undefined : pod?.gateway.accept(session, now + tokenMs)
    if (pod === undefined || live === undefined) {
      this.#comeBack()
      return
    }
    const seat: Seat = { pod, number: ++this.#connections, client: undefined, unread: [] }
    this.#seat = seat
    recorder.note({ kind: 'opened', witness: this.name, connection: seat.number })
    seat.client = pod.gateway.join(live, this.#outletOf(seat))
  }

  stopReading(forMs: number): void {
    this.#reads = false
    this.#options.clock.after(forMs, () => {
      this.#reads = true
      const seat = this.#seat
      if (seat !== undefined) for (const bytes of seat.unread.splice(0)) this.#take(seat, bytes)
    })
  }

  lose(pod: GatewayPod): void {
    if (this.#seat?.pod === pod) this.#leave(this.#seat, 1006)
  }

  #outletOf(seat: Seat): Outlet {
    return {
      get pendingBytes() {
        return seat.unread.reduce((sum, bytes) => sum + bytes.length, 0)
      },
      send: (bytes) => {
        if (this.#reads) this.#take(seat, bytes)
        else seat.unread.push(bytes)
      },
      close: ({ code }) => this.#leave(seat, code),
    }
  }

  #take(seat: Seat, bytes: Buffer): void {
    if (this.#seat !== seat) return
    for (const message of readMessages(bytes)) this.#hear(seat, message)
    for (const { opcode, payload } of readFrames(bytes))
      if (opcode === pingOpcode)
        this.#options.clock.after(1, () => {
          if (seat.client !== undefined && seat.pod.process.isAlive) seat.pod.gateway.pong(seat.client, payload)
        })
  }

  #hear({ number }: Seat, message: unknown): void {
    const { recorder } = this.#options
    const at = { witness: this.name, connection: number }
    const decoded = clientMessage.decode(message)
    if (!decoded.ok) {
      recorder.note({ kind: 'garbled', ...at, text: JSON.stringify(message) })
      return
    }
    recorder.note({ kind: 'frame', ...at, message: decoded.value })
    learn(this.#view, decoded.value)
  }

  #leave(seat: Seat, code: number): void {
    if (this.#seat !== seat) return
    this.#seat = undefined
    loseLink(this.#view)
    this.#options.recorder.note({ kind: 'closed', witness: this.name, connection: seat.number, code })
    if (seat.client !== undefined && seat.pod.process.isAlive) seat.pod.gateway.left(seat.client)
    this.#comeBack()
  }

  #comeBack(): void {
    this.#options.clock.after(comeBackAfterMs, () => {
      if (this.#seat === undefined) this.connect()
    })
  }
}
