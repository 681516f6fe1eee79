// What the answers of a homeserver can hold in longer stories: too much, disorder, gaps, a past that comes back; and the audit of
// members beside all of it, whose drift stays 0.
import { until } from '@citypresence/stack/until'
import type { Fault } from '../fault.ts'
import type { Stage } from '../stage.ts'
import { lasting, lateIf, metricOf, missedIf, seconds, untilFresh, untilMarked, untilTrue } from './bars.ts'

const syncPath = /^\/sync/
const polls = (stage: Stage) => stage.homeserver.requests.filter(({ path }) => path.startsWith('/sync'))
const initials = (stage: Stage) => polls(stage).filter(({ query }) => !query.has('since'))
const driftOf = (stage: Stage): Promise<number> => metricOf(stage.aggregator.now, /membership_drift_total/)

/** The same row, which also misses when an audit found the members of a room to be others than was thought. */
export const withoutDrift = (fault: Fault): Fault => ({
  ...fault,
  async run(stage) {
    const process = stage.aggregator.now.pid
    const before = await driftOf(stage)
    const figure = await fault.run(stage)
    // Another process counts from zero.
    const drift = (await driftOf(stage)) - (stage.aggregator.now.pid === process ? before : 0)
    missedIf(drift > 0 && !driftsOf.has(fault.id), `audits found ${drift} members wrong`)
    return figure
  },
})

/** Where a change is lost for good until an audit finds it. */
const driftsOf = new Set(['F25f'])

const answers: readonly Fault[] = [
  {
    id: 'F24f',
    title: 'the first sync of a new aggregator is 100 MB',
    bar: 'asked again without the members; each room counts when its own list came, all within 15 s; nothing untrue is shown',
    length: 'short',
    guard:
      'without the lazy first sync the same one was asked for again, with all members; without what is remembered of who left ' +
      'the only room that named them, they were counted nowhere, without a mark',
    async run(stage) {
      const { homeserver, aggregator, town } = stage
      // Who is heard of once and never again has to count, and a living town would tell of them anew.
      stage.endLife()
      await aggregator.away()
      leaveOneBehind(stage)
      const from = homeserver.requests.length
      homeserver.fault({ path: syncPath, times: 1, fault: { kind: 'huge', bytes: 100_000_000 } })
      const beganAtMs = stage.recorder.nowMs()
      await aggregator.back()
      const since = () => homeserver.requests.slice(from)
      const lists = () => new Set(since().flatMap(({ path }) => (path.endsWith('/joined_members') ? [path] : [])))
      await until(() => lists().size >= town.slugs.length, { deadlineMs: 30_000, what: 'the list of each room' })
      const listedMs = stage.recorder.nowMs() - beganAtMs
      const filters = since().flatMap(({ path, query }) =>
        path === '/sync' && !query.has('since') ? [query.get('filter')] : [],
      )
      missedIf(filters.length !== 2 || filters[0] === filters[1], `initial syncs with the filters ${filters.join()}`)
      await untilFresh(stage, 30_000)
      await untilTrue(stage, 10_000)
      lateIf(stage, listedMs, 15_000, `listed only after ${seconds(listedMs)}`)
      return `two first syncs, all rooms listed ${seconds(listedMs)} after the start`
    },
  },
  {
    id: 'F25d',
    title: 'a leave is buried under 600 messages between two polls',
    bar: 'the answer is limited, and true within 5 s',
    length: 'short',
    guard:
      'without the leaves that stand in the state beside a cut timeline it was true only after 10.1 s, by an audit',
    async run(stage) {
      stage.endLife()
      await stage.settle()
      const { homeserver, town } = stage
      const [slug = ''] = town.slugs
      const roomId = town.roomIdOf(slug)
      const mayor = '@mayor:test.local'
      await until(() => homeserver.waitingPolls() > 0, { deadlineMs: 10_000, what: 'a poll', everyMs: 1 })
      // Answers the poll that waits; all else happens before the next one can come.
      homeserver.script.send(mayor, roomId)
      for (const person of town.people) town.online(person)
      const before = town.truth().get(slug)?.members ?? 0
      town.leave(memberOf(stage, slug), slug)
      for (let message = 0; message < 600; message++) homeserver.script.send(mayor, roomId)
      missedIf(town.truth().get(slug)?.members !== before - 1, 'nobody left')
      const tookMs = await untilTrue(stage, 20_000)
      lateIf(stage, tookMs, 5_000, `true only after ${seconds(tookMs)}`)
      return `true after ${seconds(tookMs)}`
    },
  },
  {
    id: 'F25e',
    title: 'for 5 s every event comes twice, and rooms and presence in reverse order',
    bar: 'nothing untrue is shown',
    length: 'short',
    guard: 'where somebody who left already leaves once more, browsers still showed 5 for 4 a minute later',
    async run(stage) {
      const from = polls(stage).length
      const heal = stage.homeserver.fault({ path: syncPath, fault: { kind: 'rewritten', rewrite: twiceAndBackwards } })
      await lasting(5_000)
      heal()
      return `${polls(stage).length - from} answers in disorder`
    },
  },
  {
    id: 'F25f',
    title: 'an answer leaves out a room in which somebody left',
    bar: 'an audit of the members finds it within 20 s, and the drift is told',
    length: 'short',
    guard: 'without the audit of members browsers were still wrong after 40 s',
    blindMs: 25_000,
    async run(stage) {
      stage.endLife()
      await stage.settle()
      const { homeserver, town } = stage
      const [slug = ''] = town.slugs
      const person = memberOf(stage, slug)
      town.online(person)
      await untilTrue(stage, 10_000)
      const drift = await driftOf(stage)
      await until(() => homeserver.waitingPolls() > 0, { deadlineMs: 10_000, what: 'a poll', everyMs: 1 })
      // Life is over, so the poll that waits is the one that the leave answers.
      let met = false
      const heal = homeserver.fault({
        path: syncPath,
        fault: { kind: 'rewritten', rewrite: (body) => ((met = met || hasRooms(body)), withoutRooms(body)) },
      })
      // The rule counts from the next request on: a change of presence ends the poll that waits.
      homeserver.script.presence(person, 'unavailable')
      await until(() => polls(stage).at(-1)?.fault === 'rewritten', { deadlineMs: 10_000, what: 'the rule to count' })
      town.leave(person, slug)
      await until(() => met, { deadlineMs: 10_000, what: 'the answer without the room' })
      heal()
      const tookMs = await untilTrue(stage, 40_000)
      const found = (await driftOf(stage)) - drift
      missedIf(found !== 1, `the drift is ${found}`)
      lateIf(stage, tookMs, 20_000, `found only after ${seconds(tookMs)}`)
      return `found after ${seconds(tookMs)}, drift ${found}`
    },
  },
  {
    id: 'F25g',
    title: 'the aggregator is killed twice within the two minutes for which the homeserver keeps its answers',
    bar: 'no first sync is answered from memory: true within 15 s of each kill',
    length: 'long',
    guard: 'without another request each time both first syncs were the same, and the second was answered from memory',
    async run(stage) {
      let longestMs = 0
      const from = initials(stage).length
      for (let time = 0; time < 2; time++) {
        await stage.aggregator.kill()
        stage.town.stir()
        const beganAtMs = stage.recorder.nowMs()
        await untilMarked(stage, 10_000)
        await untilFresh(stage, 30_000)
        longestMs = Math.max(longestMs, stage.recorder.nowMs() - beganAtMs)
      }
      const asked = initials(stage).slice(from)
      const different = new Set(asked.map(({ query }) => query.get('timeout'))).size
      missedIf(different !== asked.length, `${asked.length} first syncs, ${different} of them different`)
      lateIf(stage, longestMs, 15_000, `fresh only after ${seconds(longestMs)}`)
      return `${asked.length} first syncs, all different; fresh after at most ${seconds(longestMs)}`
    },
  },
  {
    id: 'F25h',
    title: 'the homeserver answers from a place that was left, as after a restored backup',
    bar: 'its answer is not believed; an initial sync within 5 s',
    length: 'short',
    guard: 'without a look at where the answer leads no initial sync came in 20 s',
    async run(stage) {
      const former = polls(stage).at(-3)?.query.get('since')
      const from = initials(stage).length
      const beganAtMs = stage.recorder.nowMs()
      stage.homeserver.fault({
        path: syncPath,
        times: 1,
        fault: { kind: 'rewritten', rewrite: (body) => ({ ...(body as object), next_batch: former, rooms: {} }) },
      })
      await until(() => initials(stage).length > from, { deadlineMs: 20_000, what: 'an initial sync', everyMs: 5 })
      const tookMs = stage.recorder.nowMs() - beganAtMs
      lateIf(stage, tookMs, 5_000, `only after ${seconds(tookMs)}`)
      return `asked for everything after ${seconds(tookMs)}`
    },
  },
]

type Json = Record<string, unknown>
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)
const reversed = (value: unknown): Json => Object.fromEntries(Object.entries((value ?? {}) as Json).reverse())
const hasRooms = (body: unknown): boolean => isObject(body) && body['rooms'] !== undefined
const withoutRooms = (body: unknown): unknown => (isObject(body) ? { ...body, rooms: {} } : body)

/** Events of a room keep their order, because it has a meaning; each stands twice in a row. */
function doubled(value: unknown): unknown {
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      key === 'events' && Array.isArray(inner) ? inner.flatMap((event: unknown) => [event, event]) : doubled(inner),
    ]),
  )
}

function twiceAndBackwards(body: unknown): unknown {
  if (!isObject(body)) return body
  const twice = doubled(body) as Json
  const presence = isObject(twice['presence']) ? (twice['presence']['events'] as unknown[]) : undefined
  const rooms = isObject(twice['rooms']) ? twice['rooms'] : undefined
  return {
    ...(presence !== undefined && { presence: { events: [...presence].reverse() } }),
    ...(rooms !== undefined && { rooms: { ...rooms, join: reversed(rooms['join']) } }),
    next_batch: body['next_batch'],
  }
}

/** Somebody is named by the answer as one who left, and by none of the other rooms, of which they are in at least one. */
function leaveOneBehind({ town, homeserver }: Stage): void {
  for (const slug of town.slugs)
    for (let message = 0; message < 6; message++) homeserver.script.send('@mayor:test.local', town.roomIdOf(slug))
  const [slug = '', ...others] = town.slugs
  // A room without a name names those who came first.
  const person = town.membersOf(slug).findLast((one) => others.some((other) => town.membersOf(other).includes(one)))
  if (person === undefined) throw new Error(`everybody in ${slug} is in no other room`)
  town.online(person)
  town.leave(person, slug)
}

/** Somebody who is in the room, as the homeserver has it. */
function memberOf(stage: Stage, slug: string): string {
  const found = stage.town.membersOf(slug)[0]
  if (found === undefined) throw new Error(`nobody is in ${slug}`)
  return found
}

const drift: readonly Fault[] = [
  {
    id: 'F25z',
    title: 'after all of that the members of every room are audited',
    bar: 'membership_drift_total stays 0',
    length: 'long',
    async run(stage) {
      await stage.settle()
      const from = stage.homeserver.requests.length
      const audited = () =>
        new Set(
          stage.homeserver.requests.slice(from).flatMap(({ path }) => (path.endsWith('/joined_members') ? [path] : [])),
        ).size
      const drifted = await driftOf(stage)
      stage.beginLife()
      const { length } = stage.town.slugs
      await until(() => audited() >= length, { deadlineMs: 60_000, what: `${length} audits` })
      // The last list waits for a response that was asked for after it.
      await lasting(3_000)
      const found = (await driftOf(stage)) - drifted
      missedIf(found > 0, `audits found ${found} members wrong`)
      return `${length} rooms audited while life went on, drift 0`
    },
  },
]

export const matrixStoryFaults: readonly Fault[] = answers
/** To be played last. */
export const driftFaults: readonly Fault[] = drift
