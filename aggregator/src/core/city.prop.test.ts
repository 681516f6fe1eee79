// The city against its dumb twin: whatever happens, in whatever order, both show the same.
import { roomPresence } from '@citypresence/wire/room-presence'
import type { UserPresence } from '@citypresence/wire/user-presence'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { CityTwin, type TwinView } from '../testing/city-twin.ts'
import { at, cityOptions, come, daemonUserId, follow, go, is, lose, type, user, write } from '../testing/cities.ts'
import * as c from './city.ts'
import type { Fact } from './sync-facts.ts'

// 24 people, so that the rule of twenty is met, in four rooms, so that they meet often.
const peopleMax = 24
const everybody = Array.from({ length: peopleMax }, (_, index) => user(index))
const anyRoom = fc.constantFrom('!a', '!b', '!c', '!d')
const anyUser = fc.oneof(
  { weight: 8, arbitrary: fc.nat({ max: 5 }).map(user) },
  { weight: 4, arbitrary: fc.nat({ max: peopleMax - 1 }).map(user) },
  { weight: 1, arbitrary: fc.constantFrom(daemonUserId, '@far:else.where') },
)
const anyWord = fc.constantFrom('online', 'unavailable', 'busy', 'offline', 'offline')
// Around the moment of receipt: long ago, a while ago, the future.
const anyOriginTs = fc.option(
  fc.integer({ min: -500, max: 100 }).map((seconds) => at(seconds * 1000).wallMs),
  { nil: undefined },
)

const oneFact: fc.Arbitrary<Fact[]> = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(anyRoom, anyUser, anyOriginTs).map(([room, id, ts]) => [come(room, id, ts)]) },
  { weight: 3, arbitrary: fc.tuple(anyRoom, anyUser).map(([room, id]) => [go(room, id)]) },
  { weight: 6, arbitrary: fc.tuple(anyUser, anyWord).map(([id, word]) => [is(id, word)]) },
  { weight: 3, arbitrary: anyRoom.map((room) => [follow(room)]) },
  { weight: 1, arbitrary: anyRoom.map((room) => [lose(room)]) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(anyRoom, fc.array(anyUser, { maxLength: 3 }))
      .map(([room, ids]) => [type(room, ...new Set(ids))]),
  },
  { weight: 2, arbitrary: fc.tuple(anyRoom, anyOriginTs).map(([room, ts]) => [write(room, ts)]) },
)
// The whole crowd at once: what makes the rule of 90 % bite.
const crowdFact: fc.Arbitrary<Fact[]> = fc.oneof(
  anyRoom.map((room) => [follow(room), ...everybody.map((id) => come(room, id))]),
  anyWord.map((word) => everybody.map((id) => is(id, word))),
)
const anyFacts = fc
  .array(fc.oneof({ weight: 10, arbitrary: oneFact }, { weight: 1, arbitrary: crowdFact }), {
    maxLength: 12,
    size: 'max',
  })
  .map((lists) => lists.flat())

const anyMap = fc
  .uniqueArray(fc.tuple(fc.constantFrom('p', 'q', 'r'), anyRoom), {
    selector: ([slug]) => slug,
    minLength: 1,
    maxLength: 3,
    size: 'max',
  })
  .map((pairs) => pairs.map(([slug, roomId]) => ({ slug, roomId, alias: null })))

type Step =
  | { kind: 'respond' | 'replace'; facts: Fact[]; sliceSize: number }
  | { kind: 'audit'; roomId: string; userIds: string[] }
  | { kind: 'map'; map: c.MappedRoom[] }
  | { kind: 'probe'; works: boolean }
  | { kind: 'clear' | 'advance' }
type Timed = { step: Step; waitMs: number }

const anySlice = fc.constantFrom(1, 3, 100)
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('respond' as const), facts: anyFacts, sliceSize: anySlice }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('replace' as const), facts: anyFacts, sliceSize: anySlice }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('audit' as const), roomId: anyRoom, userIds: fc.uniqueArray(anyUser) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('map' as const), map: anyMap }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('probe' as const), works: fc.constantFrom(true, true, true, false) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('clear' as const, 'advance' as const) }) },
)
const anySteps = fc.array(
  fc.record({ step: anyStep, waitMs: fc.constantFrom(1, 100, 5_000, 20_000, 131_000, 300_000) }),
  // Long stories: what goes wrong late needs a past.
  { maxLength: 25, size: 'max' },
)
const anyOptions = fc.record({ offlineGraceMs: fc.constantFrom(0, 0, 20_000), remoteUsers: fc.boolean() })

const slicesOf = <T>(items: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, index) => items.slice(index * size, (index + 1) * size))

function perform(city: c.City, step: Step, ms: number): void {
  const moment = at(ms)
  if (step.kind === 'respond') {
    for (const slice of slicesOf(step.facts, step.sliceSize)) c.learn(city, slice, moment)
    c.syncSucceeded(city, moment)
  } else if (step.kind === 'replace') {
    const replacement = c.startReplacement(city)
    for (const slice of slicesOf(step.facts, step.sliceSize)) c.learnInto(replacement, slice, moment)
    c.finishReplacement(city, replacement, moment)
  } else if (step.kind === 'audit') c.confirmMembers(city, step.roomId, step.userIds, moment)
  else if (step.kind === 'map') c.mapRooms(city, step.map, moment)
  else if (step.kind === 'probe') c.presenceProbed(city, step.works, moment)
  else if (step.kind === 'clear') c.clearTyping(city, moment)
  else c.advance(city, moment)
}

function performOnTwin(twin: CityTwin, step: Step, ms: number): void {
  const moment = at(ms)
  if (step.kind === 'respond') twin.respond(step.facts, moment)
  else if (step.kind === 'replace') twin.replace(step.facts, moment)
  else if (step.kind === 'audit') twin.audit(step.roomId, step.userIds, moment)
  else if (step.kind === 'map') twin.map(step.map, moment)
  else if (step.kind === 'probe') twin.probe(step.works, moment)
  else if (step.kind === 'clear') twin.clearTyping(moment)
  else twin.advance(moment)
}

const slugs = ['p', 'q', 'r']

/** What the city says about a slug, in the twin's words. */
function viewIn(city: c.City, slug: string): TwinView | 'unobserved' | 'removed' {
  const value = c.valueOf(city, slug)
  if (value.kind !== 'known') return value.kind
  const { presence } = value
  expect(roomPresence.decode(presence)).toEqual({ ok: true, value: presence })
  return {
    online: presence.online_count,
    typing: [...presence.typing_users],
    active: presence.active ?? false,
    lastTs: presence.last_activity_ts ?? 0,
    roomId: presence.matrix_room_id,
    stale: presence.stale ?? false,
  }
}

const viewsIn = (city: c.City) => slugs.map((slug) => viewIn(city, slug))
/** What a reader compares. */
const shownOf = (view: TwinView | string): unknown => (typeof view === 'string' ? view : { ...view, lastTs: 0 })

/** A city that is mapped and followed, so that a story need not begin with nothing (the first steps may undo it). */
const opening: Timed[] = [
  {
    step: { kind: 'map', map: slugs.map((slug, index) => ({ slug, roomId: `!${'abc'[index] ?? ''}`, alias: null })) },
    waitMs: 0,
  },
  { step: { kind: 'respond', facts: ['!a', '!b', '!c'].map(follow), sliceSize: 100 }, waitMs: 1 },
]

/** Runs a story on both; `check` sees the city after each step, with the slugs that it says changed. */
function tellStory(
  options: c.CityOptions,
  steps: readonly Timed[],
  check: (city: c.City, twin: CityTwin, changed: ReadonlySet<string>, step: Step, ms: number) => void,
): c.City {
  const city = c.createCity(options)
  const twin = new CityTwin(options)
  let ms = 0
  for (const { step, waitMs } of [...opening, ...steps]) {
    ms += waitMs
    // What time alone changes comes first, so that a step changes each value at most once.
    for (const next of [{ kind: 'advance' as const }, step]) {
      perform(city, next, ms)
      performOnTwin(twin, next, ms)
      check(city, twin, c.takeChanged(city), next, ms)
    }
  }
  return city
}

const withOptions = (more: Partial<c.CityOptions>): c.CityOptions => ({ ...cityOptions, ...more })

it('[P2] after any story the city shows what the twin recounts', () => {
  fc.assert(
    fc.property(anyOptions, anySteps, (more, steps) => {
      tellStory(withOptions(more), steps, (city, twin) => {
        expect(viewsIn(city)).toEqual(slugs.map((slug) => twin.valueOf(slug)))
        expect([...c.mappedSlugs(city)].sort()).toEqual([...twin.slugs.keys()].sort())
        expect(c.isPresenceHeld(city)).toBe(twin.held)
      })
    }),
    { numRuns: 1500 },
  )
})

it('[P2] what changed is what is told as changed, stamped with the moment of the change', () => {
  fc.assert(
    fc.property(anyOptions, anySteps, (more, steps) => {
      let before: unknown[] = slugs.map(() => 'removed')
      let stamps: (number | undefined)[] = []
      tellStory(withOptions(more), steps, (city, _twin, changed, step, ms) => {
        const after = viewsIn(city).map(shownOf)
        const stampsAfter = slugs.map((slug) => stampIn(city, slug))
        for (const [index, slug] of slugs.entries()) {
          const differs = JSON.stringify(before[index]) !== JSON.stringify(after[index])
          if (differs) expect(changed.has(slug)).toBe(true)
          if (differs) expect(stampsAfter[index] ?? at(ms).wallMs).toBe(at(ms).wallMs)
          else if (step.kind !== 'map') expect(stampsAfter[index]).toBe(stamps[index])
        }
        before = after
        stamps = stampsAfter
      })
    }),
    { numRuns: 500 },
  )
})

const stampIn = (city: c.City, slug: string): number | undefined => {
  const value = c.valueOf(city, slug)
  return value.kind === 'known' ? value.presence.last_event_ts : undefined
}

it('[P16] a response that is learned twice changes nothing the second time', () => {
  fc.assert(
    fc.property(anyOptions, anySteps, anyFacts, (more, steps, unordered) => {
      const city = tellStory(withOptions({ ...more, userEvents: true }), steps, () => undefined)
      const facts = inOrder(unordered.filter((fact) => !isPassingBy(fact, unordered)))
      const ms = 10_000_000
      perform(city, { kind: 'respond', facts, sliceSize: 100 }, ms)
      c.takeChanged(city)
      c.takeChangedUsers(city, Infinity)
      const [views, dueMs] = [viewsIn(city), c.nextDueAtMs(city)]
      perform(city, { kind: 'respond', facts, sliceSize: 3 }, ms)
      expect(c.takeChanged(city)).toEqual(new Set())
      expect([viewsIn(city), c.nextDueAtMs(city)]).toEqual([views, dueMs])
    }),
    { numRuns: 500 },
  )
})

/** Who changes a name and leaves in one response has come in when it is learned again: the one thing that is not the same. */
const isPassingBy = (fact: Fact, facts: readonly Fact[]): boolean =>
  fact.kind === 'left' &&
  facts.some((other) => other.kind === 'joined' && other.roomId === fact.roomId && other.userId === fact.userId)

/** As factsOf gives them: a room is there before its people, membership before life, presence last. */
const inOrder = (facts: readonly Fact[]): Fact[] => facts.toSorted((a, b) => rankOf(a) - rankOf(b))
const kindsInOrder = [['self-joined'], ['joined', 'left'], ['self-left'], ['typing', 'activity'], ['presence']]
const rankOf = ({ kind }: Fact): number => kindsInOrder.findIndex((kinds) => kinds.includes(kind))

it('[P16] the order of facts about different people does not matter', () => {
  const byPerson = fc.array(fc.tuple(anyRoom, fc.nat({ max: peopleMax - 1 }), anyWord, fc.boolean()), { maxLength: 30 })
  fc.assert(
    fc.property(anySteps, byPerson, fc.array(fc.nat(), { minLength: 1 }), (steps, choices, numbers) => {
      const facts = choices.flatMap(([room, id, word, comes]): Fact[] => [
        comes ? come(room, user(id)) : go(room, user(id)),
        is(user(id), word),
      ])
      const shuffled = mergeShuffled(facts, numbers)
      const views = [facts, shuffled].map((order) => {
        const city = tellStory(cityOptions, steps, () => undefined)
        perform(city, { kind: 'respond', facts: order, sliceSize: 100 }, 10_000_000)
        return viewsIn(city)
      })
      expect(views[1]).toEqual(views[0])
    }),
    { numRuns: 300 },
  )
})

/** The facts of each person in their order, the people mixed. */
function mergeShuffled(facts: readonly Fact[], numbers: readonly number[]): Fact[] {
  const queues = [...Map.groupBy(facts, (fact) => ('userId' in fact ? fact.userId : '')).values()]
  const mixed: Fact[] = []
  while (queues.some(({ length }) => length > 0)) {
    const open = queues.filter(({ length }) => length > 0)
    const fact = open[(numbers[mixed.length % numbers.length] ?? 0) % open.length]?.shift()
    if (fact !== undefined) mixed.push(fact)
  }
  return mixed
}

it('[P15] a world that hears of single users knows exactly those who share a room, as they are shown', () => {
  fc.assert(
    fc.property(anyOptions, anySteps, (more, steps) => {
      const options = withOptions({ ...more, userEvents: true })
      const world = new Map<string, UserPresence>()
      tellStory(options, steps, (city, twin, _changed, { kind }) => {
        // Not after every step, so that what was not taken yet has to survive the next ones, an initial sync too.
        if (kind !== 'probe' && kind !== 'map' && kind !== 'clear') return
        for (const [userId, value] of c.takeChangedUsers(city, Infinity))
          if (value === 'erased') expect(world.delete(userId)).toBe(true)
          else world.set(userId, value)
        const people = [...twin.world.people].filter(
          ([userId]) => options.remoteUsers || userId.endsWith(':test.local'),
        )
        for (const [userId, { shown }] of people)
          expect(world.get(userId)?.status ?? 'offline').toBe(shown === 'busy' ? 'online' : shown)
        const shared = new Set(people.map(([userId]) => userId))
        expect([...world.keys()].filter((userId) => !shared.has(userId))).toEqual([])
        c.changeAllUsers(city)
        expect(new Map(c.takeChangedUsers(city, Infinity))).toEqual(world)
      })
    }),
    { numRuns: 500 },
  )
})

it('[P6] before the next due time nothing changes by time alone', () => {
  fc.assert(
    fc.property(anyOptions, anySteps, fc.integer({ min: 1, max: 400_000 }), (more, steps, waitMs) => {
      const city = tellStory(withOptions(more), steps, () => undefined)
      const nowMs = [...opening, ...steps].reduce((sum, step) => sum + step.waitMs, 0)
      const dueMs = c.nextDueAtMs(city) ?? Infinity
      const source = c.sourceOf(city, at(nowMs)).source
      c.advance(city, at(Math.max(nowMs, Math.min(nowMs + waitMs, dueMs - 1))))
      expect(c.takeChanged(city)).toEqual(new Set())
      expect(c.sourceOf(city, at(Math.max(nowMs, Math.min(nowMs + waitMs, dueMs - 1)))).source).toBe(source)
      for (let turn = 0; (c.nextDueAtMs(city) ?? Infinity) < Infinity; turn++) {
        c.advance(city, at(c.nextDueAtMs(city) ?? 0))
        // Each end of typing, of activity, of a grace and of the source's trust comes once.
        expect(turn).toBeLessThan(4 * 3 + peopleMax + 3)
      }
    }),
    { numRuns: 500 },
  )
})

it('[P4] when everybody has left, nothing is kept but the map', () => {
  fc.assert(
    fc.property(anyOptions, anySteps, (more, steps) => {
      const city = tellStory(withOptions({ ...more, userEvents: true }), steps, () => undefined)
      perform(city, { kind: 'respond', facts: ['!a', '!b', '!c', '!d'].map(lose), sliceSize: 100 }, 10_000_000)
      c.takeChangedUsers(city, Infinity)
      const { state, lives, touched } = city.observation
      expect([state.users.indexOf.size, state.rooms.indexOf.size, lives.size, touched.size]).toEqual([0, 0, 0, 0])
      expect([state.leaving.size, state.shownCount, state.orphans.length, state.unsettled.list.length]).toEqual([
        0, 0, 0, 0,
      ])
      expect(state.users.free.length).toBe(state.users.names.length)
      expect(city.rooms.awaiting.size).toBe(0)
      expect(city.rooms.records.size).toBeLessThanOrEqual(city.rooms.slugs.size)
    }),
    { numRuns: 300 },
  )
})
