// The product whole, on real servers: what the demo shows and what the acceptance tests hold to account. Parts start in the
// order in which they lean on each other and stop in reverse.
//
//   Synapse + city   nats-server   city service
//          \____________ | ____________/
//                    aggregator
//              gateway 1 ... gateway n
import { startCity, type City } from './city-fixture.ts'
import { startCityService, type CityService } from './city-service.ts'
import type { CitySize } from './city-shape.ts'
import { startNats, type NatsServer } from './nats-server.ts'
import type { NatsAccounts, NatsUser } from './nats-config.ts'
import { startAggregator, startGateway, startGatewayNear, type Gateway, type Service } from './service.ts'
import { makeToken, randomSecret } from './tokens.ts'

export type WholeCityOptions = {
  size: CitySize
  gateways: number
  throttleMs: number
  /** Where the first gateway listens if nobody else does; the others, and it too by default, take a free port. */
  firstPort?: number
  quiet?: boolean
  /** Two, as in production, unless told otherwise. */
  natsAccounts?: NatsAccounts
  /** Settings on top of the ones that name the servers. */
  aggregatorEnv?: Readonly<Record<string, string>>
  gatewayEnv?: Readonly<Record<string, string>>
  signal?: AbortSignal
  say?: (text: string) => void
}

export type WholeCity = {
  city: City
  nats: NatsServer
  cityService: CityService
  aggregator: Service
  gateways: readonly Gateway[]
  throttleMs: number
  /** Opens every gateway for a day. */
  token: string
  jwtSecret: string
  /** One more of each beside those that run, with the same settings; stopped with the rest. */
  addGateway(): Promise<Gateway>
  addAggregator(): Promise<Service>
  stop(): Promise<void>
}

const tokenLifeS = 24 * 3_600 // a page left open over a day of showing it

export async function startWholeCity(options: WholeCityOptions): Promise<WholeCity> {
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

async function startParts(options: WholeCityOptions, keep: Keep): Promise<Omit<WholeCity, 'stop'>> {
  const say = options.say ?? (() => undefined)
  say('Starting Synapse, nats-server and the city service (usually 2 to 5 s) ...')
  const cityOptions = { size: options.size, quiet: options.quiet ?? false }
  const [city, nats] = await allOf([
    keep(startCity(cityOptions)),
    keep(startNats({ accounts: options.natsAccounts ?? 'two' })),
  ])
  const cityService = await keep(startCityService({ rooms: city.directory(), token: randomSecret() }))
  options.signal?.throwIfAborted()
  say(`Starting the aggregator and ${options.gateways} gateways (usually 1 to 10 s) ...`)
  const jwtSecret = randomSecret()
  const leader = { ...aggregatorEnvOf({ city, nats, cityService }, options.throttleMs), ...options.aggregatorEnv }
  const viewer = { ...natsEnv(nats, nats.gateway), JWT_SECRET: jwtSecret, PAGE: 'on', ...options.gatewayEnv }
  const [aggregator, ...gateways] = await allOf([
    keep(startAggregator({ env: leader })),
    ...Array.from({ length: options.gateways }, (_, index) =>
      keep(index === 0 ? startGatewayNear(options.firstPort, { env: viewer }) : startGateway({ env: viewer })),
    ),
  ] as [Promise<Service>, ...Promise<Gateway>[]])
  return {
    city,
    nats,
    cityService,
    aggregator,
    gateways,
    throttleMs: options.throttleMs,
    token: makeToken({ secret: jwtSecret, subject: 'demo', expiresInS: tokenLifeS }),
    jwtSecret,
    addGateway: () => keep(startGateway({ env: viewer })),
    addAggregator: () => keep(startAggregator({ env: leader, waitFor: 'healthz' })),
  }
}

type Servers = { city: City; nats: NatsServer; cityService: CityService }

const aggregatorEnvOf = ({ city, nats, cityService }: Servers, throttleMs: number) => ({
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
})

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
