// What a homeserver can do wrong: limits, errors, silence, garbage, tokens, rooms that go, presence that is switched off.
import { until } from '@citypresence/stack/until'
import type { Fault } from '../fault.ts'
import type { Stage } from '../stage.ts'
import { lasting, lateIf, loseSession, memoryOf, missedIf, seconds, untilFresh, untilMarked } from './bars.ts'

type HomeserverFault = Parameters<Stage['homeserver']['fault']>[0]['fault']

const syncPath = /^\/sync/
/** All requests of the daemon's long poll, oldest first. */
const polls = (stage: Stage) => stage.homeserver.requests.filter(({ path }) => path.startsWith('/sync'))

type Met = { readonly waitedMs: number; readonly isSamePlace: boolean }

/** Meets the next polls with a fault, waits until so many of them have met it, and tells when and from where the next one came. */
async function meetPolls(stage: Stage, fault: HomeserverFault, times: number): Promise<Met> {
  const from = polls(stage).length
  stage.homeserver.fault({ path: syncPath, times, fault })
  const met = () =>
    polls(stage)
      .slice(from)
      .filter((one) => one.fault === fault.kind)
  await until(() => met().length >= times, { deadlineMs: 90_000, what: `${times} polls to meet it` })
  const last = met().at(-1)
  const next = await until(() => polls(stage)[polls(stage).findIndex((one) => one === last) + 1], {
    deadlineMs: 120_000,
    what: 'the next poll',
  })
  return {
    waitedMs: next.atMs - (last?.atMs ?? 0),
    isSamePlace: next.query.get('since') === last?.query.get('since'),
  }
}

const rateLimits = [
  {
    id: 'F21a',
    title: 'Matrix says "too many requests", Retry-After: 2',
    guard: 'without the time kept that a refusal names, the next request came after 7 ms',
    fault: { retryAfterHeader: '2' },
    leastMs: 2_000,
  },
  {
    id: 'F21b',
    title: 'the same with retry_after_ms 1500 only',
    guard: 'without the time kept that a refusal names, the next request came after 6 ms',
    fault: { retryAfterMs: 1_500 },
    leastMs: 1_500,
  },
  {
    id: 'F21c',
    title: 'the same with nonsense: Retry-After: -5',
    guard: 'with whatever reads as a date, and no least wait, the next request came after 3 ms',
    fault: { retryAfterHeader: '-5' },
    leastMs: 1_000,
  },
] as const

const limited: readonly Fault[] = rateLimits.map(({ fault, leastMs, ...named }) => ({
  ...named,
  bar: `no request earlier than ${seconds(leastMs)}; nothing is lost`,
  length: 'short',
  async run(stage) {
    const { waitedMs, isSamePlace } = await meetPolls(stage, { kind: 'rate-limited', ...fault }, 1)
    missedIf(waitedMs < leastMs, `asked again after ${waitedMs} ms`)
    missedIf(!isSamePlace, 'asked again from elsewhere')
    return `asked again after ${seconds(waitedMs)}`
  },
}))

const memoryBarBytes = 64 * 1024 * 1024
const megabytes = (bytes: number): string => `${Math.round(bytes / 1024 / 1024)} MB`

type Named = Pick<Fault, 'id' | 'title' | 'guard'> & { readonly fault: HomeserverFault }

const garbage: readonly Named[] = [
  {
    id: 'F22b',
    title: 'an HTML page of a proxy as a good answer',
    guard: 'where what is no JSON is an empty answer, and an answer needs no next_batch, the next poll began elsewhere',
    fault: { kind: 'html', status: 200 },
  },
  {
    id: 'F24a',
    title: 'an answer that breaks off',
    guard:
      'where what broke off counts, what is no JSON is an empty answer, and an answer needs no next_batch, the next poll began elsewhere',
    fault: { kind: 'truncated' },
  },
  {
    id: 'F24b',
    title: 'JSON that is cut, with a length that fits',
    guard: 'where what is no JSON is an empty answer, and an answer needs no next_batch, the next poll began elsewhere',
    fault: { kind: 'truncated', politely: true },
  },
  {
    id: 'F24c',
    title: 'JSON of wrong types',
    guard: 'where an answer needs no next_batch that is a text, the next poll began elsewhere',
    fault: { kind: 'bytes', body: '{"next_batch":{"x":1},"rooms":[],"presence":{"events":"none"}}' },
  },
  {
    id: 'F24d',
    title: '100 MB instead of an answer',
    guard: 'without the cap on bytes memory grew by 377 MB',
    fault: { kind: 'huge', bytes: 100_000_000 },
  },
  {
    id: 'F24e',
    title: 'a gzip bomb of 300 MB',
    guard: 'without the cap on bytes after decompression memory grew by 765 MB',
    fault: { kind: 'gzip-bomb', bytes: 300_000_000 },
  },
]

const unreadable: readonly Fault[] = garbage.map(({ fault, ...named }) => ({
  ...named,
  bar: 'the answer is dropped and asked for again; memory grows by less than 64 MB',
  length: 'short',
  async run(stage) {
    const grown = memoryOf(stage, 'aggregator')
    const { waitedMs, isSamePlace } = await meetPolls(stage, fault, 1)
    await lasting(1_100) // a sample of memory is taken once a second
    const grownBytes = grown()
    missedIf(!isSamePlace, 'it was not asked for again: the next poll began elsewhere')
    missedIf(grownBytes > memoryBarBytes, `memory grew by ${megabytes(grownBytes)}`)
    return `asked again after ${seconds(waitedMs)}, memory +${megabytes(grownBytes)}`
  },
}))

const silences: readonly Named[] = [
  {
    id: 'F23a',
    title: 'Matrix takes the poll and never answers',
    guard: 'without a deadline over the whole exchange no other poll came in 60 s',
    fault: { kind: 'silent' },
  },
  { id: 'F23b', title: 'headers come, the body never', fault: { kind: 'stalled' } },
  { id: 'F23c', title: 'the body drips, a byte a second', fault: { kind: 'dripping', everyMs: 1_000 } },
]

const silent: readonly Fault[] = silences.map(({ fault, ...named }) => ({
  ...named,
  bar: 'marked within STALE_AFTER + 5 s, counts stay; the next request within 45 s',
  // One of a kind is enough for every day: the poll is given up by the same deadline.
  length: named.id === 'F23a' ? 'short' : 'long',
  async run(stage) {
    const from = polls(stage).length
    const heal = stage.homeserver.fault({ path: syncPath, fault })
    const markedMs = await untilMarked(stage, 11_000)
    const [hung] = polls(stage).slice(from)
    heal()
    const next = await until(() => polls(stage)[from + 1], { deadlineMs: 60_000, what: 'the next poll' })
    const waitedMs = next.atMs - (hung?.atMs ?? 0)
    lateIf(stage, waitedMs, 45_000, `asked again only after ${seconds(waitedMs)}`)
    return `marked after ${seconds(markedMs)}, asked again after ${seconds(waitedMs)}`
  },
}))

/** A homeserver that answers every poll with an error page: asked ever more slowly, and found again soon. */
const errorPages = (row: Omit<Fault, 'run'>, [lastsMs, requestsMax]: [number, number]): Fault => ({
  ...row,
  async run(stage) {
    const from = polls(stage).length
    const heal = stage.homeserver.fault({ path: syncPath, fault: { kind: 'html', status: 502 } })
    await lasting(lastsMs)
    const asked = polls(stage).length - from
    heal()
    missedIf(asked > requestsMax, `${asked} requests`)
    const tookMs = await untilFresh(stage, 30_000)
    return `${asked} requests; fresh ${seconds(tookMs)} after it was well`
  },
})

const longPoll: readonly Fault[] = [
  errorPages(
    {
      id: 'F22a',
      title: 'Matrix answers 502 with an HTML page for 20 s',
      bar: 'at most 9 requests in 20 s (25 in five minutes); true again within 30 s',
      guard: 'without the back-off 9,401 requests went in 20 s',
      length: 'short',
    },
    [20_000, 9],
  ),
  errorPages(
    {
      id: 'F22c',
      title: 'Matrix answers 502 for five minutes',
      bar: 'at most 25 requests; true again within 30 s',
      length: 'long',
    },
    [300_000, 25],
  ),
  {
    id: 'F25a',
    title: 'the since of the poll is refused',
    bar: 'an initial sync replaces everything within 5 s',
    guard: 'where a refused since is kept no initial sync followed',
    length: 'short',
    async run(stage) {
      const refusal = { kind: 'status', status: 400, body: { errcode: 'M_UNKNOWN', error: 'no such token' } } as const
      const from = polls(stage).length
      const { waitedMs } = await meetPolls(stage, refusal, 1)
      const next = polls(stage)
        .slice(from)
        .find(({ query }) => !query.has('since'))
      missedIf(next === undefined, 'no initial sync followed')
      lateIf(stage, waitedMs, 5_000, `only after ${seconds(waitedMs)}`)
      return `asked for everything after ${seconds(waitedMs)}`
    },
  },
  {
    id: 'F25b',
    title: 'the homeserver repeats the same next_batch at once for 5 s',
    bar: 'no hot loop: at most 10 requests',
    guard: 'without the back-off 549 requests went in 5 s',
    length: 'short',
    async run(stage) {
      stage.endLife()
      await stage.settle()
      const since = polls(stage).at(-1)?.query.get('since')
      const from = polls(stage).length
      const body = JSON.stringify({ next_batch: since })
      const heal = stage.homeserver.fault({ path: syncPath, fault: { kind: 'bytes', body } })
      await lasting(5_000)
      heal()
      const asked = polls(stage).length - from
      missedIf(asked > 10, `${asked} requests in 5 s`)
      return `${asked} requests in 5 s`
    },
  },
  {
    id: 'F25c',
    title: 'the homeserver restarts: polls break, typing is forgotten without a word',
    bar: 'true again within 5 s, nobody types for ever',
    guard: 'without the doubt about typing after a lost connection, somebody typed for ever',
    length: 'short',
    async run(stage) {
      await until(() => stage.witnesses.every((one) => [...one.rooms.values()].some((room) => room.typing_count > 0)), {
        deadlineMs: 30_000,
        what: 'somebody to be seen typing',
      })
      stage.endLife()
      stage.town.everybodyStopsTyping()
      stage.homeserver.restart()
      const tookMs = await stage.settle(30_000)
      lateIf(stage, tookMs, 5_000, `true only after ${seconds(tookMs)}`)
      return `true after ${seconds(tookMs)}`
    },
  },
]

const tokens: readonly Fault[] = [
  {
    id: 'F26a',
    title: 'the access token is refused, and another one comes by file',
    bar: 'at most one request a minute with the old one; true again within 5 s of the file',
    guard: 'without the minute that a refused token has to wait, 2,872 requests went with it',
    length: 'short',
    async run(stage) {
      const { homeserver, town } = stage
      const requests = await loseSession(stage, 'unknown')
      const asked = requests.filter(({ headers }) => headers.authorization !== undefined).length
      homeserver.setSession(town.daemon.userId, 'live')
      const { accessToken } = homeserver.account('presence_daemon')
      stage.writeMatrixToken(accessToken)
      const tookMs = await untilFresh(stage, 30_000)
      lateIf(stage, tookMs, 5_000, `fresh only ${seconds(tookMs)} after the file`)
      missedIf(asked > 3, `${asked} requests with a refused token`)
      return `${asked} requests met the refusal; fresh ${seconds(tookMs)} after the file changed`
    },
  },
]

const rooms: readonly Fault[] = [
  {
    id: 'F29g',
    title: 'the daemon is kicked out of a room',
    bar: 'the room is marked, never zero, and true again after it was joined again',
    length: 'short',
    guard: 'where a room that is lost keeps its last value unmarked, it was never marked',
    async run(stage) {
      const [slug = ''] = stage.town.slugs
      const [beganAtMs, from] = [stage.recorder.nowMs(), stage.recorder.history.length]
      const kickedAtMs = Date.now()
      stage.homeserver.script.kick('@mayor:test.local', stage.town.roomIdOf(slug), stage.town.daemon.userId)
      const joined = () =>
        stage.homeserver.requests.some(
          ({ path, atMs }) => /^\/(join|rooms\/[^/]+\/join)/.test(path) && atMs >= kickedAtMs,
        )
      await until(joined, { deadlineMs: 30_000, what: 'the daemon to join again' })
      const isMark = (entry: Stage['recorder']['history'][number]): boolean =>
        entry.kind === 'frame' &&
        entry.message.type === 'room.presence' &&
        entry.message.room_slug === slug &&
        entry.message.stale === true
      missedIf(!stage.recorder.history.slice(from).some(isMark), 'it was never marked')
      return `marked, and joined again after ${seconds(stage.recorder.nowMs() - beganAtMs)}`
    },
  },
  {
    id: 'F29h',
    title: 'a room is purged without a word, and the map names another one',
    bar: 'marked within 10 s, never zero; true in the new room within 10 s of the map',
    length: 'short',
    guard:
      'deaf to the lists of rooms joined, to refused lists of members and to refused joins, the room was not marked in 30 s',
    async run(stage) {
      const slug = stage.town.slugs.at(-1) ?? ''
      const old = stage.town.roomIdOf(slug)
      stage.town.rebuild(slug, () => stage.homeserver.script.purge(old))
      await until(() => stage.witnesses.every(({ rooms }) => rooms.get(slug)?.stale === true), {
        deadlineMs: 30_000,
        what: `${slug} to be marked`,
      })
      stage.cityService.rooms = stage.town.directory()
      const tookMs = await stage.settle(30_000)
      return `true in the new room after ${seconds(tookMs)}`
    },
  },
]

export const matrixFaults: readonly Fault[] = [
  ...limited,
  ...unreadable,
  ...silent,
  ...longPoll,
  ...tokens,
  ...rooms,
].map((fault) => ({ ...fault, breaksPolls: true }))
