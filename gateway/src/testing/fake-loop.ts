// The gateway's loop in a test's hands: a clock that is turned, deferred work that is run, readers that are looked into.
import { createMetrics } from '@citypresence/chassis/metrics'
import { createFakeClock } from '@citypresence/chassis/testing/fake-clock'
import type { CloseCode } from '@citypresence/wire/client-messages'
import type { Client, Outlet } from '../core/client.ts'
import { pingFrame } from '../core/frames.ts'
import { createGatewayMetrics } from '../metrics.ts'
import { serve } from '../serve.ts'
import { pingOpcode, readFrames, readMessages } from './read-frames.ts'

export type FakeReader = {
  readonly client: Client
  pendingBytes: number
  closed: CloseCode | undefined
  /** When it was closed, on the loop's clock. */
  closedAtMs: number | undefined
  writes(): number
  /** What it was told since the last time somebody asked. */
  news(): Record<string, unknown>[]
  pongs(): number
  /** The ids of the pings it got since the last time somebody asked. */
  pings(): Uint8Array[]
}

export type FakeLoop = ReturnType<typeof startFakeLoop>

export function startFakeLoop({ drainMs = 5_000, skewMs = 0 }: { drainMs?: number; skewMs?: number } = {}) {
  const clock = createFakeClock()
  const metrics = createMetrics('gateway')
  const deferred: (() => void)[] = []
  const spans: { parent: string; links: readonly string[]; ended: boolean }[] = []
  const gateway = serve({
    clock: { ...clock, wallMs: () => clock.wallMs() + skewMs },
    defer: (run) => void deferred.push(run),
    metrics: createGatewayMetrics(metrics),
    startSpan: (_name, origin) => {
      const span = { ...origin, ended: false }
      spans.push(span)
      return { end: () => void (span.ended = true) }
    },
    drainMs,
  })
  return {
    gateway,
    clock,
    spans,
    deferred,
    /** One turn of deferred work; what it defers is for the next. */
    turn: () => deferred.splice(0).forEach((run) => run()),
    settle(turnsMax = 1_000) {
      for (let turn = 0; deferred.length > 0 && turn < turnsMax; turn++) this.turn()
    },
    room: (slug: string, online: number, stamps: { oldestEventTs?: number; traceparent?: string } = {}) =>
      gateway.feed.changed([{ room_slug: slug, online_count: online, typing_count: 0 }], stamps),
    join(expiresInMs = 3_600_000): FakeReader {
      const session = gateway.accept(gateway.open(), clock.monotonicMs() + expiresInMs)
      if (session === undefined) throw new Error('it was not let in')
      return joinReader(
        (outlet) => gateway.join(session, outlet),
        () => clock.monotonicMs(),
      )
    },
    /** The value of one metric, by its name without the prefix; of all its labels together where none are given. */
    async metric(name: string): Promise<number> {
      const text = await metrics.registry.metrics()
      const own = [' ', '{'].map((end) => `citypresence_gateway_${name}${end}`)
      const lines = text.split('\n').filter((one) => own.some((start) => one.startsWith(start)))
      return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
    },
  }
}

function joinReader(join: (outlet: Outlet) => Client, nowMs: () => number): FakeReader {
  const sent: Buffer[] = []
  let writes = 0
  let texts = 0
  const pings: Uint8Array[] = []
  const news: Record<string, unknown>[] = []
  const reader = {
    pendingBytes: 0,
    closed: undefined as CloseCode | undefined,
    closedAtMs: undefined as number | undefined,
  }
  const outlet: Outlet = {
    get pendingBytes() {
      return reader.pendingBytes
    },
    send(bytes) {
      if (reader.closed !== undefined) throw new Error('written to after its close')
      writes++
      sent.push(bytes)
    },
    close(code) {
      if (reader.closed !== undefined) throw new Error('closed twice')
      reader.closed = code
      reader.closedAtMs = nowMs()
    },
  }
  const take = (): void => {
    const bytes = Buffer.concat(sent.splice(0))
    for (const { opcode, payload } of readFrames(bytes)) {
      if (opcode === pingOpcode) pings.push(payload)
      else if (payload.toString() === 'pong') texts++
    }
    news.push(...(readMessages(bytes) as Record<string, unknown>[]))
  }
  const client = join(outlet)
  return Object.assign(reader, {
    client,
    writes: () => writes,
    news: () => (take(), news.splice(0)),
    pongs: () => (take(), texts),
    pings: () => (take(), pings.splice(0)),
  })
}

/** What a browser answers to a ping: its payload. */
export const pongTo = (id: number): Buffer => pingFrame(id).subarray(2)
