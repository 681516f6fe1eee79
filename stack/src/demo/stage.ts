// Everything that the demo stands on, started in the order in which it leans on each other and stopped in reverse.
//
//   Synapse + city   nats-server   city service
//          \____________ | ____________/
//                    aggregator
//              gateway 1 (page)   gateway 2
import { startCityService } from '../city-service.ts'
import { startCity, type City } from '../city-fixture.ts'
import { freePortNear } from '../free-port.ts'
import { startNats, type NatsServer } from '../nats-server.ts'
import type { NatsUser } from '../nats-config.ts'
import { startAggregator, startGateway, type Gateway, type Service } from '../service.ts'
import { makeToken, randomSecret } from '../tokens.ts'

export type Stage = {
  city: City
  nats: NatsServer
  aggregator: Service
  gateways: readonly Gateway[]
  throttleMs: number
  token: string
  /** Where a person looks. The token stands in the fragment, which no browser sends anywhere. */
  address: string
  stop(): Promise<void>
}

export type StageOptions = { say: (text: string) => void; throttleMs: number; signal: AbortSignal }

const gatewayPort = 7001 // the seed's
const tokenLifeS = 24 * 3_600 // a page left open over a day of showing it

export async function setStage(options: StageOptions): Promise<Stage> {
  const stops: (() => Promise<unknown>)[] = []
  const stop = async (): Promise<void> => {
    for (const end of stops.splice(0).reverse()) await end()
  }
  // Each part is noted for stopping the moment it runs, so that a failure halfway, or a Ctrl-C, takes it along.
  const keep = async <T extends { stop(): Promise<unknown> }>(starting: Promise<T>): Promise<T> => {
    const part = await starting
    stops.push(() => part.stop())
    return part
  }
  try {
    return { ...(await startParts(options, keep)), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

type Keep = <T extends { stop(): Promise<unknown> }>(starting: Promise<T>) => Promise<T>

async function startParts({ say, throttleMs, signal }: StageOptions, keep: Keep): Promise<Omit<Stage, 'stop'>> {
  say('Starting Synapse, nats-server and the city service (usually 2 to 5 s) ...')
  const [city, nats] = await allOf([keep(startCity({ size: 'demo' })), keep(startNats())])
  const cityService = await keep(startCityService({ rooms: city.directory(), token: randomSecret() }))
  signal.throwIfAborted()
  say('Starting the aggregator and two gateways (usually 1 to 10 s) ...')
  const jwtSecret = randomSecret()
  const gatewayEnv = (port?: number) => ({
    ...natsEnv(nats, nats.gateway),
    JWT_SECRET: jwtSecret,
    PAGE: 'on',
    ...(port === undefined ? {} : { PORT: String(port) }),
  })
  const aggregatorEnv = {
    ...natsEnv(nats, nats.leader),
    MATRIX_HS_URL: city.url,
    MATRIX_ACCESS_TOKEN: city.daemon.accessToken,
    MATRIX_USER_ID: city.daemon.userId,
    CITY_SERVICE_INTERNAL_URL: cityService.url,
    CITY_SERVICE_TOKEN: cityService.token ?? '',
    ROOM_PRESENCE_THROTTLE_MS: String(throttleMs),
    LEADER_ELECTION: 'none',
    USER_EVENTS: 'off',
    CITY_ID: 'demo',
  }
  const port = await freePortNear(gatewayPort)
  const [aggregator, first, second] = await allOf([
    keep(startAggregator({ env: aggregatorEnv })),
    keep(startGateway({ env: gatewayEnv(port) })),
    keep(startGateway({ env: gatewayEnv() })),
  ])
  const token = makeToken({ secret: jwtSecret, subject: 'demo', expiresInS: tokenLifeS })
  const address = `${first.url}/city#token=${token}`
  return { city, nats, aggregator, gateways: [first, second], throttleMs, token, address }
}

const natsEnv = (nats: NatsServer, { user, pass }: NatsUser) => ({
  NATS_URL: nats.url,
  NATS_USER: user,
  NATS_PASSWORD: pass,
  LOG_LEVEL: 'info',
})

// Like Promise.all, but waits for the others before it fails: each must have had its chance to be noted for stopping.
async function allOf<T extends readonly unknown[]>(all: { [K in keyof T]: Promise<T[K]> }): Promise<T> {
  const settled = await Promise.allSettled(all as readonly Promise<unknown>[])
  const reasons = settled.flatMap((one) => (one.status === 'rejected' ? [messageOf(one.reason)] : []))
  if (reasons.length > 0) throw new Error(reasons.join('\n'))
  return settled.map((one) => (one.status === 'fulfilled' ? one.value : undefined)) as unknown as T
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
