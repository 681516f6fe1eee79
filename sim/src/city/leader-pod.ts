// An aggregator in a simulated city: everything that its main.ts puts together, on a clock, a homeserver and a stream that are
// simulated. It ends as the process does, and whoever keeps it starts another.
import { randomBytes } from 'node:crypto'
import { aggregate, viewOfCity } from '@citypresence/aggregator/aggregate'
import { createCity } from '@citypresence/aggregator/core/city'
import { createMatrixSource } from '@citypresence/aggregator/edge/matrix-sync'
import { createRoomSource } from '@citypresence/aggregator/edge/matrix-rooms'
import { readAnswer } from '@citypresence/aggregator/edge/sync-answer'
import { electByLease, electBySilence, type CityElection } from '@citypresence/aggregator/city-election'
import { followCity } from '@citypresence/aggregator/leaders'
import { createAggregatorMetrics } from '@citypresence/aggregator/metrics'
import { createRoomSpeech } from '@citypresence/aggregator/room-speech'
import { CityError, toErrorCode, type ErrorCode } from '@citypresence/chassis/errors'
import { runLeaseElection } from '@citypresence/chassis/lease-election'
import { createSampledLog, type Logger } from '@citypresence/chassis/log'
import { createMetrics } from '@citypresence/chassis/metrics'
import { defaultPrefix, roomStream, subjectsBelow, userStream } from '@citypresence/wire/subjects'
import type { NatsConnection } from '@nats-io/transport-node'
import { wayToHome, type SimHome, type WayToHome } from './home.ts'
import { leasePeriods, type SimLeaseHome, type WayToLease } from './sim-lease.ts'
import { connectionOf, createSimProcess, type SimProcess } from './sim-process.ts'

export type LeaderPodOptions = {
  readonly name: string
  readonly home: SimHome
  /** Where the Lease is; undefined where silence is the vote. */
  readonly leaseHome: SimLeaseHome | undefined
  readonly daemonUserId: string
  readonly connection: NatsConnection
  readonly directory: () => unknown
  readonly settings: { readonly throttleMs: number; readonly staleAfterMs: number; readonly roomRefreshMs: number }
  readonly wallSkewMs: number
  readonly random: () => number
  readonly log: Logger
  /** The process ended by itself, with this word. */
  readonly onEnd: (code: ErrorCode) => void
}

export type LeaderPod = {
  readonly process: SimProcess
  readonly matrix: WayToHome
  readonly connection: NatsConnection
  /** Its way to the API; undefined where silence is the vote. */
  readonly api: WayToLease | undefined
  leads(): boolean
  kill(): void
  /** As SIGTERM does: it waits for its last acknowledgement and lets the Lease go; then it may be killed. */
  leave(): Promise<void>
}

export function startLeaderPod(options: LeaderPodOptions): LeaderPod {
  const { home, daemonUserId, random, settings } = options
  const process = createSimProcess(home.clock, options.wallSkewMs)
  const { clock } = process
  const connection = connectionOf(process, options.connection)
  const matrix = wayToHome(home, process, daemonUserId, random)
  const log = createSampledLog(options.log, { clock })
  const stopping = new AbortController()
  const kill = (): void => {
    process.kill()
    stopping.abort()
  }
  // In order, as a service ends: the last word is acknowledged, the Lease let go, and then it is gone.
  let isEnding = false
  const end = (error: unknown): void => {
    if (!process.isAlive || isEnding) return
    isEnding = true
    void leave().then(() => {
      if (!process.isAlive) return
      kill()
      options.onEnd(toErrorCode(error))
    })
  }
  const city = createCity({
    daemonUserId,
    homeServer: 'test.local',
    activeWindowMs: 5_000,
    offlineGraceMs: 0,
    staleAfterMs: settings.staleAfterMs,
    typingMaxMs: 130_000,
    outsidersMax: 1_000,
    userEvents: false,
    remoteUsers: false,
  })
  const known = { synced: false, mapped: false, sightings: 0, learning: false }
  const view = viewOfCity(city, known, clock)
  const speech = createRoomSpeech(view, subjectsBelow(defaultPrefix), settings.throttleMs)
  const numbers = createAggregatorMetrics(createMetrics('aggregator'))
  // Each life of a pod is another holder.
  const holder = `${options.name}_${randomBytes(6).toString('hex')}`
  const api = options.leaseHome?.way(process, random)
  const election: CityElection =
    api === undefined
      ? electBySilence(clock)
      : electByLease({
          clock,
          isReady: () => known.synced && known.mapped,
          sourceAgeMs: () => (known.synced ? view.source().sourceAgeMs : undefined),
          handOver: (cutFrom) => end(new CityError('HandedOver', `cut from ${cutFrom} for too long`)),
          start: (on) =>
            runLeaseElection({
              lease: api.lease,
              settings: { ...leasePeriods, me: holder, fenced: true, jitter01: random() },
              onLeads: () => undefined,
              onLost: (why) => on.lost(why),
              onError: () => undefined,
              log,
              random,
              clock,
            }),
        })
  const leaders = followCity({
    config: {
      cityId: 'simulated',
      subjectPrefix: defaultPrefix,
      streamName: roomStream,
      userStreamName: userStream,
      streamReplicas: 1,
      natsInboxPrefix: `_INBOX_${options.name}`,
      userEvents: false,
    },
    holder,
    election,
    connection,
    city,
    speech,
    isSynced: () => known.synced && !known.learning,
    log,
    numbers,
    countError: () => undefined,
    end,
    clock,
    random,
  })
  const source = createMatrixSource({
    client: matrix.client,
    reader: { read: (body) => Promise.resolve(readAnswer(body, { daemonUserId })) },
    userId: daemonUserId,
    activity: true,
    timeoutMs: Math.floor(settings.staleAfterMs / 3),
    log,
    clock,
    random,
  })
  const rooms = createRoomSource({
    client: matrix.client,
    directory: { read: () => Promise.resolve(options.directory()), watch: () => () => undefined },
    log,
    refreshEveryMs: settings.roomRefreshMs,
    clock,
    random,
  })
  aggregate({
    city,
    known,
    source,
    rooms,
    speech,
    voices: leaders.voices,
    probePresence: () => matrix.probe(),
    clock,
    signal: stopping.signal,
    drift: () => undefined,
  }).catch(end)
  async function leave(): Promise<void> {
    await leaders.stop()
    await election.leave()
  }
  return {
    process,
    matrix,
    connection: options.connection,
    api,
    leads: () => leaders.voices[0]?.state() === 'leading',
    kill,
    leave,
  }
}
