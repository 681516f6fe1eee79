// Puts the Matrix edges together: the client, the long poll with its reader thread, the rooms with their directory, the probe.
import { createHttpClient } from '@citypresence/chassis/edge/http-client'
import type { CityError } from '@citypresence/chassis/errors'
import { createSampledLog, type Logger } from '@citypresence/chassis/log'
import type { Telemetry } from '@citypresence/chassis/telemetry'
import type { Config } from './config.ts'
import { createMatrixClient } from './edge/matrix-client.ts'
import { createRoomSource, type RoomSource } from './edge/matrix-rooms.ts'
import { createMatrixSource, type MatrixSource } from './edge/matrix-sync.ts'
import { probePresence } from './edge/presence-probe.ts'
import { fileDirectory, httpDirectory, type RoomDirectory } from './edge/room-directory.ts'
import type { Lookout, RoomProgress } from './edge/room-worker.ts'
import { createAnswerReader } from './edge/sync-worker.ts'
import type { AggregatorMetrics } from './metrics.ts'

// What clients usually ask for and proxies usually allow. A quiet city answers once in this time, so it is never more than a third
// of the time after which silence is called stale.
const pollMsMax = 30_000

export type MatrixOptions = {
  readonly config: Config
  readonly log: Logger
  readonly numbers: AggregatorMetrics
  readonly countError: (error: unknown) => void
  readonly startSpan: Telemetry['startSpan']
  /** Whose presence tells whether the homeserver tells presence of a room. */
  readonly lookoutsIn: Lookout['of']
  readonly isBlind: Lookout['isBlind']
}

export type Matrix = {
  readonly source: MatrixSource
  readonly rooms: RoomSource
  readonly probePresence: (signal: AbortSignal) => Promise<boolean | undefined>
  /** Why the last probe said nothing; undefined since one did. */
  readonly lastProbeError: () => CityError | undefined
  stop(): Promise<void>
}

const userAgent = 'citypresence-aggregator'

export function openMatrix(options: MatrixOptions): Matrix {
  const { config, log, numbers, countError, startSpan, lookoutsIn, isBlind } = options
  const http = createHttpClient({ caFile: config.matrixCaFile, userAgent })
  const cityHttp = createHttpClient({ caFile: config.cityServiceCaFile, userAgent })
  const { homeserverUrl, accessToken, userId, activity, unknownPresence } = config
  const reader = createAnswerReader({ daemonUserId: userId, unknownStateCounts: unknownPresence === 'online' })
  const readMembers = (body: Uint8Array) => reader.readMembers(body)
  const client = createMatrixClient({ homeserverUrl, accessToken, http, readMembers, log })
  const sampled = createSampledLog(log)
  const source = createMatrixSource({
    client,
    reader,
    userId,
    activity,
    timeoutMs: Math.min(pollMsMax, Math.floor(config.staleAfterMs / 3)),
    log: sampled,
    startSpan,
    observer: {
      answered(answer) {
        numbers.syncs.inc({ kind: answer.initial ? 'initial' : 'increment' })
        numbers.syncReadSeconds.observe(answer.readMs / 1000)
        numbers.facts.inc(answer.facts)
        numbers.malformed.inc(answer.malformed)
        numbers.unknownStates.inc(answer.unknownStates)
      },
      failed(error) {
        numbers.syncFailures.inc({ code: error.code })
        countError(error)
      },
    },
  })
  const rooms = createRoomSource({
    client,
    directory: directoryOf(config, cityHttp),
    lookout: {
      daemonUserId: userId,
      presenceOf: (user, signal) => client.presenceOf(user, signal),
      of: lookoutsIn,
      isBlind,
    },
    log: sampled,
    refreshEveryMs: config.roomRefreshIntervalMs,
    observer: {
      refreshed: (count) => numbers.rooms.set(count),
      progress: (progress) => noteProgress(numbers, progress),
      joined: () => numbers.joins.inc(),
      blind: (count) => numbers.blindRooms.set(count),
      failed: countError,
    },
  })
  let probeError: CityError | undefined
  return {
    source,
    rooms,
    async probePresence(signal) {
      const answer = await probePresence(client, userId, signal)
      probeError = answer.works === undefined && !signal.aborted ? answer.error : undefined
      if (probeError !== undefined) {
        countError(probeError)
        sampled.warn('probe', { err: probeError }, 'the homeserver did not say whether presence works')
      }
      return answer.works
    },
    lastProbeError: () => probeError,
    async stop() {
      await reader.stop()
      await Promise.all([http.close(), cityHttp.close()])
    },
  }
}

function directoryOf(config: Config, http: ReturnType<typeof createHttpClient>): RoomDirectory {
  const { roomDirectoryFile, cityServiceUrl, cityServiceToken } = config
  if (roomDirectoryFile !== undefined) return fileDirectory({ file: roomDirectoryFile })
  // mistakesOf has seen to it that one of the two is there.
  return httpDirectory({ http, serviceUrl: cityServiceUrl ?? '', token: cityServiceToken })
}

function noteProgress({ roomsWithout, joinsRemainingSeconds }: AggregatorMetrics, progress: RoomProgress): void {
  const { joins, unresolved, doubled } = progress
  roomsWithout.set({ why: 'missing' }, joins.wanted - joins.joined - joins.refused.length)
  roomsWithout.set({ why: 'refused' }, joins.refused.length)
  roomsWithout.set({ why: 'unresolved' }, unresolved.length)
  roomsWithout.set({ why: 'doubled' }, doubled.length)
  joinsRemainingSeconds.set((joins.remainingMs ?? 0) / 1000)
}
