// The city on which faults are played: a homeserver double that can be told to lie, a real nats-server, the city service's
// stand-in, and our services as the processes they are in production, kept alive by something like a kubelet. Witnesses on every
// gateway note what browsers were shown.
//
//   townsfolk -> homeserver (double)      city service (stand-in)
//                      \                     /
//                       aggregator (kept alive) -> nats-server -> gateway 1..n (kept alive) -> witnesses -> history
//
// Whatever a fault breaks it mends itself; `settle` then waits until every witness shows the truth, without anybody's help.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startCityService, type CityService } from '@citypresence/stack/city-service'
import { startNatsCluster, type NatsCluster } from '@citypresence/stack/nats-cluster'
import { startNats, type NatsServer } from '@citypresence/stack/nats-server'
import { makeTemporaryFolder } from '@citypresence/stack/temporary-folder'
import { startAggregator, startGateway, type Gateway, type Service } from '@citypresence/stack/service'
import { makeToken, randomSecret } from '@citypresence/stack/tokens'
import { until } from '@citypresence/stack/until'
import { startHomeserver, type Homeserver, type Notice } from '@citypresence/sim/homeserver'
import { startTcpProxy, type TcpProxy } from '@citypresence/sim/tcp-proxy'
import { candidatesOf, startLeaseGround, type Candidates } from './candidates.ts'
import { keepService, type KeptService } from './kept-service.ts'
import { startLinks, type Links } from './links.ts'
import { createRecorder, type Recorder } from '@citypresence/checker/recorder'
import { recordStored, type StoredMessages } from './stored-messages.ts'
import { settle as settleTown, type RoomTruth, type TownOptions, type Townsfolk } from '@citypresence/sim/townsfolk'
import { startWitness, type Witness } from './witness.ts'

export type StageOptions = {
  readonly town?: TownOptions
  readonly gateways?: number
  readonly witnessesEach?: number
  readonly aggregatorEnv?: Readonly<Record<string, string>>
  readonly gatewayEnv?: Readonly<Record<string, string>>
  /** Proxies that can be told to fail between each of our services and NATS. */
  readonly links?: boolean
  /** OFFLINE_GRACE_MS; 0 unless given. */
  readonly offlineGraceMs?: number
  /** A proxy that can be told to fail between the aggregator and the homeserver. */
  readonly matrixLink?: boolean
  /** So many nats-servers that are one, and as many copies of the stream. */
  readonly natsServers?: number
  /** So many aggregators, who elect their leader by a Lease; without it there is one, and no election. */
  readonly candidates?: number
  /** How often a fault that comes in cycles is repeated; 20 unless given. */
  readonly cycles?: number
  /**
   * So many times as long as its bar may a fault take here; 1 unless given. What must never be shown has no patience.
   * The tests have it: whoever shares the machine must not make them red, and `make chaos` measures.
   */
  readonly patience?: number
  /** How our processes are started, for faults that have to be inside them; the folder is the stage's own. */
  readonly launch?: (folder: string) => Launch
}

export type Launch = {
  /** Arguments of node itself. */
  readonly nodeArgs: readonly string[]
  readonly envOf: (service: string) => Readonly<Record<string, string>>
}

export type Stage = {
  readonly recorder: Recorder
  /** For what faults have to write down; gone with the stage. */
  readonly folder: string
  /** Settings that a service gets at its next start: for faults that need it otherwise, and take them away again. */
  readonly nextStart: { aggregator: Record<string, string>; gateway: Record<string, string> }
  readonly homeserver: Homeserver
  readonly town: Townsfolk
  readonly cityService: CityService
  /** The only one, or the first of the cluster. */
  readonly nats: NatsServer
  readonly cluster: NatsCluster | undefined
  readonly links: Links | undefined
  readonly matrixLink: TcpProxy | undefined
  readonly stored: StoredMessages
  /** The only one, or the first of the candidates. */
  readonly aggregator: KeptService
  readonly candidates: Candidates | undefined
  readonly cycles: number
  readonly patience: number
  readonly gateways: readonly KeptService<Gateway>[]
  readonly witnesses: readonly Witness[]
  /** The aggregator reads its token from a file: another one from now on. */
  writeMatrixToken(token: string): void
  /** All our services read their passwords from files. */
  writeNatsPassword(who: NatsRole, password: string): void
  /** Opens every gateway. */
  readonly token: string
  /** What its gateways check tokens with: for a gateway of a fault's own. */
  readonly secret: string
  /** Such a token with another end. */
  tokenFor(lifeS: number): string
  /** People come, go, type and move, until the stage settles. */
  beginLife(): void
  endLife(): void
  /** Waits until every witness shows the truth and no mark; how long that took. */
  settle(deadlineMs?: number): Promise<number>
  /** What still differs from the truth at some witness, as words; empty when all is true. */
  lies(): string[]
  stop(): Promise<void>
}

export type NatsRole = 'leader' | 'gateway'

export const throttleMs = 300
/** Short, so that a silent homeserver is seen within a test; a minute and a half in production. */
export const staleAfterMs = 6_000
const actEveryMs = 40
// A leader alone waits 4 s, back-off to Matrix reaches 30 s, a machine may be busy.
const settleDeadlineMs = 60_000

export async function startStage(options: StageOptions = {}): Promise<Stage> {
  const stops: (() => Promise<unknown>)[] = []
  const stop = async (): Promise<void> => {
    for (const end of stops.splice(0).reverse()) await end()
  }
  const keep = async <T extends { stop(): unknown }>(starting: T | Promise<T>): Promise<T> => {
    const part = await starting
    stops.push(() => Promise.resolve(part.stop()))
    return part
  }
  try {
    return { ...(await build(options, keep)), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

type Keep = <T extends { stop(): unknown }>(starting: T | Promise<T>) => Promise<T>

async function build(options: StageOptions, keep: Keep): Promise<Omit<Stage, 'stop'>> {
  const recorder = createRecorder()
  recorder.note({ kind: 'began', settings: { throttleMs, staleAfterMs, offlineGraceMs: options.offlineGraceMs ?? 0 } })
  // Each standby has a poll of its own: that only one is held says nothing where there are several.
  const homeserver = await keep(
    startHomeserver(options.candidates === undefined ? { notice: notePolls(recorder) } : {}),
  )
  const town = settleTown(homeserver, recorder, options.town ?? { rooms: 12, people: 30, roomsEach: 3 })
  const { nats, cluster, natsUrl } = await startNatsServers(options, keep)
  const links = options.links === true ? await keep(startLinks(nats, gatewaysOf(options))) : undefined
  const homeserverPort = Number(new URL(homeserver.url).port)
  const matrixLink = options.matrixLink === true ? await keep(startTcpProxy({ to: homeserverPort })) : undefined
  const cityService = await keep(startCityService({ rooms: town.directory(), token: randomSecret() }))
  const servers = { homeserver, town, nats, cityService }
  const folder = makeTemporaryFolder('chaos')
  await keep({ stop: () => folder.remove() })
  const fileOf = (name: string): string => join(folder.path, name)
  const write = (name: string, text: string): void => writeFileSync(fileOf(name), text, { mode: 0o600 })
  const writeMatrixToken = (token: string): void => write('matrix-token', token)
  const writeNatsPassword = (who: NatsRole, password: string): void => write(`nats-${who}`, password)
  writeMatrixToken(town.daemon.accessToken)
  for (const who of ['leader', 'gateway'] as const) writeNatsPassword(who, nats[who].pass)
  const { nodeArgs, envOf } = options.launch?.(folder.path) ?? plainly
  const nextStart: Stage['nextStart'] = { aggregator: {}, gateway: {} }
  const ports = { nats: nats.port, matrix: homeserverPort }
  const ground = options.candidates === undefined ? undefined : await keep(startLeaseGround(ports, folder.path))
  const leaderEnv = async (index: number): Promise<Record<string, string>> => ({
    ...aggregatorEnv(servers),
    ...natsEnv(links?.leader.url ?? natsUrl, nats.leader.user, fileOf('nats-leader')),
    ...(matrixLink !== undefined && { MATRIX_HS_URL: `http://127.0.0.1:${matrixLink.port}` }),
    MATRIX_ACCESS_TOKEN_FILE: fileOf('matrix-token'),
    OFFLINE_GRACE_MS: String(options.offlineGraceMs ?? 0),
    STREAM_REPLICAS: String(options.natsServers ?? 1),
    ...(await ground?.envOf(index)),
    ...envOf(aggregatorName(index)),
    ...options.aggregatorEnv,
    ...nextStart.aggregator,
  })
  const stored = await keep(recordStored({ url: natsUrl, admin: nats.admin }, recorder))
  const startLeader = async (index: number): Promise<Service> =>
    startAggregator({ env: await leaderEnv(index), nodeArgs, waitFor: 'nothing' })
  const aggregator = await keep(keepService(aggregatorName(0), () => startLeader(0), recorder))
  const aggregators = [aggregator]
  for (let index = 1; index < (options.candidates ?? 1); index++)
    aggregators.push(await keep(keepService(aggregatorName(index), () => startLeader(index), recorder)))
  const secret = randomSecret()
  const viewerEnv = (index: number): Record<string, string> => ({
    ...natsEnv(links?.gateways[index]?.url ?? natsUrl, nats.gateway.user, fileOf('nats-gateway')),
    JWT_SECRET: secret,
    DRAIN_MS: '500',
    ...envOf(gatewayName(index)),
    ...options.gatewayEnv,
    ...nextStart.gateway,
  })
  const startViewer = (index: number, port: Record<string, string>): Promise<Gateway> =>
    startGateway({ env: { ...viewerEnv(index), ...port }, nodeArgs, waitFor: 'healthz' })
  const gateways = await startGateways(gatewaysOf(options), startViewer, recorder, keep)
  const tokenFor = (lifeS: number): string => makeToken({ secret, expiresInS: lifeS })
  const token = tokenFor(24 * 3_600)
  await Promise.all(gateways.map(({ now }) => untilReady(now)))
  const witnesses = await startWitnesses(options, { gateways, token, recorder }, keep)
  const life = createLife(town)
  await keep({ stop: () => life.end() })
  const lies = (): string[] => witnesses.flatMap((witness) => liesOf(witness, town.truth()))
  return {
    recorder,
    folder: folder.path,
    nextStart,
    ...servers,
    cluster,
    links,
    matrixLink,
    stored,
    aggregator,
    candidates: ground && candidatesOf(ground, aggregators, startLeader),
    cycles: options.cycles ?? 20,
    patience: options.patience ?? 1,
    gateways,
    witnesses,
    writeMatrixToken,
    writeNatsPassword,
    token,
    secret,
    tokenFor,
    beginLife: () => life.begin(),
    endLife: () => life.end(),
    lies,
    async settle(deadlineMs = settleDeadlineMs) {
      life.end()
      // Typing that went on through a lost connection is not told again, and rightly shown as none: so all end it.
      town.fallSilent()
      // What was shown before the trouble may be true by chance: a last change has to reach everybody.
      town.stir()
      const beganAtMs = recorder.nowMs()
      await until(() => lies().length === 0, {
        deadlineMs: deadlineMs * (options.patience ?? 1),
        what: 'every witness to show the truth',
        everyMs: 10,
      }).catch((error: unknown) => {
        throw new Error(`${String(error)}: ${lies().slice(0, 5).join('; ')}`, { cause: error })
      })
      const tookMs = recorder.nowMs() - beganAtMs
      await stored.caughtUp()
      recorder.note({ kind: 'settled', tookMs })
      return tookMs
    },
  }
}

function notePolls(recorder: Recorder): Notice {
  const numbers = new WeakMap<object, number>()
  let newest = 0
  return (request, phase) => {
    if (request.path !== '/sync') return
    if (phase === 'begins') numbers.set(request, ++newest)
    recorder.note({
      kind: 'poll',
      phase,
      poll: numbers.get(request) ?? 0,
      since: request.query.get('since') ?? undefined,
    })
  }
}

async function startNatsServers({ natsServers = 1 }: StageOptions, keep: Keep) {
  const cluster = natsServers > 1 ? await keep(startNatsCluster({ size: natsServers })) : undefined
  const nats = cluster?.servers[0] ?? (await keep(startNats()))
  return { nats, cluster, natsUrl: cluster?.url ?? nats.url }
}

const gatewaysOf = ({ gateways = 2 }: StageOptions): number => gateways

type Servers = Pick<Stage, 'homeserver' | 'town' | 'cityService'>

const aggregatorEnv = ({ homeserver, town, cityService }: Servers): Record<string, string> => ({
  MATRIX_HS_URL: homeserver.url,
  MATRIX_USER_ID: town.daemon.userId,
  CITY_SERVICE_INTERNAL_URL: cityService.url,
  CITY_SERVICE_TOKEN: cityService.token ?? '',
  ROOM_PRESENCE_THROTTLE_MS: String(throttleMs),
  ROOM_REFRESH_INTERVAL_MS: '1000',
  STALE_AFTER_MS: String(staleAfterMs),
  LEADER_ELECTION: 'none',
  CITY_ID: 'chaos',
})

const plainly: Launch = { nodeArgs: [], envOf: () => ({}) }
const aggregatorName = (index: number): string => (index === 0 ? 'aggregator' : `aggregator-${index + 1}`)
const gatewayName = (index: number): string => `gateway-${index + 1}`

const natsEnv = (url: string, user: string, passwordFile: string) => ({
  NATS_URL: url,
  NATS_USER: user,
  NATS_PASSWORD_FILE: passwordFile,
})

async function startGateways(
  count: number,
  startAt: (index: number, port: Record<string, string>) => Promise<Gateway>,
  recorder: Recorder,
  keep: Keep,
) {
  return Promise.all(
    Array.from({ length: count }, async (_, index) => {
      let port: number | undefined
      // The address outlives the process, as that of a Service does.
      const start = async (): Promise<Gateway> => {
        const fixed = port === undefined ? {} : { PORT: String(port) }
        const gateway = await startAt(index, fixed)
        port = gateway.port
        return gateway
      }
      return keep(keepService(gatewayName(index), start, recorder))
    }),
  )
}

/** Before that it refuses browsers, who would all go to the one that is ready first. */
const untilReady = (gateway: Gateway): Promise<unknown> =>
  until(() => fetch(`${gateway.adminUrl}/readyz`).then(({ ok }) => ok), {
    deadlineMs: settleDeadlineMs,
    what: 'a gateway to be ready',
  })

type Seats = { readonly gateways: readonly KeptService<Gateway>[]; readonly token: string; readonly recorder: Recorder }

/** Each begins at its own gateway and knows the others. */
function startWitnesses(options: StageOptions, { gateways, token, recorder }: Seats, keep: Keep): Promise<Witness[]> {
  const urls = gateways.map(({ now }) => now.webSocketUrl)
  const seats = gateways.flatMap((_, gateway) =>
    Array.from({ length: options.witnessesEach ?? 2 }, (_, seat) => ({
      name: `witness-${gateway + 1}.${seat + 1}`,
      urls: [...urls.slice(gateway), ...urls.slice(0, gateway)],
    })),
  )
  return Promise.all(seats.map((seat) => keep(startWitness({ ...seat, token, recorder }))))
}

function liesOf(witness: Witness, truth: ReadonlyMap<string, RoomTruth>): string[] {
  if (!witness.isConnected) return [`${witness.name} is not connected`]
  if (witness.stale !== false) return [`${witness.name} is marked stale`]
  const slugs = new Set([...truth.keys(), ...witness.rooms.keys()])
  return [...slugs].flatMap((slug) => {
    const [shown, wanted] = [witness.rooms.get(slug), truth.get(slug)]
    if (shown?.online_count === wanted?.online && shown?.typing_count === wanted?.typing && shown?.stale !== true)
      return []
    const told =
      shown === undefined ? 'nothing' : `${shown.online_count}/${shown.typing_count}${shown.stale ? ' stale' : ''}`
    return [
      `${witness.name} shows ${told} in ${slug}, true is ${wanted ? `${wanted.online}/${wanted.typing}` : 'nothing'}`,
    ]
  })
}

function createLife(town: Townsfolk) {
  let timer: NodeJS.Timeout | undefined
  // Everybody's life is the same at each run: what differs is how the machine takes it.
  let seed = 20_260_101
  const pick = (count: number): number => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((seed / 2 ** 32) * count)
  }
  return {
    begin(): void {
      timer ??= setInterval(() => town.actAtRandom(pick), actEveryMs)
    },
    end(): void {
      clearInterval(timer)
      timer = undefined
    },
  }
}
