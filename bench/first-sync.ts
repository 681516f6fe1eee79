// How long a first sync holds up the aggregator's event loop, from the socket to the beat that calls the city complete:
//
//   make bench                                    2,000 rooms with 100 members; ends with 1 when the bar is missed
//   node bench/first-sync.ts [rooms] [members]    another city
//
// and how long a later initial sync does, which takes the place of a city that is shown; then the same with user events, up to the
// word about the last user, and the takeover by another process, which finds everybody in the stream.
//
// The loop is the real one, with its reader thread, its voice and a real nats-server; the homeserver is a thread that sends the
// bytes. Sixty-four lists of members wait to be compared, as after a lost session. Beside the figure stands a floor of the same
// run, JSON.parse of the same bytes on the loop, and their ratio: both grow with a slow machine, the ratio does not.
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { aggregate, viewOfCity, type Known, type SyncSource } from '../aggregator/src/aggregate.ts'
import { electBySilence } from '../aggregator/src/city-election.ts'
import { createCity, type City } from '../aggregator/src/core/city.ts'
import type { Moment } from '../aggregator/src/core/moment.ts'
import { createAnswerReader } from '../aggregator/src/edge/sync-worker.ts'
import { followCity, type Leaders } from '../aggregator/src/leaders.ts'
import { createAggregatorMetrics, type AggregatorMetrics } from '../aggregator/src/metrics.ts'
import { createRoomSpeech, type RoomSpeech } from '../aggregator/src/room-speech.ts'
import { longestTurnMs } from '../aggregator/src/testing/longest-turn.ts'
import { silentLog, silentLogger } from '../aggregator/src/testing/matrix.ts'
import { systemClock } from '../chassis/src/edge/clock.ts'
import { createHttpClient } from '../chassis/src/edge/http-client.ts'
import { connectNats, type NatsConnection } from '../chassis/src/edge/nats-connect.ts'
import { createMetrics } from '../chassis/src/metrics.ts'
import { firstSync } from '../sim/src/homeserver-first-sync.ts'
import { startNats } from '../stack/src/nats-server.ts'
import { until } from '../stack/src/until.ts'
import { subjectsBelow } from '../wire/src/subjects.ts'

const [rooms = 2_000, membersPerRoom = 100] = process.argv.slice(2).map(Number)
// Everybody lives in four rooms, as in the benches of others.
const shape = { rooms, membersPerRoom, people: (rooms * membersPerRoom) / 4 }
const rounds = 3
// The loop looks at the clock every 50 ms, and promises nothing finer: beats, windows and the ends of typing come that late anyway.
const barMs = 50
const daemonUserId = '@presence_daemon:test.local'
const { roomIds } = firstSync({ ...shape, membersPerRoom: 1 })
const audited = firstSync({ ...shape, rooms: Math.min(rooms, 64) })

const momentNow = (): Moment => ({ wallMs: Date.now(), monotonicMs: performance.now() })
const ms = (value: number): string => `${value.toFixed(1)} ms`
const say = (text: string): void => void process.stdout.write(`${text}\n`)

/** A server of its own thread: making and sending the bytes must not be measured here. */
async function serve(): Promise<{ readonly url: string; stop(): Promise<unknown> }> {
  const code = `
    import { createServer } from 'node:http'
    import { parentPort, workerData } from 'node:worker_threads'
    const { firstSync } = await import(workerData.module)
    const { bytes } = firstSync(workerData.shape)
    const server = createServer((request, response) => response.end(bytes))
    server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port))`
  const module = import.meta.resolve('../sim/src/homeserver-first-sync.ts')
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
    end: (error) => say(`ended: ${error.message}`),
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
): Promise<{ readonly longest: number; readonly later: number }> {
  const stage = openStage(number, connection, fetchBody)
  const wait = { deadlineMs: 60_000, everyMs: 5 }
  await until(() => stage.leaders.term() !== undefined, { ...wait, what: 'a leader' })
  // What begins with a leadership is not part of the question.
  await sleep(300)
  const startMs = performance.now()
  const longest = await longestTurnMs(async () => {
    stage.begin()
    await until(() => stage.speech.isComplete(), { ...wait, what: 'the whole city, said' })
  })
  const tookMs = performance.now() - startMs
  const later = await longestTurnMs(() => stage.again())
  await stage.stop()
  const body = Buffer.from(await fetchBody())
  const floor = await longestTurnMs(() => {
    JSON.parse(body.toString())
    return Promise.resolve()
  })
  say(
    `round ${number}: ${(body.byteLength / 1e6).toFixed(1)} MB, said after ${ms(tookMs)}; longest turn ${ms(longest)}, ` +
      `of a later one ${ms(later)}, ` +
      `floor (JSON.parse of the body on the loop) ${ms(floor)}, ratio ${(longest / floor).toFixed(3)}; ` +
      `rss ${(process.memoryUsage().rss / 1e6).toFixed(0)} MB`,
  )
  return { longest, later }
}

/** With user events: an aggregator begins, and another takes over what it left. */
async function measureUsers(number: number, connection: NatsConnection, fetchBody: () => Promise<Uint8Array>) {
  const longest: number[] = []
  for (const what of ['first sync', 'takeover'] as const) {
    const stage = openStage(number, connection, fetchBody, true)
    const wait = { deadlineMs: 120_000, everyMs: 5 }
    await until(() => stage.leaders.term() !== undefined, { ...wait, what: 'a leader' })
    await sleep(300)
    const startMs = performance.now()
    longest.push(
      await longestTurnMs(async () => {
        stage.begin()
        await until(() => stage.usersSaid() >= shape.people, { ...wait, what: 'everybody, said' })
      }),
    )
    const tookMs = performance.now() - startMs
    say(`round ${number}: ${what} with user events, said after ${ms(tookMs)}; longest turn ${ms(longest.at(-1) ?? 0)}`)
    await stage.stop()
  }
  const [first = 0, takeover = 0] = longest
  return { first, takeover }
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
say(
  `first sync: ${rooms} rooms with ${membersPerRoom} members, ${shape.people} people, ${audited.roomIds.length} lists to compare; bar: no turn above ${barMs} ms`,
)
const turns: { readonly longest: number; readonly later: number }[] = []
for (let round = 1; round <= rounds; round++) turns.push(await measure(round, connection, fetchBody))
const users: { readonly first: number; readonly takeover: number }[] = []
for (let round = 1; round <= rounds; round++) users.push(await measureUsers(rounds + round, connection, fetchBody))
await connection.close()
await http.close()
await server.stop()
await nats.stop()
/** One round may meet a collection of garbage, or a machine that did something else. */
const medianOf = (all: readonly number[]): number =>
  all.toSorted((one, other) => one - other)[Math.floor(all.length / 2)] ?? 0
for (const [what, median] of [
  ['first syncs', medianOf(turns.map(({ longest }) => longest))],
  ['later ones', medianOf(turns.map(({ later }) => later))],
  ['first syncs with user events', medianOf(users.map(({ first }) => first))],
  ['takeovers with user events', medianOf(users.map(({ takeover }) => takeover))],
] as const) {
  const isHeld = median <= barMs
  say(`median of the longest turns of ${what}: ${ms(median)}, ${isHeld ? 'within' : 'above'} the bar of ${barMs} ms`)
  if (!isHeld) process.exitCode = 1
}
