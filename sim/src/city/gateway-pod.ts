// A gateway in a simulated city: the feed and the loop as its main.ts joins them, and instead of a public port the witnesses, who
// come in as a browser does once the door has found their token good.
import { createSimProcess, connectionOf, type SimProcess } from './sim-process.ts'
import { followNats, type NatsSource } from '@citypresence/gateway/edge/nats-source'
import { createFeedMetrics } from '@citypresence/gateway/feed-metrics'
import { createGatewayMetrics } from '@citypresence/gateway/metrics'
import { serve, type Gateway } from '@citypresence/gateway/serve'
import type { Logger } from '@citypresence/chassis/log'
import { createMetrics } from '@citypresence/chassis/metrics'
import { defaultPrefix, roomStream, subjectsBelow } from '@citypresence/wire/subjects'
import type { NatsConnection } from '@nats-io/transport-node'
import type { SimClock } from './sim-clock.ts'

export type GatewayPod = {
  readonly process: SimProcess
  readonly connection: NatsConnection
  readonly gateway: Gateway
  isReady(): boolean
  kill(): void
}

type GatewayPodOptions = {
  readonly clock: SimClock
  readonly connection: NatsConnection
  readonly wallSkewMs: number
  readonly log: Logger
}

export function startGatewayPod({ clock: base, connection, wallSkewMs, log }: GatewayPodOptions): GatewayPod {
  const process = createSimProcess(base, wallSkewMs)
  const { clock } = process
  const metrics = createMetrics('gateway')
  const gateway = serve({
    clock,
    defer: (run) => void clock.after(0, run),
    metrics: createGatewayMetrics(metrics),
    startSpan: () => ({ end: () => undefined }),
    drainMs: 500,
  })
  const source: NatsSource = followNats({
    connection: connectionOf(process, connection),
    subjects: subjectsBelow(defaultPrefix),
    streamName: roomStream,
    inboxPrefix: '_INBOX_gateway',
    clock,
    log,
    metrics: createFeedMetrics(metrics),
    listener: gateway.feed,
  })
  return {
    process,
    connection,
    gateway,
    isReady: () => process.isAlive && source.readiness().ready,
    kill: () => process.kill(),
  }
}
