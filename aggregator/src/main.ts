// The aggregator: follows a Matrix homeserver and publishes room counts to NATS. `node aggregator/src/main.ts --help` lists the
// settings.
//
//   config -> admin port -> NATS -> election -> voice (who leads) -> Matrix: rooms and sync -> aggregate
//
// Stopped in reverse: the voice waits for its last acknowledgement, and only then is the Lease let go.
import { randomBytes } from 'node:crypto'
import type { Role } from '@citypresence/chassis/admin-server'
import { describeConfig, loadConfig } from '@citypresence/chassis/config'
import { systemClock } from '@citypresence/chassis/edge/clock'
import { CityError } from '@citypresence/chassis/errors'
import { openKubeHome, startLeaseElection } from '@citypresence/chassis/kube-lease'
import { runService } from '@citypresence/chassis/lifecycle'
import { createLogger, createSampledLog } from '@citypresence/chassis/log'
import { createMetrics } from '@citypresence/chassis/metrics'
import { createNatsHealth } from '@citypresence/chassis/nats-health'
import { startServiceAdmin } from '@citypresence/chassis/service-admin'
import { startServiceNats } from '@citypresence/chassis/service-nats'
import { subjectsBelow } from '@citypresence/wire/subjects'
import { aggregate, viewOfCity } from './aggregate.ts'
import { electByLease, electBySilence } from './city-election.ts'
import { mistakesOf, settings } from './config.ts'
import { createCity, isBlind, lookoutsIn } from './core/city.ts'
import { openKubeStatus } from './edge/kube-status.ts'
import { followCity } from './leaders.ts'
import { openMatrix } from './matrix.ts'
import { createAggregatorMetrics } from './metrics.ts'
import { createRoomSpeech } from './room-speech.ts'
import { mayTell, roleOf, whyNotReady } from './readiness.ts'
import { watchSource } from './source-watch.ts'
import { gatherFacts } from './status-facts.ts'
import { startStatusWriter } from './status-writer.ts'

const userAgent = 'citypresence-aggregator'
const config = loadConfig(settings, process, {
  service: 'aggregator',
  check: mistakesOf,
  onSecretProblem: (error) => {
    metrics.countError(error)
    told.warn(error.code, { err: error }, 'a secret could not be read again; the known one stays in use')
  },
})
const metrics = createMetrics('aggregator')
const log = createLogger({
  service: 'aggregator',
  level: config.logLevel,
  pod: config.podName,
  onLost: (error) => metrics.countError(error),
})
const told = createSampledLog(log)
const numbers = createAggregatorMetrics(metrics)

await runService({
  log,
  process,
  stopDeadlineMs: config.stopDeadlineMs,
  onError: (error) => metrics.countError(error),
  start: async (parts) => {
    log.info({ settings: describeConfig(settings, config) }, 'aggregator starts')
    const health = createNatsHealth((error) => metrics.countError(error))
    const readiness = {
      reasons: (): readonly string[] => health.reasons(),
      role: (): Role => ({ role: 'standby' }),
    }
    const telemetry = await startServiceAdmin(parts, {
      service: 'aggregator',
      config,
      metrics,
      log,
      reasons: () => readiness.reasons(),
      role: () => readiness.role(),
    })
    const connection = await startServiceNats(parts, { service: 'aggregator', config, health, log })
    const known = { synced: false, mapped: false, sightings: 0, learning: false }
    const city = createCity({
      daemonUserId: config.userId,
      homeServer: config.userId.slice(config.userId.indexOf(':') + 1),
      activeWindowMs: config.activeWindowMs,
      offlineGraceMs: config.offlineGraceMs,
      staleAfterMs: config.staleAfterMs,
      // Ten seconds above the two minutes after which the homeserver itself ends typing.
      typingMaxMs: 130_000,
      // People seen without a room, which is everybody after a first sync without the members: one of 64 MiB names no more than
      // these at 160 bytes each. 100,000 are some 20 MB.
      outsidersMax: 400_000,
      userEvents: config.userEvents,
      remoteUsers: config.userEventsRemote,
    })
    const view = viewOfCity(city, known, systemClock)
    const speech = createRoomSpeech(view, subjectsBelow(config.subjectPrefix), config.throttleMs)
    const holder = `${config.podUid ?? config.podName ?? 'aggregator'}_${randomBytes(6).toString('hex')}`
    const sampled = createSampledLog(log)
    const status = { name: config.leaseName }
    const election = await parts.start(
      'election',
      () => {
        if (config.leaderElection === 'none') return electBySilence(systemClock)
        metrics.masterStatus.set(status, 0)
        return electByLease({
          clock: systemClock,
          isReady: () => config.standby === 'waits' || (known.synced && known.mapped),
          sourceAgeMs: () => (known.synced ? view.source().sourceAgeMs : undefined),
          handOver: (cutFrom) => parts.end(new CityError('HandedOver', `cut from ${cutFrom} for too long`)),
          start: (on) =>
            startLeaseElection(config, openKubeHome(config, userAgent), {
              me: holder,
              fenced: true,
              random: Math.random,
              log: sampled,
              onError: (error) => metrics.countError(error),
              onLeads: () => metrics.masterStatus.set(status, 1),
              onLost(why) {
                metrics.masterStatus.set(status, 0)
                on.lost(why)
              },
            }),
        })
      },
      { drain: (one) => one.leave() },
    )
    let endedBy: CityError | undefined
    const leaders = await parts.start(
      'voices',
      () =>
        followCity({
          config,
          holder,
          election,
          connection,
          city,
          speech,
          isSynced: () => known.synced && !known.learning,
          log: sampled,
          numbers,
          countError: (error) => metrics.countError(error),
          startSpan: (name, options) => telemetry.startSpan(name, options),
          end(error) {
            endedBy = error
            parts.end(error)
          },
        }),
      { drain: (all) => all.stop() },
    )
    const matrix = await parts.start(
      'matrix',
      () =>
        openMatrix({
          config,
          log,
          numbers,
          countError: (error) => metrics.countError(error),
          startSpan: (name, options) => telemetry.startSpan(name, options),
          lookoutsIn: (roomId, listed, turn) => lookoutsIn(city, roomId, listed, turn),
          isBlind: (roomId) => isBlind(city, roomId),
        }),
      { stop: (one) => one.stop() },
    )
    readiness.role = () => roleOf(leaders)
    readiness.reasons = () => [
      ...health.reasons(),
      ...whyNotReady(known, speech, leaders, systemClock.monotonicMs(), {
        standby: config.standby,
        map: matrix.rooms.status().directory.problem,
        source: sourceWatch.trouble(),
      }),
    ]
    const { source, rooms, probePresence } = matrix
    const sourceWatch = watchSource({
      log: sampled,
      countError: (error) => metrics.countError(error),
      isSynced: () => known.synced,
      lastSyncError: () => source.status().lastError,
      lastProbeError: matrix.lastProbeError,
    })
    const mayFollow = (): boolean => config.standby === 'follows' || leaders.leads()
    const { cityPresenceName } = config
    if (cityPresenceName !== undefined)
      await parts.start(
        'status',
        () =>
          startStatusWriter({
            port: openKubeStatus({
              ...openKubeHome(config, userAgent),
              name: cityPresenceName,
            }),
            podName: config.podName ?? holder,
            // Who was deposed has nothing to tell any more.
            leads: () => mayTell(leaders, election, systemClock.monotonicMs()) && endedBy?.code !== 'Deposed',
            facts: () =>
              gatherFacts({
                known,
                view,
                isComplete: speech.isComplete(),
                rooms: rooms.status(),
                syncError: source.status().lastError,
                sourceTrouble: sourceWatch.trouble(),
                streamTrouble: endedBy ?? leaders.trouble(),
              }),
            clock: systemClock,
            log: sampled,
            onError: (error) => metrics.countError(error),
          }),
        { drain: (one) => one.tellLast(), stop: (one) => one.stop() },
      )
    void aggregate({
      city,
      known,
      source,
      rooms,
      speech,
      voices: leaders.voices,
      tellUsers: leaders.tellUsers,
      probePresence,
      clock: systemClock,
      signal: parts.signal,
      mayFollow,
      drift: (added, removed) => {
        numbers.drift.inc({ direction: 'added' }, added)
        numbers.drift.inc({ direction: 'removed' }, removed)
      },
      audited: (end) => numbers.audits.inc({ end }),
      judged: (verdict) => {
        // Who does not follow has nothing to say about the source.
        numbers.stale.set(mayFollow() && verdict.source === 'stale' ? 1 : 0)
        numbers.sourceAgeSeconds.set(verdict.sourceAgeMs / 1000)
        sourceWatch.judged(mayFollow() ? verdict : undefined)
      },
    }).catch((error: unknown) => {
      parts.end(error)
    })
  },
})
