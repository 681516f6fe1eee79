// The gateway as it is shipped: its own process with the flags of its image, with tokens, pings and metrics, fed by a real nats-server on which a leader speaks.
import { gatewayNodeFlags } from '@citypresence/stack/cache'
import { startNats, type NatsServer } from '@citypresence/stack/nats-server'
import { startGateway, type Gateway } from '@citypresence/stack/service'
import { stopAll } from '@citypresence/stack/stop-all'
import { makeToken } from '@citypresence/stack/tokens'
import { socketPath } from '@citypresence/wire/client-messages'
import type { Share } from '../core/result.ts'
import { loadCore, pin, serverCore } from '../harness/machine.ts'
import { profiled } from '../harness/profile.ts'
import { startSink, type Sink, type SinkOptions } from '../harness/sink.ts'
import { startVoice, type Voice } from '../harness/voice.ts'

export const secret = 'a secret of at least thirty-two bytes'

export type City = { readonly nats: NatsServer; readonly voice: Voice; stop(): Promise<void> }

/** A nats-server and a leader, on the core of the load. */
export async function startCity(rooms: number): Promise<City> {
  pin(process.pid, loadCore)
  const nats = await startNats()
  pin(nats.pid, loadCore)
  const voice = await startVoice(nats, rooms)
  return { nats, voice, stop: () => stopAll(voice, nats) }
}

export const gatewayEnv = (nats: NatsServer): Record<string, string> => ({
  NATS_URL: nats.url,
  NATS_USER: nats.gateway.user,
  NATS_PASSWORD: nats.gateway.pass,
  JWT_SECRET: secret,
  HOST: '127.0.0.1',
  ADMIN_HOST: '127.0.0.1',
})

export async function startOurs(
  city: City,
  nodeArgs: readonly string[] = [],
  more: Readonly<Record<string, string>> = {},
): Promise<Gateway> {
  // Somebody has to speak, or a gateway has nothing that it could call ready.
  const beating = city.voice.keepBeating()
  const gateway = await startGateway({
    env: { ...gatewayEnv(city.nats), ...more },
    nodeArgs: [...gatewayNodeFlags(), ...nodeArgs],
  })
  await beating.stop()
  pin(gateway.pid, serverCore)
  return gateway
}

export const browsersOf = (gateway: Gateway, more: Partial<SinkOptions> = {}): Sink =>
  startSink({ port: gateway.port, path: `${socketPath}?token=${makeToken({ secret })}`, ...more })

/** One of the gateway's own counters. */
export async function counterOf(gateway: Gateway, name: string): Promise<number> {
  const line = (await gateway.metrics()).split('\n').find((one) => one.startsWith(`citypresence_gateway_${name} `))
  return Number(line?.split(' ')[1] ?? Number.NaN)
}

/** Where a gateway spends its time while this goes on, its start included. */
export const profileOfGateway = (
  rooms: number,
  run: (city: City, sink: Sink) => Promise<void>,
): Promise<readonly Share[]> =>
  profiled(async (nodeArgs) => {
    const city = await startCity(rooms)
    const gateway = await startOurs(city, nodeArgs)
    const sink = browsersOf(gateway)
    try {
      await run(city, sink)
    } finally {
      await sink.stop()
      // In its own time: at its end it writes the profile.
      await gateway.stop()
      await city.stop()
    }
  })
