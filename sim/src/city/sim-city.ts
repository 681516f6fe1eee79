// A whole city on one clock: townsfolk on a homeserver, aggregators, a nats-server, gateways and browsers. The services are the
// real ones, edges included; what surrounds them is simulated, and one seed decides everything.
//
//   seed -> people act, troubles begin and end -> all is mended -> everybody settles -> the recording is judged
import { checkHistory } from '@citypresence/checker/core/check-history'
import type { Violation } from '@citypresence/checker/core/violation'
import type { Entry } from '@citypresence/checker/core/history'
import type { Recorder } from '@citypresence/checker/recorder'
import { storedOf } from '@citypresence/checker/stored-message'
import { settle, type Townsfolk } from '../townsfolk.ts'
import { createLogger, type Logger } from '@citypresence/chassis/log'
import { dice } from '@citypresence/stack/demo/random'
import { defaultPrefix, roomStream, subjectsBelow } from '@citypresence/wire/subjects'
import type { MsgHdrs, NatsConnection } from '@nats-io/transport-node'
import { createStreamServer, type StreamServer } from '../presence-stream.ts'
import { startGatewayPod, type GatewayPod } from './gateway-pod.ts'
import { createSimHome, type SimHome } from './home.ts'
import { startLeaderPod, type LeaderPod } from './leader-pod.ts'
import { createSimLeaseHome, type SimLeaseHome } from './sim-lease.ts'
import { createSimClock, type SimClock } from './sim-clock.ts'
import { startSimWitness, type SimWitness } from './sim-witness.ts'

const subjects = subjectsBelow(defaultPrefix)
export const settings = { throttleMs: 300, staleAfterMs: 6_000, roomRefreshMs: 5_000 }
// Machines whose wall clocks agree are rare; nothing may depend on it. An hour off is another story: see simulate.ts.
const wallSkewsMs = { near: [0, 40, -900], far: [0, 3_600_000, -3_600_000] } as const
// As a kubelet: soon, and later when it goes on.
const restartAfterMs = 1_000

export type SimCity = {
  readonly clock: SimClock
  readonly nats: StreamServer
  readonly home: SimHome
  /** The API server's Lease; undefined where silence is the vote. */
  readonly lease: SimLeaseHome | undefined
  readonly town: Townsfolk
  readonly recorder: Recorder
  readonly witnesses: readonly SimWitness[]
  readonly random: () => number
  /** Puts back the disk of some earlier moment; undefined before there was one. */
  backUp: (() => void) | undefined
  leaders(): readonly LeaderPod[]
  gateways(): readonly GatewayPod[]
  everybody(): readonly { readonly connection: NatsConnection }[]
  /** Whoever leads now. */
  leading(): LeaderPod | undefined
  anyLeader(): LeaderPod | undefined
  killLeader(pod: LeaderPod | undefined): void
  stopLeader(pod: LeaderPod | undefined): void
  killGateway(index: number): void
  deleteStream(): void
}

export type SimSize = {
  readonly leaders: number
  readonly election: 'silence' | 'lease'
  readonly gateways: number
  readonly witnessesEach: number
  readonly clocks: keyof typeof wallSkewsMs
  /** Off: the stream takes every word, to see that it would be noticed. */
  readonly fence: boolean
}

export function buildCity(
  seed: number,
  size: SimSize,
  log: Logger = createLogger({ service: 'sim', level: 'silent' }),
): SimCity {
  const clock = createSimClock()
  const drawn = dice(seed)
  const random = (): number => drawn.next()
  const recorder = recorderOn(clock)
  recorder.note({ kind: 'began', settings: { ...settings, offlineGraceMs: 0 } })
  const home = createSimHome(clock)
  const town = settle(home, recorder, { rooms: 6, people: 12, roomsEach: 2 })
  const nats = createStreamServer(clock)
  const lease = size.election === 'lease' ? createSimLeaseHome(clock) : undefined
  recordStored(nats, recorder)
  const pick = <T>(from: readonly T[]): T | undefined => from[Math.floor(random() * from.length)]
  const leaders: LeaderPod[] = []
  const gateways: GatewayPod[] = []
  const startLeader = (index: number): void => {
    const pod = startLeaderPod({
      name: `aggregator-${index}`,
      home,
      leaseHome: lease,
      daemonUserId: town.daemon.userId,
      connection: size.fence ? nats.connect() : withoutFence(nats.connect()),
      directory: () => town.directory(),
      settings,
      wallSkewMs: pick(wallSkewsMs[size.clocks]) ?? 0,
      random,
      log,
      onEnd(code) {
        recorder.note({
          kind: 'exit',
          service: `aggregator-${index}`,
          code: code === 'Deposed' || code === 'HandedOver' ? 3 : 1,
          signal: null,
          asked: false,
        })
        clock.after(restartAfterMs, () => startLeader(index))
      },
    })
    leaders[index] = pod
  }
  const startGateway = (index: number): void => {
    gateways[index] = startGatewayPod({
      clock,
      connection: nats.connect(),
      wallSkewMs: pick(wallSkewsMs[size.clocks]) ?? 0,
      log,
    })
  }
  for (let index = 0; index < size.leaders; index++) startLeader(index)
  for (let index = 0; index < size.gateways; index++) startGateway(index)
  const witnesses = Array.from({ length: size.gateways * size.witnessesEach }, (_, index) =>
    startSimWitness({
      name: `witness-${index}`,
      clock,
      recorder,
      // Each begins at its own gateway and knows the others.
      pods: () => [...gateways.slice(index % size.gateways), ...gateways.slice(0, index % size.gateways)],
    }),
  )
  const alive = (): readonly LeaderPod[] => leaders.filter(({ process }) => process.isAlive)
  return {
    clock,
    nats,
    home,
    lease,
    town,
    recorder,
    witnesses,
    random,
    backUp: undefined,
    leaders: alive,
    gateways: () => gateways,
    everybody: () => [...alive(), ...gateways.filter(({ process }) => process.isAlive)],
    leading: () => alive().find((pod) => pod.leads()),
    anyLeader: () => pick(alive()),
    killLeader(pod) {
      const index = leaders.findIndex((one) => one === pod)
      if (pod === undefined || index < 0) return
      pod.kill()
      nats.cut(pod.connection)
      recorder.note({ kind: 'exit', service: `aggregator-${index}`, code: null, signal: 'SIGKILL', asked: true })
      clock.after(restartAfterMs, () => startLeader(index))
    },
    stopLeader(pod) {
      const index = leaders.findIndex((one) => one === pod)
      if (pod === undefined || index < 0) return
      const ended = (): void => {
        // Killed meanwhile, deposed, or told to stop twice: whoever ended it has seen to the next.
        if (!pod.process.isAlive) return
        pod.kill()
        nats.cut(pod.connection)
        recorder.note({ kind: 'exit', service: `aggregator-${index}`, code: 0, signal: null, asked: true })
        clock.after(restartAfterMs, () => startLeader(index))
      }
      void pod.leave().then(ended)
    },
    killGateway(index) {
      const pod = gateways[index]
      if (pod?.process.isAlive !== true) return
      pod.kill()
      nats.cut(pod.connection)
      for (const witness of witnesses) witness.lose(pod)
      clock.after(restartAfterMs, () => startGateway(index))
    },
    deleteStream() {
      const answer = nats.connect().request(`$JS.API.STREAM.DELETE.${roomStream}`, '')
      // A server that stands still does it when it goes on, or after whoever asked has given up.
      answer.then(
        () => recorder.note({ kind: 'rolled-back' }),
        () => recorder.note({ kind: 'rolled-back' }),
      )
    },
  }
}

/** Every word of it is taken, whoever leads. Its claims are what they were. */
function withoutFence(connection: NatsConnection): NatsConnection {
  const open = (subject: string, options?: { headers?: MsgHdrs }): void => {
    if (subject === subjects.ingest(subjects.epoch)) return
    for (const name of options?.headers?.keys() ?? [])
      if (name.startsWith('Nats-Expected-Last')) options?.headers?.delete(name)
  }
  const publish: NatsConnection['publish'] = connection.publish.bind(connection)
  const request: NatsConnection['request'] = connection.request.bind(connection)
  connection.publish = (...args) => {
    open(args[0], args[2])
    publish(...args)
  }
  connection.request = (...args) => {
    open(args[0], args[2])
    return request(...args)
  }
  return connection
}

export const judge = (history: readonly Entry[]): readonly Violation[] => checkHistory(history)

function recorderOn(clock: SimClock): Recorder {
  const history: Entry[] = []
  const nowMs = (): number => clock.monotonicMs()
  return { history, nowMs, note: (note, atMs = nowMs()) => void history.push({ ...note, atMs }) }
}

function recordStored(nats: StreamServer, recorder: Recorder): void {
  const hear = (message: Parameters<typeof storedOf>[0]): void => {
    if (message.headers?.get('Nats-Stream') !== roomStream) return
    const stored = storedOf(message)
    const sequence = Number(message.headers.get('Nats-Sequence'))
    if (stored !== undefined) recorder.note({ kind: 'stored', sequence, caughtUp: false, ...stored })
  }
  nats.connect().subscribe(subjects.all, {
    callback: (error, message) => {
      if (error === null) hear(message)
    },
  })
}
