// A daemon of the homeserver double (or of a real homeserver), with everything a test of the Matrix edges needs.
import { createHttpClient, type HttpClient } from '@citypresence/chassis/edge/http-client'
import type { Clock } from '@citypresence/chassis/edge/clock'
import { createLogger, createSampledLog, type SampledLog } from '@citypresence/chassis/log'
import { secretFromText, type Secret } from '@citypresence/chassis/secret'
import { createMatrixClient, type MatrixClient } from '../edge/matrix-client.ts'
import { createMatrixSource, type MatrixSource, type MatrixSourceOptions, type SyncBatch } from '../edge/matrix-sync.ts'
import { createAnswerReader, type AnswerReader } from '../edge/sync-worker.ts'
import type { Fact } from '../core/sync-facts.ts'

export const silentLogger = createLogger({ service: 'test', level: 'silent' })
export const silentLog: SampledLog = createSampledLog(silentLogger)

export type Daemon = {
  readonly userId: string
  readonly http: HttpClient
  readonly client: MatrixClient
  readonly reader: AnswerReader
  source(options?: Partial<MatrixSourceOptions>): MatrixSource
  stop(): Promise<void>
}

export type DaemonOptions = {
  readonly url: string
  readonly userId: string
  readonly accessToken: string | Secret
  readonly clock?: Clock
}

export function createDaemon({ url, userId, accessToken, clock }: DaemonOptions): Daemon {
  const time = clock === undefined ? {} : { clock }
  // Only the daemon waits by a test's clock; bytes travel in real time.
  const http = createHttpClient({ userAgent: 'test' })
  const reader = createAnswerReader({ daemonUserId: userId })
  const client = createMatrixClient({
    homeserverUrl: url,
    accessToken: typeof accessToken === 'string' ? secretFromText(accessToken) : accessToken,
    http,
    readMembers: (body) => reader.readMembers(body),
    log: silentLogger,
    ...time,
  })
  return {
    userId,
    http,
    client,
    reader,
    source: (options = {}) =>
      createMatrixSource({ client, reader, userId, activity: true, log: silentLog, ...time, ...options }),
    async stop() {
      await reader.stop()
      await http.close()
    },
  }
}

/** Takes batches as a consumer does, and keeps what they told. */
export type Listener = {
  /** Applied batches, each with its facts. */
  readonly heard: readonly { readonly batch: SyncBatch; readonly facts: readonly Fact[] }[]
  /** All facts of all batches. */
  facts(): Fact[]
  stop(): Promise<void>
}

export function listen(source: MatrixSource): Listener {
  const abort = new AbortController()
  const heard: { batch: SyncBatch; facts: Fact[] }[] = []
  const ended = takeAll(source, abort.signal, heard)
  return {
    heard,
    facts: () => heard.flatMap(({ facts }) => facts),
    async stop() {
      abort.abort()
      await ended
    },
  }
}

async function takeAll(
  source: MatrixSource,
  signal: AbortSignal,
  heard: { batch: SyncBatch; facts: Fact[] }[],
): Promise<void> {
  for await (const batch of source.batches(signal)) {
    const facts: Fact[] = []
    for await (const slice of batch.slices) facts.push(...slice)
    heard.push({ batch, facts })
  }
}
