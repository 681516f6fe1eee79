// Whole leaders on the double of a nats-server, on one clock that the test turns: who leads, what the stream then holds, and what
// everybody who listens has heard. The edges, voices, speeches and elections are the real ones.
import { PermissionViolationError } from '@nats-io/transport-node'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { CityError } from '@citypresence/chassis/errors'
import { createLogger, createSampledLog } from '@citypresence/chassis/log'
import { createMetrics, type Metrics } from '@citypresence/chassis/metrics'
import { createFakeClock, type FakeClock } from '@citypresence/chassis/testing/fake-clock'
import { createStreamServer, type StreamServer } from '@citypresence/sim/presence-stream'
import { beat as beatDecoder, type Beat } from '@citypresence/wire/beat'
import { decodeJson } from '@citypresence/wire/decode'
import { compareEpochs, parseEpoch, type Epoch } from '@citypresence/wire/epoch'
import type { RoomPresence } from '@citypresence/wire/room-presence'
import {
  defaultPrefix,
  isRoomSlug,
  roomStream,
  subjectsBelow,
  userStream,
  type RoomSlug,
} from '@citypresence/wire/subjects'
import { electBySilence, type CityElection } from './city-election.ts'
import { createCity } from './core/city.ts'
import type { RoomValue } from './core/city-rooms.ts'
import { termFloorAt } from './core/lone-election.ts'
import { followCity, type Leaders } from './leaders.ts'
import { createAggregatorMetrics } from './metrics.ts'
import { createRoomSpeech, type RoomSpeech } from './room-speech.ts'

const subjects = subjectsBelow(defaultPrefix)
const log = createLogger({ service: 'test', level: 'silent' })
const throttleMs = 3_000

type Heard = {
  readonly subject: string
  readonly sequence: number
  readonly epoch: Epoch | undefined
  readonly body: string
}
type Pod = {
  readonly leaders: Leaders
  readonly metrics: Metrics
  readonly speech: RoomSpeech
  readonly connection: ReturnType<StreamServer['connect']>
  readonly values: Map<string, RoomValue>
  readonly known: { isKnown: boolean; source: 'live' | 'stale' }
  ended: CityError | undefined
  set(slug: string, online: number): void
}

let clock: FakeClock
let server: StreamServer
let heard: Heard[]
let pods: Pod[]
beforeEach(() => {
  clock = createFakeClock()
  server = createStreamServer(clock)
  heard = []
  pods = []
  server.connect().subscribe(subjects.all, {
    callback: (_, message) => {
      if (message.headers?.get('Nats-Stream') !== roomStream) return
      const [sequence, epoch] = [
        Number(message.headers.get('Nats-Sequence')),
        parseEpoch(message.headers.get('Presence-Epoch')),
      ]
      heard.push({ subject: message.subject, sequence, epoch, body: message.string() })
    },
  })
})
afterEach(() => Promise.all(pods.map(({ leaders }) => leaders.stop())))

const room = (slug: string, online: number): RoomPresence => ({
  type: 'room.presence',
  room_slug: slug,
  matrix_room_id: `!${slug}:t`,
  matrix_room_alias: null,
  online_count: online,
  typing_count: 0,
  typing_users: [],
  last_event_ts: 1,
})
const known = (slug: string, online: number): RoomValue => ({ kind: 'known', presence: room(slug, online) })

const cityOptions = {
  daemonUserId: '@d:t',
  homeServer: 't',
  activeWindowMs: 1,
  offlineGraceMs: 0,
  staleAfterMs: 90_000,
  typingMaxMs: 1,
  outsidersMax: 1,
  userEvents: false,
  remoteUsers: false,
}

function startPod(
  podName: string,
  rooms: Record<string, number> = {},
  cityId = 'town',
  connect = () => server.connect(),
  { election = electBySilence(clock), userEvents = false }: { election?: CityElection; userEvents?: boolean } = {},
): Pod {
  const connection = connect()
  const values = new Map(Object.entries(rooms).map(([slug, online]) => [slug, known(slug, online)]))
  const state: Pod['known'] = { isKnown: true, source: 'live' }
  const speech = createRoomSpeech(
    {
      isKnown: () => state.isKnown,
      sightings: () => 2,
      slugs: () => [...values.keys()] as RoomSlug[],
      valueOf: (slug) => values.get(slug) ?? { kind: 'unobserved' },
      source: () => ({ source: state.source, sourceAgeMs: 5 }),
      wallMs: () => clock.wallMs(),
      inheritBlindness: () => undefined,
    },
    subjects,
    throttleMs,
  )
  const metrics = createMetrics('test')
  const leaders = followCity({
    config: {
      cityId,
      subjectPrefix: defaultPrefix,
      streamName: roomStream,
      userStreamName: userStream,
      streamReplicas: 1,
      natsInboxPrefix: '_INBOX_aggregator',
      userEvents,
    },
    holder: podName,
    election,
    connection,
    city: createCity(cityOptions),
    speech,
    isSynced: () => true,
    log: createSampledLog(log),
    numbers: createAggregatorMetrics(metrics),
    countError: () => undefined,
    end: (error) => {
      pod.ended = error
      // What the process does, soon: nothing more is written.
      queueMicrotask(() => void leaders.stop())
    },
    clock,
  })
  const pod: Pod = {
    leaders,
    metrics,
    speech,
    connection,
    values,
    known: state,
    ended: undefined,
    set(slug, online) {
      values.set(slug, known(slug, online))
      if (isRoomSlug(slug)) speech.changed([slug], undefined, clock.monotonicMs())
    },
  }
  pods.push(pod)
  return pod
}

/** As the loop does: every voice looks what is due, twenty times a second. */
async function pass(ms: number): Promise<void> {
  for (let leftMs = ms; leftMs > 0; leftMs -= 50) {
    await clock.advance(Math.min(50, leftMs))
    for (const { leaders, ended } of pods) if (ended === undefined) for (const voice of leaders.voices) voice.tick()
  }
  await clock.advance(0)
}

const epochOf = (pod: Pod): Epoch | undefined => pod.leaders.voices[0]?.epoch()
const termOf = (pod: Pod): number => epochOf(pod)?.term ?? 0
const beats = (): Beat[] =>
  heard.flatMap(({ subject, body }) => {
    const decoded = decodeJson(beatDecoder, body)
    return subject === subjects.beat && decoded.ok ? [decoded.value] : []
  })
const storedCounts = (): Record<string, number> =>
  Object.fromEntries(
    server.stored(roomStream).flatMap(({ subject, body }) => {
      const parsed = subjects.parse(subject)
      const value = JSON.parse(body) as RoomPresence
      return parsed?.kind === 'room' && value.removed !== true ? [[parsed.slug, value.online_count]] : []
    }),
  )

describe('a leader alone', () => {
  it('[L20] waits four seconds, claims, and says the whole city before its first complete beat', async () => {
    const pod = startPod('a', { plaza: 3, park: 0 })
    await pass(3_900)
    expect(server.stored(roomStream)).toEqual([])
    await pass(300)
    expect(epochOf(pod)?.term).toBeGreaterThan(termFloorAt(clock.wallMs()) - 1_000)
    expect(storedCounts()).toEqual({ plaza: 3, park: 0 })
    expect(beats()[0]).toMatchObject({ complete: false, rooms: 0 })
    expect(beats().at(-1)).toMatchObject({ complete: true, rooms: 2, source: 'live' })
    expect(heard.map(({ sequence }) => sequence)).toEqual(heard.map((_, index) => (heard[0]?.sequence ?? 0) + index))
  })

  it('[L21] beats once a second in quiet, and says a change at once and within its throttle', async () => {
    const pod = startPod('a', { plaza: 3 })
    await pass(9_000)
    heard.length = 0
    await pass(10_000)
    expect(beats().length).toBeGreaterThanOrEqual(9)
    expect(beats().length).toBeLessThanOrEqual(11)
    expect(heard.filter(({ subject }) => subject !== subjects.beat)).toEqual([])
    pod.set('plaza', 4)
    await pass(50)
    pod.set('plaza', 5)
    await pass(2_000)
    expect(storedCounts()).toEqual({ plaza: 4 })
    await pass(1_000)
    expect(storedCounts()).toEqual({ plaza: 5 })
  })

  it('[T8] when the source lives again, what waits for its window goes out before anybody is told so', async () => {
    const pod = startPod('a', { plaza: 3, park: 0 })
    await pass(10_000)
    pod.known.source = 'stale'
    pod.set('plaza', 4)
    await pass(100)
    expect(beats().at(-1)?.source).toBe('stale')
    pod.set('plaza', 5)
    await pass(200)
    heard.length = 0
    pod.known.source = 'live'
    await pass(100)
    const lives = heard.findIndex(({ body }) => body.includes('"live"'))
    expect(heard.slice(0, lives).map(({ body }) => (JSON.parse(body) as RoomPresence).online_count)).toEqual([5])
    expect(storedCounts()).toEqual({ plaza: 5, park: 0 })
  })

  it('[L36] in the three seconds after a takeover beats come four times a second, then once', async () => {
    startPod('a', { plaza: 3 })
    await pass(4_300)
    heard.length = 0
    await pass(2_000)
    const gathering = beats().length
    await pass(4_000)
    heard.length = 0
    await pass(4_000)
    expect(gathering).toBeGreaterThanOrEqual(7)
    expect(beats().length).toBeLessThanOrEqual(4)
  })

  it('[L36] a beat that was long under way is followed by another at once', async () => {
    startPod('a', { plaza: 3 })
    await pass(10_000)
    server.pause()
    await pass(3_000)
    heard.length = 0
    server.resume()
    await pass(100)
    expect(beats().length).toBeGreaterThanOrEqual(2)
  })

  it('[L22] beats incomplete while its city is not known, and says nothing about rooms', async () => {
    const pod = startPod('a', { plaza: 3 })
    pod.known.isKnown = false
    await pass(10_000)
    expect(beats().length).toBeGreaterThan(3)
    expect(beats().every(({ complete }) => !complete)).toBe(true)
    expect(storedCounts()).toEqual({})
    pod.known.isKnown = true
    await pass(1_100)
    expect(beats().at(-1)).toMatchObject({ complete: true, rooms: 1 })
  })

  it('[L23] a city of more than one batch is complete only with its last room', async () => {
    startPod('a', Object.fromEntries(Array.from({ length: 2_500 }, (_, index) => [`room-${index}`, 1])))
    await pass(6_000)
    const partly = beats().filter(({ rooms }) => rooms > 0 && rooms < 2_500)
    expect(partly.map(({ rooms }) => rooms)).toEqual([999, 1_998])
    expect(partly.every(({ complete }) => !complete)).toBe(true)
    expect(beats().at(-1)).toMatchObject({ complete: true, rooms: 2_500 })
  })
})

describe('a takeover', () => {
  it('[L24] keeps unknown rooms stale with their last value, and removes those that are no longer on the map', async () => {
    const first = startPod('a', { plaza: 3, park: 2, gone: 7 })
    await pass(6_000)
    await first.leaders.stop()
    const second = startPod('b', { plaza: 4 })
    second.values.set('park', { kind: 'unobserved' })
    second.values.set('new', { kind: 'unobserved' })
    await pass(6_000)
    expect(storedCounts()).toEqual({ plaza: 4, park: 2 })
    const bodies = server
      .stored(roomStream)
      .map(({ subject, body }) => [subject, JSON.parse(body) as RoomPresence] as const)
    expect(new Map(bodies).get(subjects.room('park'))).toMatchObject({ stale: true, typing_count: 0 })
    expect(new Map(bodies).get(subjects.room('gone'))).toMatchObject({ removed: true, online_count: 0 })
    expect(beats().at(-1)).toMatchObject({ complete: true, rooms: 2 })
    await pass(600_000)
    expect(server.stored(roomStream).some(({ subject }) => subject === subjects.room('gone'))).toBe(false)
  })

  it('[L25] a standby waits as long as it hears a leader, and leads four seconds after the last beat', async () => {
    const first = startPod('a', { plaza: 3 })
    await pass(6_000)
    const second = startPod('b', { plaza: 9 })
    await pass(20_000)
    expect(epochOf(second)).toBeUndefined()
    expect(storedCounts()).toEqual({ plaza: 3 })
    const before = termOf(first)
    await first.leaders.stop()
    // Before the five seconds after which gateways mark everything the whole city is said again.
    await pass(4_900)
    expect(beats().at(-1)).toMatchObject({ complete: true, rooms: 1 })
    expect(termOf(second)).toBeGreaterThan(before)
    expect(storedCounts()).toEqual({ plaza: 9 })
  })

  it('[L25] two that try at once: one leads, the other waits', async () => {
    const both = [startPod('a', { plaza: 3 }), startPod('b', { plaza: 3 })]
    await pass(30_000)
    expect(both.filter((pod) => epochOf(pod) !== undefined)).toHaveLength(1)
    expect(both.filter((pod) => pod.ended !== undefined)).toEqual([])
    const claims = heard.filter(({ subject }) => subject === subjects.epoch)
    expect(claims).toHaveLength(1)
  })

  it('[L26] a standby whose link was down does not take the silence for a vote', async () => {
    const first = startPod('a', { plaza: 3 })
    await pass(6_000)
    const before = termOf(first)
    const second = startPod('b', { plaza: 9 })
    await pass(1_000)
    server.cut(second.connection)
    await pass(60_000)
    server.join(second.connection)
    await pass(20_000)
    // However long it was down, there is no moment at which it is back, has heard nobody yet, and tries.
    for (let downMs = 3_200; downMs <= 4_500; downMs += 100) {
      server.cut(second.connection)
      await pass(downMs)
      server.join(second.connection)
      await pass(3_000)
    }
    expect(first.ended).toBeUndefined()
    expect(termOf(first)).toBe(before)
    expect(epochOf(second)).toBeUndefined()
  })

  it('[L38] a standby that may not hear the beat does not take that for silence, and says why it is not ready', async () => {
    const first = startPod('a', { plaza: 3 })
    await pass(6_000)
    const before = termOf(first)
    const link = server.connect()
    const second = startPod('b', { plaza: 9 }, 'town', () => {
      const subscribe = (subject: string, { callback }: { callback: (error: Error) => void }) => {
        queueMicrotask(() => callback(new PermissionViolationError('no right', 'subscription', subject)))
        return { unsubscribe: () => undefined }
      }
      return Object.assign(link, { subscribe, isClosed: () => false })
    })
    await pass(60_000)
    expect([termOf(first), epochOf(second)]).toEqual([before, undefined])
    expect(second.leaders.trouble()).toMatchObject({ code: 'NatsForbidden' })
  })

  it('[L27] a leader that was cut off stores nothing more, and ends as deposed', async () => {
    const first = startPod('a', { plaza: 3 })
    await pass(6_000)
    const second = startPod('b', { plaza: 9 })
    await pass(1_000)
    const before = termOf(first)
    server.cut(first.connection)
    first.set('plaza', 666)
    await pass(10_000)
    expect(termOf(second)).toBeGreaterThan(before)
    heard.length = 0
    server.join(first.connection)
    await pass(10_000)
    expect(first.ended?.code).toBe('Deposed')
    expect(storedCounts()).toEqual({ plaza: 9 })
    expect(heard.filter(({ epoch }) => epoch?.term === before)).toEqual([])
  })

  it('[L4] a lost election ends the voice for users with the one for rooms', async () => {
    let lose: () => void = () => undefined
    const election = { ...electBySilence(clock), onLost: (listener: () => void) => void (lose = listener) }
    const pod = startPod('a', { plaza: 3 }, 'town', () => server.connect(), { election, userEvents: true })
    await pass(6_000)
    const statesOf = () => pod.leaders.voices.map((voice) => voice.state())
    expect(statesOf()).toEqual(['leading', 'leading'])
    lose()
    expect([statesOf(), pod.ended?.code]).toEqual([['ended', 'ended'], 'Deposed'])
  })

  it('[E28] what becomes of the link to NATS is told to the election', async () => {
    const told: boolean[] = []
    const election = { ...electBySilence(clock), linkChanged: (isLinked: boolean) => void told.push(isLinked) }
    const pod = startPod('a', {}, 'town', () => server.connect(), { election })
    await pass(100)
    server.cut(pod.connection)
    await pass(100)
    server.join(pod.connection)
    await pass(100)
    expect(told).toEqual([false, true])
  })

  it('[L14] a claim lies above every term that was heard, also when stream and clock know of none', async () => {
    const ahead = { ...electBySilence(clock), termFloor: () => 1_000_000 }
    const first = startPod('a', { plaza: 3 }, 'town', () => server.connect(), { election: ahead })
    await pass(6_000)
    const second = startPod('b', { plaza: 3 }, 'town', () => server.connect(), {
      election: { ...electBySilence(clock), termFloor: () => 0 },
    })
    await pass(2_000)
    expect(termOf(first)).toBe(1_000_001)
    server.cut(first.connection)
    await server.connect().request(`$JS.API.STREAM.DELETE.${roomStream}`, '')
    await pass(8_000)
    expect(termOf(second)).toBeGreaterThan(1_000_001)
  })

  it('[L14] for users nobody claims who does not lead the rooms, and a claim lies above the milliseconds since 2020', async () => {
    const both = { userEvents: true }
    const leading = startPod('a', { plaza: 3 }, 'town', () => server.connect(), both)
    await pass(6_000)
    const waiting = startPod('b', { plaza: 3 }, 'town', () => server.connect(), both)
    await pass(6_000)
    expect(waiting.leaders.voices.map((voice) => voice.state())).toEqual(['standby', 'standby'])
    expect(leading.leaders.voices[1]?.epoch()?.term).toBeGreaterThan(termFloorAt(clock.wallMs()) - 20_000)
  })

  it('[L57] a user whom only the stream knows is erased once the rooms were taken over', async () => {
    const first = startPod('z', {}, 'town', () => server.connect(), { userEvents: true })
    await pass(6_000)
    const word = JSON.stringify({
      type: 'user.presence',
      matrix_user_id: '@gone:t',
      status: 'online',
      last_active_ts: 1,
    })
    first.connection.publish(subjects.ingest(subjects.user('gone')), word)
    await pass(1_000)
    server.cut(first.connection)
    const pod = startPod('a', { plaza: 3 }, 'town', () => server.connect(), { userEvents: true })
    pod.known.isKnown = false
    await pass(10_000)
    expect(pod.leaders.voices.map((voice) => voice.state())).toEqual(['leading', 'leading'])
    const stored = () => server.stored(userStream).find(({ subject }) => subject === subjects.user('gone'))?.body
    expect(stored()).toContain('online')
    pod.known.isKnown = true
    await pass(2_000)
    expect(stored() ?? 'offline').toContain('offline')
  })

  it('[L28] another city on the same stream ends, and disturbs nobody', async () => {
    const first = startPod('a', { plaza: 3 })
    await pass(6_000)
    server.cut(first.connection) // so that the other hears no beat
    const foreign = startPod('x', { plaza: 1 }, 'elsewhere')
    await pass(7_000)
    expect(foreign.ended?.code).toBe('StreamOwnedByAnother')
    expect(storedCounts()).toEqual({ plaza: 3 })
  })
})

describe('doubt', () => {
  it('[L29] a lost answer leads to a new epoch with everything said again', async () => {
    const pod = startPod('a', { plaza: 3 })
    await pass(6_000)
    const before = termOf(pod)
    server.loseAnswers(1)
    pod.set('plaza', 4)
    await pass(8_000)
    expect(termOf(pod)).toBeGreaterThan(before)
    expect(storedCounts()).toEqual({ plaza: 4 })
    expect(beats().at(-1)).toMatchObject({ complete: true, rooms: 1 })
  })

  it.each([10_164, 10_176, 10_210])('[L29] so does the code %i', async (code) => {
    const pod = startPod('a', { plaza: 3 })
    await pass(6_000)
    const before = termOf(pod)
    server.refuseWrites(1, code)
    await pass(3_000)
    expect(termOf(pod)).toBeGreaterThan(before)
    expect(beats().at(-1)).toMatchObject({ complete: true, rooms: 1 })
    // Told by the server's own code, for whoever looks for the cause.
    expect(await pod.metrics.registry.metrics()).toContain(`refusals_total{stream="rooms",code="${code}"} 1`)
  })

  it('[L30] a store rolled back, to after the claim or before it, is followed by a higher epoch within two seconds', async () => {
    const other = startPod('z', { plaza: 1 })
    await pass(6_000)
    const beforeClaim = server.backUp()
    await other.leaders.stop()
    const pod = startPod('a', { plaza: 3 })
    await pass(6_000)
    const afterClaim = server.backUp()
    pod.set('plaza', 4)
    await pass(5_000)
    for (const rollBack of [afterClaim, beforeClaim]) {
      const before = epochOf(pod)
      rollBack()
      await pass(2_000)
      const after = epochOf(pod)
      expect(before !== undefined && after !== undefined && compareEpochs(after, before) > 0).toBe(true)
      expect(storedCounts()).toEqual({ plaza: 4 })
      expect(beats().at(-1)).toMatchObject({ complete: true, rooms: 1 })
    }
    expect(pod.ended).toBeUndefined()
  })

  it.each([
    ['a lower voice: it speaks again, above it', 1, undefined],
    ['a higher one: it is deposed', 999_999_999_999_999, 'Deposed'],
  ])(
    '[L15] a leader whom the fence lets through sees within three seconds that the record names %s',
    async (_, term, code) => {
      const other = startPod('z', { plaza: 1 })
      await pass(6_000)
      const rollBack = server.backUp()
      await other.leaders.stop()
      const pod = startPod('a', { plaza: 3 })
      await pass(10_000)
      const [before, newest] = [epochOf(pod), heard.at(-1)?.sequence ?? 0]
      // The store forgets my claim, and another's takes the same sequence; it writes as much as I did, and falls silent.
      rollBack()
      const raw = server.connect()
      raw.publish(subjects.ingest(subjects.epoch), JSON.stringify({ term, holder: 'z', city: 'town' }))
      while ((server.stored(roomStream).at(-1)?.sequence ?? 0) < newest)
        raw.publish(subjects.ingest(subjects.beat), '{}')
      expect(server.stored(roomStream).find(({ subject }) => subject === subjects.epoch)?.sequence).toBe(before?.epoch)
      await clock.advance(0)
      heard.length = 0
      pod.set('plaza', 4)
      await pass(100)
      expect(heard.map(({ epoch }) => epoch)).toEqual([before, before])
      await pass(3_000)
      expect(pod.ended?.code).toBe(code)
      if (code !== undefined) return
      expect(termOf(pod)).toBeGreaterThan(before?.term ?? 0)
      expect(storedCounts()).toEqual({ plaza: 4 })
      expect(beats().at(-1)).toMatchObject({ complete: true, rooms: 1 })
    },
  )

  it('[L31] a deleted stream is made again and filled', async () => {
    const pod = startPod('a', { plaza: 3 })
    await pass(6_000)
    const before = termOf(pod)
    await server.connect().request(`$JS.API.STREAM.DELETE.${roomStream}`, '')
    await pass(4_000)
    expect(termOf(pod)).toBeGreaterThan(before)
    expect(storedCounts()).toEqual({ plaza: 3 })
  })

  it('[L32] a setting changed by hand ends the leader, and the field is named', async () => {
    const pod = startPod('a', { plaza: 3 })
    await pass(6_000)
    const info = await server.connect().request(`$JS.API.STREAM.INFO.${roomStream}`, '')
    const { config } = info.json<{ config: Record<string, unknown> }>()
    const changed = JSON.stringify({ ...config, allow_atomic: false })
    await server.connect().request(`$JS.API.STREAM.UPDATE.${roomStream}`, changed)
    pod.set('plaza', 4)
    await pass(3_000)
    expect(pod.ended).toMatchObject({ code: 'StreamDiffers' })
    expect(pod.ended?.message).toContain('allow_atomic')
  })

  it('[L33] a server that stands still is waited for, and then everything is said', async () => {
    const pod = startPod('a', { plaza: 3 })
    await pass(6_000)
    server.pause()
    pod.set('plaza', 4)
    await pass(60_000)
    pod.set('plaza', 5)
    server.resume()
    await pass(10_000)
    expect(pod.ended).toBeUndefined()
    expect(storedCounts()).toEqual({ plaza: 5 })
    expect(beats().at(-1)).toMatchObject({ complete: true, rooms: 1 })
  })
})
