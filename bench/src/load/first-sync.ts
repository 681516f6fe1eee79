// How long a first sync holds up the aggregator's event loop, from the socket to the beat that calls the city complete:
//
//   node bench/src/load/first-sync.ts <rooms> <members of each> <rounds>     a line of JSON a round
//
// and how long a later initial sync does, which takes the place of a city that is shown; then the same with user events, up to the
// word about the last user, and the takeover by another process, which finds everybody in the stream.
//
// The loop is the real one, with its reader thread, its voice and a real nats-server; the homeserver is a thread that sends the
// bytes. Sixty-four lists of members wait to be compared, as after a lost session. Beside the figure stands a floor of the same
// run, JSON.parse of the same bytes on the loop, and their ratio: both grow with a slow machine, the ratio does not.
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { aggregate, viewOfCity, type Known, type SyncSource } from '@citypresence/aggregator/aggregate'
import { electBySilence } from '@citypresence/aggregator/city-election'
import { createCity, type City } from '@citypresence/aggregator/core/city'
import type { Moment } from '@citypresence/aggregator/core/moment'
import { createAnswerReader } from '@citypresence/aggregator/edge/sync-worker'
import { followCity, type Leaders } from '@citypresence/aggregator/leaders'
import { createAggregatorMetrics, type AggregatorMetrics } from '@citypresence/aggregator/metrics'
import { createRoomSpeech, type RoomSpeech } from '@citypresence/aggregator/room-speech'
import { longestTurnMs } from '@citypresence/aggregator/testing/longest-turn'
import { silentLog, silentLogger } from '@citypresence/aggregator/testing/matrix'
import { systemClock } from '@citypresence/chassis/edge/clock'
import { createHttpClient } from '@citypresence/chassis/edge/http-client'
import { connectNats, type NatsConnection } from '@citypresence/chassis/edge/nats-connect'
import { createMetrics } from '@citypresence/chassis/metrics'
import { firstSync } from '@citypresence/sim/homeserver-first-sync'
import { startNats } from '@citypresence/stack/nats-server'
import { until } from '@citypresence/stack/until'
import { subjectsBelow } from '@citypresence/wire/subjects'

const [rooms = 2_000, membersPerRoom = 100, rounds = 3] = process.argv.slice(2).map(Number)
// Everybody lives in four rooms, as in the benches of others.
const shape = { rooms, membersPerRoom, people: (rooms * membersPerRoom) / 4, stride: Math.ceil(membersPerRoom / 4) }
const daemonUserId = '@presence_daemon:test.local'
const { roomIds } = firstSync({ ...shape, membersPerRoom: 1 })
// Two of three are not offline, and are told of.
const usersOnline = Math.floor((shape.people * 2) / 3)
const audited = firstSync({ ...shape, rooms: Math.min(rooms, 64) })

const momentNow = (): Moment => ({ wallMs: Date.now(), monotonicMs: performance.now() })

/** A server of its own thread: making and sending the bytes must not be measured here. */
async function serve(): Promise<{ readonly url: string; stop(): Promise<unknown> }> {
  const code = `
    import { createServer } from 'node:http'
    import { parentPort, workerData } from 'node:worker_threads'
    const { firstSync } = await import(workerData.module)
    const { bytes } = firstSync(workerData.shape)
    const server = createServer((request, response) => response.end(bytes))
    server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port))`
  const module = import.meta.resolve('@citypresence/sim/homeserver-first-sync')
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`), {
    workerData: { module, shape },
  })
  const port = await new Promise((resolve) => worker.once('message', resolve))
  return { url: `http://127.0.0.1:${String(port)}/`, stop: () => worker.terminate() }
}

const newCity = (userEvents: boolean): City =>
  createCity({
    daemonUserId,
    homeServer: 'test.local',
    activeWindowMs: 300_000,
    offlineGraceMs: 0,
    staleAfterMs: 90_000,
    typingMaxMs: 130_000,
    outsidersMax: 100_000,
    userEvents,
    remoteUsers: false,
  })

type Stage = {
  readonly speech: RoomSpeech
  readonly leaders: Leaders
  /** Words about users that were stored. */
  usersSaid(): number
  begin(): void
  /** Everything once more; resolves when it stands. */
  again(): Promise<void>
  stop(): Promise<void>
}

async function initialBatch(reader: ReturnType<typeof createAnswerReader>, fetchBody: () => Promise<Uint8Array>) {
  const requestedAt = momentNow()
  const { slices } = await reader.read(await fetchBody())
  const at = momentNow()
  return {
    initial: true,
    lazy: false,
    requestedAt,
    asOf: at,
    receivedAt: at,
    slices,
    typingSuspect: false,
    traceparent: undefined,
    run: <T>(work: () => T): T => work(),
  }
}

/** An aggregator that leads a stream of its own and waits for its first sync. */
function openStage(
  number: number,
  connection: NatsConnection,
  fetchBody: () => Promise<Uint8Array>,
  userEvents = false,
): Stage {
  const city = newCity(userEvents)
  const known: Known = { synced: false, mapped: false, sightings: 1, learning: false }
  const prefix = `bench${number}`
  const speech = createRoomSpeech(viewOfCity(city, known, systemClock), subjectsBelow(prefix), 3_000)
  let usersSaid = 0
  const numbers = createAggregatorMetrics(createMetrics('aggregator'))
  const count: AggregatorMetrics['published']['inc'] = (labels, messages = 0) => {
    if (typeof labels === 'object' && labels.stream === 'users') usersSaid += messages
  }
  const leaders = followCity({
    config: {
      cityId: prefix,
      subjectPrefix: prefix,
      streamName: `BENCH${number}`,
      userStreamName: `BENCH${number}_USERS`,
      streamReplicas: 1,
      natsInboxPrefix: '_INBOX_bench',
      userEvents,
    },
    holder: `bench${number}`,
    election: electBySilence(systemClock),
    connection,
    city,
    speech,
    isSynced: () => known.synced && !known.learning,
    log: silentLog,
    numbers: { ...numbers, published: { ...numbers.published, inc: count } },
    countError: () => undefined,
    end: (error) => process.stderr.write(`ended: ${error.message}\n`),
  })
  const reader = createAnswerReader({ daemonUserId })
  const begun = Promise.withResolvers<undefined>()
  const asked = Promise.withResolvers<undefined>()
  const applied = Promise.withResolvers<undefined>()
  const ending = new AbortController()
  const gone = new Promise((resolve) => ending.signal.addEventListener('abort', resolve))
  const source: SyncSource = {
    async *batches() {
      await begun.promise
      yield await initialBatch(reader, fetchBody)
      await Promise.race([asked.promise, gone])
      if (ending.signal.aborted) return
      yield await initialBatch(reader, fetchBody)
      applied.resolve(undefined)
      await gone
    },
    startOver: () => undefined,
  }
  const ended = aggregate({
    city,
    known,
    source,
    rooms: {
      async *updates() {
        yield roomIds.map((roomId, room) => ({ slug: `room${room}`, roomId, alias: null }))
        await gone
      },
      async *findings() {
        const askedAt = { wallMs: 0, monotonicMs: 0 }
        for (const [room, roomId] of audited.roomIds.entries())
          yield { kind: 'members' as const, roomId, userIds: audited.membersOf(room), askedAt }
        await gone
      },
      tombstone: () => undefined,
      refreshSoon: () => undefined,
      wantMembers: () => undefined,
      sightings: () => 2,
    },
    speech,
    voices: leaders.voices,
    tellUsers: leaders.tellUsers,
    probePresence: () => Promise.resolve(true),
    clock: systemClock,
    signal: ending.signal,
    drift: () => undefined,
  })
  return {
    speech,
    leaders,
    usersSaid: () => usersSaid,
    begin: () => begun.resolve(undefined),
    again() {
      asked.resolve(undefined)
      return applied.promise.then(() => undefined)
    },
    async stop() {
      ending.abort()
      await ended
      await leaders.stop()
      await reader.stop()
    },
  }
}

async function measure(
  number: number,
  connection: NatsConnection,
  fetchBody: () => Promise<Uint8Array>,
): Promise<Record<string, number>> {
  const stage = openStage(number, connection, fetchBody)
  const wait = { deadlineMs: 60_000, everyMs: 5 }
  await until(() => stage.leaders.term() !== undefined, { ...wait, what: 'a leader' })
  // What begins with a leadership is not part of the question.
  await sleep(300)
  const startMs = performance.now()
  const longestMs = await longestTurnMs(async () => {
    stage.begin()
    await until(() => stage.speech.isComplete(), { ...wait, what: 'the whole city, said' })
  })
  const tookMs = performance.now() - startMs
  const rssBytes = process.memoryUsage.rss()
  const laterMs = await longestTurnMs(() => stage.again())
  await stage.stop()
  const body = Buffer.from(await fetchBody())
  const floorMs = await longestTurnMs(() => {
    JSON.parse(body.toString())
    return Promise.resolve()
  })
  return { bytes: body.byteLength, longestMs, laterMs, floorMs, tookMs, rssBytes }
}

/** With user events: an aggregator begins, and another takes over what it left. */
async function measureUsers(number: number, connection: NatsConnection, fetchBody: () => Promise<Uint8Array>) {
  const longest: number[] = []
  for (let leader = 0; leader < 2; leader++) {
    const stage = openStage(number, connection, fetchBody, true)
    const wait = { deadlineMs: 120_000, everyMs: 5 }
    await until(() => stage.leaders.term() !== undefined, { ...wait, what: 'a leader' })
    await sleep(300)
    longest.push(
      await longestTurnMs(async () => {
        stage.begin()
        await until(() => stage.usersSaid() >= usersOnline, { ...wait, what: 'everybody, said' })
      }),
    )
    await stage.stop()
  }
  const [usersMs = 0, takeoverMs = 0] = longest
  return { usersMs, takeoverMs }
}

const [server, nats] = await Promise.all([serve(), startNats({ accounts: 'open' })])
const http = createHttpClient({ userAgent: 'bench' })
const connection = await connectNats({
  servers: [nats.url],
  credentials: { kind: 'none' },
  name: 'bench',
  inboxPrefix: '_INBOX_bench',
  log: silentLogger,
})
const fetchBody = async (): Promise<Uint8Array> =>
  (await http.request(server.url, { timeoutMs: 60_000, maxBytes: 128 * 1024 * 1024 })).body
for (let round = 1; round <= rounds; round++)
  process.stdout.write(
    `${JSON.stringify({
      ...(await measure(round, connection, fetchBody)),
      ...(await measureUsers(rounds + round, connection, fetchBody)),
    })}\n`,
  )
await connection.close()
await http.close()
await server.stop()
await nats.stop()
