// What can happen to three nats-servers that are one, with three copies of the stream.
import { rmSync } from 'node:fs'
import { connect } from '@nats-io/transport-node'
import type { NatsCluster } from '@citypresence/stack/nats-cluster'
import type { NatsServer } from '@citypresence/stack/nats-server'
import { until } from '@citypresence/stack/until'
import type { Fault } from '../fault.ts'
import type { Stage } from '../stage.ts'
import { backBar, lasting, lateIf, missedIf, seconds } from './bars.ts'
import { asAdmin, clientsOf, streamInfo, streamName } from './nats-admin.ts'

function clusterOf({ cluster }: Stage): NatsCluster {
  if (cluster === undefined) throw new Error('this stage has one nats-server only')
  return cluster
}

/** Until every server holds all of the stream again. */
const untilCurrent = (stage: Stage): Promise<unknown> =>
  until(
    async () => {
      const { leader, replicas = [] } = (await streamInfo(stage)).cluster ?? {}
      return leader !== undefined && replicas.length === 2 && replicas.every(({ current }) => current)
    },
    { deadlineMs: 60_000, what: 'three whole copies of the stream', everyMs: 100 },
  )

/** The server that leads the stream; with or without the aggregator connected to it, as wanted. */
async function streamLeader(stage: Stage, withAggregator?: boolean): Promise<NatsServer> {
  const cluster = clusterOf(stage)
  await untilCurrent(stage)
  return until(
    async () => {
      const { leader } = (await streamInfo(stage)).cluster ?? {}
      if (leader === undefined) return undefined
      const server = cluster.named(leader)
      const hasAggregator = (await clientsOf(server)).some((name) => name.startsWith('aggregator'))
      if (withAggregator === undefined || hasAggregator === withAggregator) return server
      await asAdmin(stage, `$JS.API.STREAM.LEADER.STEPDOWN.${streamName}`)
      return undefined
    },
    { deadlineMs: 60_000, what: 'the stream to be led where it is wanted', everyMs: 500 },
  )
}

/** The longest time without a complete beat since; what publishing missed. */
function silence(stage: Stage): () => number {
  const [from, beganAtMs] = [stage.recorder.history.length, stage.recorder.nowMs()]
  return () => {
    const beatsMs = stage.recorder.history
      .slice(from)
      .flatMap((entry) =>
        entry.kind === 'stored' && entry.what.kind === 'beat' && entry.what.beat.complete ? [entry.atMs] : [],
      )
    return Math.max(...beatsMs.map((atMs, index) => atMs - (beatsMs[index - 1] ?? beganAtMs)), 0)
  }
}

type Loss = {
  readonly id: string
  readonly title: string
  readonly length: Fault['length']
  /** Publishing goes on within this. */
  readonly barMs: number
  readonly withAggregator?: boolean
  readonly lose: (server: NatsServer) => Promise<void>
  /** Before everybody has to be right; undefined where they have to be without it. */
  readonly early?: (server: NatsServer) => Promise<void>
  readonly late?: (server: NatsServer) => Promise<void>
} & Pick<Fault, 'guard'>

const lost = ({ id, title, length, guard, barMs, withAggregator, lose, early, late }: Loss): Fault => ({
  id,
  ...(guard !== undefined && { guard }),
  title: `of three nats-servers the one that leads the stream ${title}`,
  bar: `published again within ${seconds(barMs)}; the leader of the city stays the same; true again within 24 s`,
  length,
  async run(stage) {
    const server = await streamLeader(stage, withAggregator)
    const restarts = stage.aggregator.restarts
    const silentMs = silence(stage)
    await lose(server)
    try {
      await lasting(4_000) // nobody is quicker: an election waits out its time
      await early?.(server)
      const tookMs = await backBar(stage, 20_000)
      lateIf(stage, silentMs(), barMs, `nothing was published for ${seconds(silentMs())}`)
      missedIf(stage.aggregator.restarts > restarts, 'the leader of the city ended')
      return `nothing was published for ${seconds(silentMs())}; true again ${seconds(tookMs + 4_000)} after the loss`
    } finally {
      await late?.(server)
      await untilCurrent(stage)
    }
  },
})

// As fast as they are answered: what lags catches up within moments.
const questionsEach = 200

/** Sequence of the newest beat that was stored. */
function newestBeat({ recorder }: Stage): number {
  const beat = recorder.history.findLast((entry) => entry.kind === 'stored' && entry.what.kind === 'beat')
  return beat?.kind === 'stored' ? beat.sequence : 0
}

/** Reads the beat by direct get, which any copy may answer. */
async function beatReader(stage: Stage): Promise<{ read(): Promise<number>; close(): Promise<void> }> {
  const { admin } = stage.nats
  const connection = await connect({ servers: clusterOf(stage).url.split(','), ...admin })
  return {
    async read() {
      const question = JSON.stringify({ last_by_subj: 'city.presence.beat' })
      const answer = await connection
        .request(`$JS.API.DIRECT.GET.${streamName}`, question, { timeout: 2_000 })
        .catch(() => undefined)
      return Number(answer?.headers?.get('Nats-Sequence') ?? Infinity)
    },
    close: () => connection.close(),
  }
}

const lagging: Fault = {
  id: 'F17e',
  title: 'a follower stands still for 3 s and answers snapshots late, three times',
  bar: 'no browser is shown anything older, nobody calls it complete; true within 5 s',
  length: 'long',
  async run(stage) {
    let [stale, asked] = [0, 0]
    for (let round = 0; round < 3; round++) {
      const leader = await streamLeader(stage)
      const follower = clusterOf(stage).servers.find((server) => server !== leader)
      if (follower === undefined) throw new Error('there is no follower')
      stage.beginLife()
      follower.pause()
      try {
        await lasting(3_000)
      } finally {
        follower.resume()
      }
      // Whoever asks now may be answered by one that lags; how often that happens is told, so that the row proves something.
      const beatOf = await beatReader(stage)
      const newest = (): number => newestBeat(stage)
      for (const gateway of stage.gateways) void gateway.kill()
      for (let question = 0; question < questionsEach; question++) {
        const before = newest()
        const answered = await beatOf.read()
        asked++
        if (answered < before) stale++
      }
      await beatOf.close()
      await stage.settle(30_000)
    }
    const tookMs = await backBar(stage, 5_000)
    return `${stale} of ${asked} answers lagged; true ${seconds(tookMs)} after the last change`
  },
}

function pause(server: NatsServer): Promise<void> {
  server.pause()
  return Promise.resolve()
}

function resume(server: NatsServer): Promise<void> {
  server.resume()
  return Promise.resolve()
}

export const natsClusterFaults: readonly Fault[] = [
  lost({
    id: 'F17a',
    title: 'is killed and gone for good; another with an empty disk takes its place',
    length: 'short',
    barMs: 10_000,
    lose: (server) => server.kill(),
    async late(server) {
      rmSync(server.storeDir, { recursive: true, force: true })
      await server.restart()
    },
  }),
  lost({
    id: 'F17b',
    title: 'is killed and back four seconds later',
    guard: 'while reading the record waited 5 s for an answer that was lost: nothing was published for 10.9 s',
    length: 'long',
    barMs: 10_000,
    lose: (server) => server.kill(),
    early: (server) => server.restart(),
  }),
  lost({
    id: 'F17c',
    title: 'stands still, and the aggregator is connected to another one',
    length: 'long',
    barMs: 10_000,
    withAggregator: false,
    lose: pause,
    late: resume,
  }),
  lost({
    id: 'F17d',
    title: 'stands still, and the aggregator is connected to it',
    guard: 'without asking the link for a sign of life: true again only after 23.4 s',
    length: 'long',
    // The half-open connection is seen after three pings; then it dials another one.
    barMs: 18_000,
    withAggregator: true,
    lose: pause,
    late: resume,
  }),
  lagging,
]
