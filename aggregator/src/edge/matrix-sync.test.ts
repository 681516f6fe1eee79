// The sync loop against the homeserver double: what it asks, what it tells, and how it comes back from every kind of trouble.
import type { CityError } from '@citypresence/chassis/errors'
import { createFakeClock, type FakeClock } from '@citypresence/chassis/testing/fake-clock'
import { startTelemetry } from '@citypresence/chassis/telemetry'
import { startHomeserver, type Homeserver } from '@citypresence/sim/homeserver'
import { until } from '@citypresence/stack/until'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createDaemon, listen, type Daemon, type Listener } from '../testing/matrix.ts'
import type { MatrixSource } from './matrix-sync.ts'

let homeserver: Homeserver
let daemon: Daemon
let listener: Listener | undefined
let roomId: string
const ada = '@ada:test.local'

beforeEach(async () => {
  homeserver = await startHomeserver()
  const account = homeserver.account('presence_daemon')
  homeserver.account('ada')
  roomId = homeserver.script.createRoom({ members: [account.userId, ada], isPublic: true })
  daemon = createDaemon({ url: homeserver.url, ...account })
})
afterEach(async () => {
  await listener?.stop()
  listener = undefined
  await daemon.stop()
  await homeserver.stop()
})

const syncs = () => homeserver.requests.filter(({ path }) => path === '/sync')
const follow = (source: MatrixSource): Listener => (listener = listen(source))
const heard = (count: number, what = `${count} batches`) =>
  until(() => (listener?.heard.length ?? 0) >= count, { deadlineMs: 10_000, what })

it('[M40] the first batch is the whole city, the next ones are changes, and the daemon is never seen or told of', async () => {
  homeserver.script.presence(ada, 'online')
  const all = follow(daemon.source())
  await heard(1)
  const [first] = all.heard
  expect(first?.batch.initial).toBe(true)
  expect(first?.facts).toContainEqual({ kind: 'self-joined', roomId })
  expect(first?.facts).toContainEqual(expect.objectContaining({ kind: 'joined', roomId, userId: ada }))
  expect(first?.facts).toContainEqual(expect.objectContaining({ kind: 'presence', userId: ada, state: 'online' }))
  await until(() => homeserver.waitingPolls() === 1, { deadlineMs: 5_000, what: 'the poll' })
  homeserver.script.typing(ada, roomId, true)
  await heard(2)
  expect(all.heard[1]?.batch.initial).toBe(false)
  expect(all.heard[1]?.facts).toContainEqual({ kind: 'typing', roomId, userIds: [ada] })
  expect(all.facts().filter((fact) => 'userId' in fact && fact.userId === daemon.userId)).toEqual([])
  expect(syncs().map(({ query }) => query.get('set_presence'))).toEqual(syncs().map(() => 'offline'))
  for (const name of ['use_state_after', 'org.matrix.msc4222.use_state_after'])
    expect(syncs().map(({ query }) => query.get(name))).toEqual(syncs().map(() => 'true'))
  expect(homeserver.waitingPolls()).toBeLessThanOrEqual(1)
})

it('[M41] since moves only when the consumer asks for more', async () => {
  const abort = new AbortController()
  const batches = daemon.source().batches(abort.signal)[Symbol.asyncIterator]()
  await batches.next()
  homeserver.script.presence(ada, 'online')
  expect(syncs()).toHaveLength(1)
  const second = batches.next()
  await second
  expect(syncs()).toHaveLength(2)
  expect(syncs()[1]?.query.get('since')).not.toBeNull()
  abort.abort()
  expect((await batches.next()).done).toBe(true)
})

it('[M53] an answer tells what was true when it was given, however late it is read', async () => {
  const clock = createFakeClock()
  const all = follow(daemon.source({ clock }))
  await heard(1)
  const ageOf = (index: number): number => {
    const { asOf, receivedAt } = all.heard[index]?.batch ?? {}
    const ms = (receivedAt?.monotonicMs ?? 0) - (asOf?.monotonicMs ?? 0)
    expect((receivedAt?.wallMs ?? 0) - (asOf?.wallMs ?? 0)).toBe(ms)
    return ms
  }
  const untilPolls = () => until(() => homeserver.waitingPolls() === 1, { deadlineMs: 5_000, what: 'the poll' })
  // A poll is held for thirty seconds, and a second more may pass on the way.
  for (const [index, tookMs, lateMs] of [
    [1, 31_000, 0],
    [2, 39_000, 8_000],
  ] as const) {
    await untilPolls()
    await clock.advance(tookMs)
    homeserver.script.presence(ada, index === 1 ? 'online' : 'offline')
    await heard(index + 1)
    expect(ageOf(index)).toBe(lateMs)
  }
  // Nobody looked, and it may have come at once.
  await untilPolls()
  clock.jump(5_000)
  homeserver.script.presence(ada, 'online')
  await heard(4)
  expect(ageOf(3)).toBeGreaterThanOrEqual(4_750)
})

it('[M42] the filters are stored, for the first sync with and without all members and for the rest, and never ask for what people wrote', async () => {
  follow(daemon.source({ activity: false }))
  await heard(1)
  homeserver.script.presence(ada, 'online')
  await heard(2)
  const [initial, increment] = syncs().map(({ query }) => query.get('filter'))
  expect(initial).not.toBe(increment)
  const stored = homeserver.requests.filter(({ path }) => path.endsWith('/filter')).map(({ body }) => body)
  expect(stored).toHaveLength(3)
  for (const filter of stored) {
    expect(JSON.stringify(filter)).not.toMatch(/body|m\.room\.message|m\.receipt/)
    expect(filter).toMatchObject({
      room: { timeline: { types: expect.arrayContaining(['m.room.member']) as unknown } },
    })
  }
})

it('[M42] a server that stores no filter gets it with each request', async () => {
  homeserver.fault({ path: /filter$/, fault: { kind: 'status', status: 404, body: { errcode: 'M_UNRECOGNIZED' } } })
  follow(daemon.source())
  await heard(1)
  expect(syncs()[0]?.query.get('filter')).toMatch(/^\{/)
})

it('[M43] a token of another user is a mistake in the settings, not a city', async () => {
  const source = daemon.source({ userId: '@somebody:test.local' })
  await expect(source.batches(new AbortController().signal)[Symbol.asyncIterator]().next()).rejects.toMatchObject({
    code: 'BadConfig',
  })
})

it('[M32] a refused since means an initial sync within a moment, with another timeout than the first', async () => {
  const all = follow(daemon.source())
  await heard(1)
  await until(() => homeserver.waitingPolls() === 1, { deadlineMs: 5_000, what: 'the poll' })
  homeserver.fault({
    path: /^\/sync/,
    times: 1,
    fault: { kind: 'status', status: 400, body: { errcode: 'M_UNKNOWN', error: 'Invalid stream token' } },
  })
  homeserver.script.presence(ada, 'online')
  await heard(2)
  homeserver.script.presence(ada, 'unavailable')
  await heard(3)
  const initials = syncs().filter(({ query }) => !query.has('since'))
  expect(initials).toHaveLength(2)
  expect(new Set(initials.map(({ query }) => query.get('timeout'))).size).toBe(2)
  expect(all.heard.map(({ batch }) => batch.initial)).toEqual([true, false, true])
  // The refusal may have meant the filters: all are stored anew.
  expect(homeserver.requests.filter(({ path }) => path.endsWith('/filter'))).toHaveLength(6)
})

type Case = { name: string; fault: Parameters<Homeserver['fault']>[0]['fault']; suspect: boolean }
const troubles: readonly Case[] = [
  { name: 'a page of a proxy', fault: { kind: 'html', status: 502 }, suspect: true },
  { name: 'a server error', fault: { kind: 'status', status: 500 }, suspect: true },
  { name: 'a cut connection', fault: { kind: 'reset' }, suspect: true },
  { name: 'an answer cut in its middle', fault: { kind: 'truncated' }, suspect: true },
  { name: 'half an answer with a fitting length', fault: { kind: 'truncated', politely: true }, suspect: false },
  { name: 'a page instead of JSON', fault: { kind: 'html', status: 200 }, suspect: false },
  { name: 'an answer without a token', fault: { kind: 'bytes', body: '{}' }, suspect: false },
  { name: 'a list', fault: { kind: 'bytes', body: '[]' }, suspect: false },
  { name: 'a flood', fault: { kind: 'huge', bytes: 20_000_000 }, suspect: false },
  { name: 'a bomb', fault: { kind: 'gzip-bomb', bytes: 400_000_000 }, suspect: false },
]

for (const { name, fault, suspect } of troubles)
  it(`[M44] ${name} costs one answer and nothing else: same since, nothing lost`, async () => {
    const all = follow(daemon.source({ random: () => 0 }))
    await heard(1)
    homeserver.script.presence(ada, 'online')
    await heard(2)
    await until(() => homeserver.waitingPolls() === 1, { deadlineMs: 5_000, what: 'the poll' })
    homeserver.fault({ path: /^\/sync/, times: 1, fault })
    homeserver.script.presence(ada, 'unavailable')
    await heard(3)
    homeserver.script.leave(ada, roomId)
    await until(() => all.facts().some(({ kind }) => kind === 'left'), { deadlineMs: 10_000, what: 'the leave' })
    const met = syncs().findIndex((request) => request.fault !== undefined)
    expect(syncs()[met + 1]?.query.get('since')).toBe(syncs()[met]?.query.get('since'))
    const after = all.heard.findIndex(({ facts }) => facts.some(({ kind }) => kind === 'left'))
    expect(all.heard[after]?.batch).toMatchObject({ initial: false, typingSuspect: suspect })
  })

const hangs = [{ kind: 'silent' }, { kind: 'stalled' }, { kind: 'dripping', everyMs: 100 }] as const

for (const fault of hangs)
  it(`[M35] a server that hangs (${fault.kind}) is given up at the deadline, and the same since is asked again`, async () => {
    const all = follow(daemon.source({ random: () => 0, timeoutMs: 200, slackMs: 500 }))
    await heard(1)
    const end = homeserver.fault({ path: /^\/sync/, times: 1, fault })
    await until(() => syncs().some((request) => request.fault !== undefined), { deadlineMs: 5_000, what: 'the hang' })
    homeserver.script.presence(ada, 'online')
    await until(() => all.facts().some(({ kind }) => kind === 'presence'), { deadlineMs: 10_000, what: 'the change' })
    end()
    const met = syncs().findIndex((request) => request.fault !== undefined)
    expect(syncs()[met + 1]?.query.get('since')).toBe(syncs()[met]?.query.get('since'))
    expect(all.heard.filter(({ batch }) => batch.initial)).toHaveLength(1)
    expect(all.heard.find(({ facts }) => facts.some(({ kind }) => kind === 'presence'))?.batch.typingSuspect).toBe(true)
  })

it('[M32] three unreadable answers in a row mean an initial sync', async () => {
  const all = follow(daemon.source({ random: () => 0 }))
  await heard(1)
  homeserver.fault({ path: /^\/sync/, times: 3, fault: { kind: 'bytes', body: '{"next_batch":7}' } })
  homeserver.script.presence(ada, 'online')
  await until(() => all.heard.filter(({ batch }) => batch.initial).length === 2, {
    deadlineMs: 20_000,
    what: 'a new start',
  })
})

it('[M54] a first sync that is too large is asked for without the members, and the changes after it come whole', async () => {
  const others = Array.from({ length: 40 }, (_, number) => homeserver.account(`crowd${number}`).userId)
  for (const userId of others) homeserver.script.join(userId, roomId)
  homeserver.script.send(ada, roomId)
  const all = follow(daemon.source({ random: () => 0, initialBytesMax: 8_000 }))
  await heard(1)
  expect(all.heard[0]?.batch).toMatchObject({ initial: true, lazy: true })
  const members = all.facts().flatMap((fact) => (fact.kind === 'joined' ? [fact.userId] : []))
  expect(members).toContain(ada)
  expect(members.length).toBeLessThan(10)
  homeserver.script.leave(others[3] ?? '', roomId)
  homeserver.script.leave(others[4] ?? '', roomId)
  await until(() => all.facts().filter(({ kind }) => kind === 'left').length === 2, {
    deadlineMs: 10_000,
    what: 'both leaves',
  })
  expect(all.heard.at(-1)?.batch).toMatchObject({ initial: false, lazy: false })
  expect(syncs().filter(({ query }) => !query.has('since'))).toHaveLength(2)
})

it('[M52] a homeserver that went back to a place we had left is asked for everything, and its answer is not believed', async () => {
  const failed: string[] = []
  const observer = { failed: ({ code }: CityError) => void failed.push(code) }
  const all = follow(daemon.source({ random: () => 0, observer }))
  await heard(1)
  homeserver.script.presence(ada, 'online')
  await heard(2)
  homeserver.script.presence(ada, 'unavailable')
  await heard(3)
  await until(() => homeserver.waitingPolls() === 1, { deadlineMs: 5_000, what: 'the poll' })
  const former = syncs()[1]?.query.get('since')
  homeserver.fault({
    path: /^\/sync/,
    times: 1,
    fault: { kind: 'rewritten', rewrite: (body) => ({ ...(body as object), next_batch: former }) },
  })
  homeserver.script.send(ada, roomId)
  await until(() => syncs().some(({ fault }) => fault === 'rewritten'), {
    deadlineMs: 5_000,
    what: 'a poll to meet it',
  })
  homeserver.script.send(ada, roomId)
  await until(() => all.heard.filter(({ batch }) => batch.initial).length === 2, {
    deadlineMs: 10_000,
    what: 'everything anew',
  })
  expect(failed).toEqual(['MatrixWentBack'])
  const initials = syncs().filter(({ query }) => !query.has('since'))
  expect(new Set(initials.map(({ query }) => query.get('timeout'))).size).toBe(2)
  expect(
    syncs().some(({ query, fault }, index) => index > 1 && fault === undefined && query.get('since') === former),
  ).toBe(false)
})

it('[M31] a rate limit is kept to the second, and told', async () => {
  const all = follow(daemon.source())
  await heard(1)
  await until(() => homeserver.waitingPolls() === 1, { deadlineMs: 5_000, what: 'the poll' })
  homeserver.fault({
    path: /^\/sync/,
    times: 1,
    fault: { kind: 'rate-limited', retryAfterHeader: '2', retryAfterMs: 100 },
  })
  homeserver.script.presence(ada, 'online')
  await until(() => syncs().some(({ fault }) => fault === 'rate-limited'), { deadlineMs: 5_000, what: 'the refusal' })
  homeserver.script.presence(ada, 'offline')
  await until(() => all.facts().some((fact) => fact.kind === 'presence' && fact.state === 'offline'), {
    deadlineMs: 10_000,
    what: 'the change after the wait',
  })
  const met = syncs().findIndex(({ fault }) => fault === 'rate-limited')
  const [refused, next] = syncs().slice(met)
  expect((next?.atMs ?? 0) - (refused?.atMs ?? 0)).toBeGreaterThanOrEqual(2_000)
  expect(all.heard.every(({ batch }) => !batch.typingSuspect)).toBe(true)
})

it('[M45] a span per batch passes its traceparent on and ends when the batch is applied', async () => {
  const telemetry = await startTelemetry({ service: 'test', sampleRatio: 1 })
  const ended: string[] = []
  const all = follow(
    daemon.source({
      startSpan: (name, options) => {
        const span = telemetry.startSpan(name, options)
        return { ...span, end: () => void ended.push(span.traceId) }
      },
    }),
  )
  await heard(1)
  homeserver.script.presence(ada, 'online')
  await heard(2)
  expect(all.heard[0]?.batch.traceparent).toMatch(/^00-/)
  expect(ended[0]).toBe(all.heard[0]?.batch.traceparent?.split('-')[1])
})

// Time turned by hand: what a server in trouble, or a revoked token, gets to hear from us in five minutes.
const inFiveMinutes = async (clock: FakeClock, ready: () => boolean): Promise<void> => {
  for (let second = 0; second < 300; second++) {
    await clock.advance(1_000)
    await until(ready, { deadlineMs: 5_000, what: 'the request to be over', everyMs: 1 })
  }
}

it('[M33] a server that fails for five minutes gets at most 25 requests', async () => {
  const clock = createFakeClock()
  const patient = createDaemon({ url: homeserver.url, ...homeserver.account('presence_daemon'), clock })
  homeserver.fault({ fault: { kind: 'html', status: 503 } })
  let failures = 0
  const source = patient.source({ clock, random: () => 0, observer: { failed: () => (failures += 1) } })
  follow(source)
  await inFiveMinutes(clock, () => failures === homeserver.requests.length)
  expect(homeserver.requests.length).toBeLessThanOrEqual(25)
  expect(homeserver.requests.length).toBeGreaterThan(10)
  expect(source.status()).toMatchObject({ state: 'failing', lastAnswerAt: undefined })
  const ended = listener?.stop()
  await clock.advance(30_000)
  await ended
  await patient.stop()
})

it('[M31] a revoked token is shown once a minute', async () => {
  const clock = createFakeClock()
  const patient = createDaemon({ url: homeserver.url, ...homeserver.account('presence_daemon'), clock })
  homeserver.setSession(daemon.userId, 'unknown')
  let failures = 0
  const source = patient.source({ clock, observer: { failed: () => (failures += 1) } })
  follow(source)
  await inFiveMinutes(clock, () => failures >= homeserver.requests.length)
  expect(homeserver.requests.length).toBeLessThanOrEqual(6)
  expect(homeserver.requests.length).toBeGreaterThanOrEqual(4)
  expect(source.status()).toMatchObject({ state: 'token-refused' })
  const ended = listener?.stop()
  await clock.advance(60_000)
  await ended
  await patient.stop()
})
