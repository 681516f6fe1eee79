// The loop between Matrix and the voices, on a clock that the test turns: what is said when, and what a response half learned may
// not do.
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createFakeClock, type FakeClock } from '@citypresence/chassis/testing/fake-clock'
import { aggregate, viewOfCity, type AuditEnd, type Known, type RoomFinding } from './aggregate.ts'
import {
  createCity,
  isBlind,
  isPresenceHeld,
  mappedSlugs,
  sourceOf,
  valueOf,
  type City,
  type MappedRoom,
} from './core/city.ts'
import type { SourceVerdict } from './core/source-health.ts'
import type { Fact } from './core/sync-facts.ts'
import { createChannel } from './edge/channel.ts'
import { at, cityOptions, come, follow, go, is, lose, onlineOf, presenceIn, type, user } from './testing/cities.ts'

type Batch = {
  readonly initial?: boolean
  readonly lazy?: boolean
  readonly typingSuspect?: boolean
  /** So long before it came. */
  readonly askedMsAgo?: number
  /** So much later than its poll may be held. */
  readonly lateMs?: number
  readonly slices: (readonly Fact[])[]
}
type Slices = { next(): Promise<void> }

let clock: FakeClock
let city: City
let known: Known
let ended: Promise<void>
let ending: AbortController
let maps: ReturnType<typeof createChannel<readonly MappedRoom[]>>
let findings: ReturnType<typeof createChannel<RoomFinding>>
let batches: ReturnType<typeof createChannel<Batch>>
/** What was offered to the voices, and what the rooms were told. */
let offered: string[][]
let heeded: string[]
let ticks: number
let probes: (boolean | undefined)[]
let verdict: SourceVerdict | undefined
/** Whether Matrix may be followed; asked of a standby only. */
let mayFollow: boolean
/** What became of audits. */
let audits: AuditEnd[]
/** Holds a batch before its second slice. */
let gate: Slices | undefined

function begin(): void {
  clock = createFakeClock()
  city = createCity(cityOptions)
  known = { synced: false, mapped: false, sightings: 0, learning: false }
  ending = new AbortController()
  ;[maps, findings, batches] = [createChannel(10), createChannel(10), createChannel(10)]
  ;[offered, heeded, ticks, probes, audits, gate] = [[], [], 0, [], [], undefined]
  ended = aggregate({
    city,
    known,
    source: { batches: (signal) => batchesFrom(signal), startOver: () => heeded.push('start over') },
    rooms: {
      updates: (signal) => maps.values(signal),
      findings: (signal) => findings.values(signal),
      tombstone: (roomId, replacement, viaServer) => heeded.push(`${roomId} -> ${replacement} via ${viaServer}`),
      refreshSoon: () => heeded.push('refresh'),
      sightings: () => 1,
      wantMembers: (roomIds) => heeded.push(...Array.from(roomIds, (roomId) => `list ${roomId}`)),
    },
    speech: { changed: (slugs: Iterable<string>) => void offered.push([...slugs]) } as never,
    voices: [{ tick: () => (ticks += 1) } as never],
    probePresence: () => Promise.resolve(probes.shift()),
    clock,
    judged: (one) => (verdict = one),
    mayFollow: () => mayFollow,
    signal: ending.signal,
    drift: (added, removed) => heeded.push(`drift +${added} -${removed}`),
    audited: (end) => audits.push(end),
  })
}
beforeEach(() => {
  mayFollow = true
  begin()
})
afterEach(async () => {
  ending.abort()
  await clock.advance(100)
  await ended
})

async function* batchesFrom(signal: AbortSignal) {
  for await (const batch of batches.values(signal)) {
    const { initial = false, lazy = false, typingSuspect = false, askedMsAgo = 0, lateMs = 0, slices } = batch
    const moment = { wallMs: clock.wallMs(), monotonicMs: clock.monotonicMs() }
    yield {
      ...{
        initial,
        lazy,
        typingSuspect,
        requestedAt: { ...moment, monotonicMs: moment.monotonicMs - askedMsAgo },
        asOf: { wallMs: moment.wallMs - lateMs, monotonicMs: moment.monotonicMs - lateMs },
        receivedAt: moment,
        traceparent: undefined,
        run: <T>(work: () => T): T => work(),
      },
      slices: slicesOf(slices),
    }
  }
}

async function* slicesOf(slices: readonly (readonly Fact[])[]) {
  for (const [index, slice] of slices.entries()) {
    if (index === 1) await gate?.next()
    yield slice
  }
}

async function hear(...given: Batch[]): Promise<void> {
  for (const batch of given) batches.push(batch)
  await clock.advance(1)
}

/** One room, `!r` as `r`, with so many people online. */
async function open(people = 2): Promise<void> {
  maps.push([{ slug: 'r', roomId: '!r', alias: null }])
  const users = Array.from({ length: people }, (_, index) => user(index))
  const facts = [follow('!r'), ...users.map((one) => come('!r', one)), ...users.map((one) => is(one, 'online'))]
  await hear({ initial: true, slices: [facts] })
  offered.length = 0
}

it('[L39] one that may not follow Matrix yet lets the voices go on and learns nothing; from the moment it may, everything', async () => {
  ending.abort()
  mayFollow = false
  begin()
  maps.push([{ slug: 'r', roomId: '!r', alias: null }])
  await hear({ initial: true, slices: [[follow('!r'), come('!r', user(0)), is(user(0), 'online')]] })
  await clock.advance(1_000)
  expect([known.synced, known.mapped, ticks]).toEqual([false, false, 20])
  mayFollow = true
  await clock.advance(100)
  expect([known.synced, known.mapped, onlineOf(city, 'r')]).toEqual([true, true, 1])
})

it('[L39] who loses its claim asks nothing of Matrix any more, and knows nothing by itself; at its next turn it begins anew', async () => {
  await open()
  mayFollow = false
  await clock.advance(100)
  expect([known.synced, known.mapped, heeded]).toEqual([false, true, ['start over']])
  await hear({ slices: [[is(user(0), 'offline')]] })
  maps.push([{ slug: 'other', roomId: '!r', alias: null }])
  findings.push({ kind: 'lost', roomId: '!r' })
  await clock.advance(1_000)
  expect([onlineOf(city, 'r'), offered]).toEqual([2, []])
  mayFollow = true
  await clock.advance(100)
  expect(known.synced).toBe(true)
  expect(valueOf(city, 'r').kind).toBe('removed')
})

it('[L34] a first map and a first sync make the city known, and what changed is offered once', async () => {
  expect(known).toMatchObject({ synced: false, mapped: false, learning: false })
  await open()
  expect(known).toMatchObject({ synced: true, mapped: true, learning: false })
  expect(onlineOf(city, 'r')).toBe(2)
  await hear({ slices: [[is(user(0), 'offline')]] }, { slices: [[is(user(0), 'offline')]] })
  expect(offered).toEqual([['r']])
})

it('[L34] between two slices nothing is offered, and the voices go on', async () => {
  await open()
  const { promise, resolve } = Promise.withResolvers<undefined>()
  gate = { next: () => promise.then(() => undefined) }
  await hear({ slices: [[is(user(0), 'offline')], [is(user(1), 'offline')]] })
  const before = ticks
  // Neither a new map nor a finding may end the response that is being learned.
  maps.push([{ slug: 'r', roomId: '!r', alias: '#r:test.local' }])
  findings.push({ kind: 'lost', roomId: '!other' })
  await clock.advance(500)
  expect([known.learning, offered, onlineOf(city, 'r')]).toEqual([true, [], 2])
  expect(ticks - before).toBeGreaterThanOrEqual(9)
  resolve(undefined)
  await clock.advance(1)
  expect([known.learning, offered, onlineOf(city, 'r')]).toEqual([false, [['r']], 0])
})

it('[L34] [P8] a room that is found to be lost while a response is learned is lost when it is whole', async () => {
  await open()
  const { promise, resolve } = Promise.withResolvers<undefined>()
  gate = { next: () => promise.then(() => undefined) }
  await hear({ initial: true, slices: [[follow('!r')], [come('!r', user(0)), is(user(0), 'online')]] })
  findings.push({ kind: 'lost', roomId: '!r' })
  await clock.advance(1)
  expect(presenceIn(city, 'r').stale).toBeUndefined()
  resolve(undefined)
  await clock.advance(1)
  expect(presenceIn(city, 'r')).toMatchObject({ online_count: 1, stale: true })
  expect(offered.flat()).toContain('r')
})

it('[L34] after a lost connection nobody types, until the answer says who does', async () => {
  await open()
  await hear({ slices: [[type('!r', user(0))]] })
  expect(presenceIn(city, 'r').typing_count).toBe(1)
  await hear({ slices: [[]] })
  expect(presenceIn(city, 'r').typing_count).toBe(1)
  await hear({ typingSuspect: true, slices: [[]] })
  expect(presenceIn(city, 'r').typing_count).toBe(0)
  await hear({ typingSuspect: true, slices: [[type('!r', user(1))]] })
  expect(presenceIn(city, 'r').typing_users).toEqual([user(1)])
})

it('[L34] upgrades, aliases and lost rooms reach the map, from initial and later answers alike', async () => {
  const tombstone: Fact = { kind: 'tombstone', roomId: '!r', replacement: '!s', viaServer: 'x' }
  await hear({ initial: true, slices: [[tombstone]] }, { slices: [[{ kind: 'alias-changed', roomId: '!r' }]] })
  await hear({ slices: [[lose('!r'), tombstone]] })
  expect(heeded).toEqual(['!r -> !s via x', 'refresh', 'refresh', '!r -> !s via x'])
})

it('[L34] a room found lost is frozen at once; a list of members waits for the sync to catch up', async () => {
  await open()
  findings.push({ kind: 'members', roomId: '!r', userIds: [user(0)], askedAt: at(clock.monotonicMs()) })
  await clock.advance(10)
  expect([onlineOf(city, 'r'), heeded]).toEqual([2, []])
  await hear({ slices: [[]] })
  expect([onlineOf(city, 'r'), heeded]).toEqual([1, ['drift +0 -1']])
  findings.push({ kind: 'lost', roomId: '!r' })
  await clock.advance(1)
  expect(presenceIn(city, 'r')).toMatchObject({ online_count: 1, stale: true })
})

it('[L34] time alone ends typing, and offers it', async () => {
  await open()
  await hear({ slices: [[type('!r', user(0))]] })
  offered.length = 0
  await clock.advance(cityOptions.typingMaxMs + 100)
  expect([presenceIn(city, 'r').typing_count, offered]).toEqual([0, [['r']]])
})

it('[L34] a held city is probed once in ten seconds until an answer comes', async () => {
  await open(30)
  probes.push(undefined, undefined, true)
  const everybody = Array.from({ length: 30 }, (_, index) => is(user(index), 'offline'))
  await hear({ slices: [everybody] })
  await clock.advance(60)
  expect([onlineOf(city, 'r'), probes.length]).toEqual([30, 2])
  await clock.advance(10_400)
  expect([onlineOf(city, 'r'), probes.length]).toEqual([30, 2])
  await clock.advance(10_700)
  expect(probes.length).toBe(0)
  expect([onlineOf(city, 'r'), sourceOf(city, at(clock.monotonicMs())).source]).toEqual([0, 'live'])
})

it('[L34] whether the source is believed, and how old it is, is told all the time', async () => {
  await open()
  await clock.advance(1_000)
  expect(verdict).toMatchObject({ source: 'live' })
  await clock.advance(cityOptions.staleAfterMs)
  expect(verdict).toMatchObject({ source: 'stale', reason: 'no-sync' })
  expect(verdict?.sourceAgeMs).toBeGreaterThan(cityOptions.staleAfterMs)
})

it('[M53] an answer that was read late is good news of then: the source is as old as what it tells', async () => {
  await open()
  await clock.advance(100_000)
  await hear({ slices: [[is(user(0), 'online')]], lateMs: 80_000 })
  await clock.advance(9_000)
  expect(verdict).toMatchObject({ source: 'live' })
  expect(verdict?.sourceAgeMs).toBeGreaterThanOrEqual(88_900)
  await clock.advance(2_000)
  expect(verdict).toMatchObject({ source: 'stale', reason: 'no-sync' })
})

it('[P18] after a first sync without the members each room waits for its list, which is taken at once and is no drift', async () => {
  maps.push([{ slug: 'r', roomId: '!r', alias: null }])
  await hear({ initial: true, lazy: true, slices: [[follow('!r'), come('!r', user(0)), is(user(1), 'online')]] })
  expect(heeded).toEqual(['list !r'])
  expect(valueOf(city, 'r').kind).toBe('unobserved')
  offered.length = 0
  findings.push({ kind: 'members', roomId: '!r', userIds: [user(0), user(1)], askedAt: at(clock.monotonicMs()) })
  await clock.advance(1)
  expect([onlineOf(city, 'r'), heeded]).toEqual([1, ['list !r']])
  expect(offered).toEqual([['r']])
})

it('[P17] a list waits for a response that was asked for after it: one that was under way says nothing of it', async () => {
  await open(2)
  await clock.advance(10)
  findings.push({ kind: 'members', roomId: '!r', userIds: [user(0)], askedAt: at(clock.monotonicMs()) })
  await clock.advance(10)
  await hear({ askedMsAgo: 15, slices: [[is(user(0), 'unavailable')]] })
  expect(heeded.filter((word) => word.startsWith('drift'))).toEqual([])
  await hear({ askedMsAgo: 5, slices: [[is(user(0), 'online')]] })
  expect(heeded.filter((word) => word.startsWith('drift'))).toEqual(['drift +0 -1'])
})

it('[P17] a list from before an initial sync is never compared with what came by it', async () => {
  await open(2)
  await clock.advance(10)
  findings.push({
    kind: 'members',
    roomId: '!r',
    userIds: [user(0), user(1), user(2)],
    askedAt: at(clock.monotonicMs()),
  })
  await clock.advance(10)
  await hear({ initial: true, lazy: true, slices: [[follow('!r')]] })
  await hear({ slices: [[is(user(0), 'unavailable')]] })
  expect(heeded.filter((word) => word.startsWith('drift'))).toEqual([])
})

it('[P13] where every response brings somebody who comes or goes, audits are compared all the same, and each is counted', async () => {
  await open(2)
  const audit = (...userIds: string[]) =>
    findings.push({ kind: 'members', roomId: '!r', userIds, askedAt: at(clock.monotonicMs()) })
  await clock.advance(10)
  audit(user(0), user(1))
  audit(user(0))
  await clock.advance(10)
  await hear({ askedMsAgo: 15, slices: [[come('!r', user(2)), is(user(2), 'online')]] })
  await hear({ askedMsAgo: 5, slices: [[go('!r', user(0))]] })
  expect([audits, heeded.filter((word) => word.startsWith('drift')), onlineOf(city, 'r')]).toEqual([
    ['repeated', 'compared'],
    [],
    2,
  ])
  audit(user(3))
  await clock.advance(10)
  await hear({ slices: [[come('!r', user(4))]] })
  expect(heeded.filter((word) => word.startsWith('drift'))).toEqual(['drift +1 -2'])
  for (let room = 0; room < 65; room++) {
    findings.push({ kind: 'members', roomId: `!${room}`, userIds: [], askedAt: at(clock.monotonicMs()) })
    await clock.advance(1)
  }
  await hear({ initial: true, slices: [[follow('!r')]] })
  expect(audits.slice(3)).toEqual(['crowded', ...Array.from({ length: 64 }, () => 'replaced')])
})

it('[P12] [L34] a large initial sync takes the place of the city in pieces: until it is whole nothing is offered, beats go on, and news wait', async () => {
  await open()
  const crowd = Array.from({ length: 25_000 }, (_, index) => user(index))
  const facts = [follow('!r'), ...crowd.map((one) => come('!r', one)), ...crowd.map((one) => is(one, 'online'))]
  await hear({ initial: true, slices: [facts] })
  offered.length = 0
  const before = ticks
  slowTurns()
  await hear({ initial: true, slices: [facts.filter((fact) => !('userId' in fact && fact.userId === user(7)))] })
  maps.push([{ slug: 'other', roomId: '!r', alias: null }])
  findings.push({ kind: 'lost', roomId: '!r' })
  let pieces = 0
  for (; known.learning; pieces++) {
    expect([offered, [...mappedSlugs(city)], onlineOf(city, 'r')]).toEqual([[], ['r'], 25_000])
    await clock.advance(20)
  }
  expect(pieces).toBeGreaterThan(3)
  expect(ticks).toBeGreaterThan(before)
  await clock.advance(100)
  expect([...mappedSlugs(city)]).toEqual(['other'])
  expect(offered.flat().sort()).toContain('other')
})

it('[P18] [L34] a long list is taken in pieces between which responses are learned and beats go on; one that an initial sync overtakes is none', async () => {
  maps.push([{ slug: 'r', roomId: '!r', alias: null }])
  const crowd = Array.from({ length: 25_000 }, (_, index) => user(index))
  const presence = [0, 1, 24_999].map((index) => is(user(index), 'online'))
  const lazily = (): Batch => ({ initial: true, lazy: true, slices: [[follow('!r'), ...presence]] })
  await hear(lazily())
  slowTurns()
  const list = () => findings.push({ kind: 'members', roomId: '!r', userIds: crowd, askedAt: at(clock.monotonicMs()) })
  list()
  await clock.advance(1)
  const before = ticks
  await hear({ slices: [[go('!r', user(0)), go('!r', user(24_999))]] })
  expect([valueOf(city, 'r').kind, city.observation.state.users.indexOf.size]).toEqual(['unobserved', 9_999])
  await clock.advance(60)
  expect([onlineOf(city, 'r'), ticks > before, audits]).toEqual([1, true, []])
  // In the middle of the next one everything is learned anew.
  await hear(lazily())
  await clock.advance(100)
  expect(heeded.filter((one) => one === 'list !r')).toHaveLength(2)
  list()
  await clock.advance(30)
  const former = city.observation
  await hear(lazily())
  // While it takes the place of the city nobody is joined to either.
  let waits = 0
  for (; known.learning; waits++) {
    expect(former.state.users.indexOf.size).toBe(20_000)
    await clock.advance(10)
  }
  await clock.advance(100)
  expect([waits > 1, city.observation.state.users.indexOf.size, presenceIn(city, 'r').stale]).toEqual([true, 0, true])
  list()
  await clock.advance(200)
  expect(onlineOf(city, 'r')).toBe(3)
})

it('[P13] [L34] a long list is compared in pieces before anything of the response is offered, and one of a room that was left is not', async () => {
  const crowd = Array.from({ length: 15_000 }, (_, index) => user(index))
  await open()
  const members = (roomId: string) =>
    findings.push({ kind: 'members', roomId, userIds: crowd, askedAt: at(clock.monotonicMs()) })
  members('!r')
  members('!left')
  await clock.advance(1)
  slowTurns()
  offered.length = 0
  await hear({ slices: [[is(user(1), 'offline')]] })
  expect([known.learning, offered, audits]).toEqual([true, [], []])
  await clock.advance(60)
  expect([known.learning, audits]).toEqual([false, ['compared', 'unfollowed']])
  expect([heeded.at(-1), onlineOf(city, 'r'), offered]).toEqual(['drift +14998 -0', 1, [['r']]])
})

/** A piece takes its time, which a clock that stands still does not know. */
function slowTurns(): void {
  const after = clock.after.bind(clock)
  clock.after = (ms, run) => after(ms === 0 ? 25 : ms, run)
}

it('[P23] [L34] what is found out about a room while an initial sync takes the place of the city waits until it is whole', async () => {
  const crowd = Array.from({ length: 25_000 }, (_, index) => user(index))
  const facts = [follow('!r'), ...crowd.map((one) => come('!r', one)), ...crowd.map((one) => is(one, 'online'))]
  await open()
  await hear({ initial: true, slices: [facts] })
  slowTurns()
  await hear({ initial: true, slices: [facts] })
  findings.push({ kind: 'blind', roomId: '!r', isBlind: true })
  let waits = 0
  for (; known.learning; waits++) {
    expect(isBlind(city, '!r')).toBe(false)
    await clock.advance(5)
  }
  await clock.advance(50)
  expect([waits > 3, isBlind(city, '!r'), presenceIn(city, 'r').stale]).toEqual([true, true, true])
})

it('[P11] [L34] a probe that is answered while an initial sync takes the place of the city counts for the new one', async () => {
  const crowd = Array.from({ length: 25_000 }, (_, index) => user(index))
  const there = [follow('!r'), ...crowd.map((one) => come('!r', one))]
  await open()
  await hear({ initial: true, slices: [[...there, ...crowd.map((one) => is(one, 'online'))]] })
  slowTurns()
  // Nobody is online any more: held, and asked whether that may be.
  probes.push(true)
  await hear({ initial: true, slices: [there] })
  while (known.learning) await clock.advance(5)
  expect(probes).toEqual([])
  await clock.advance(100)
  expect([isPresenceHeld(city), onlineOf(city, 'r')]).toEqual([false, 0])
})

it('[P5] [L34] what time alone changes waits while an initial sync takes the place of the city', async () => {
  const crowd = Array.from({ length: 25_000 }, (_, index) => user(index))
  const facts = [follow('!r'), ...crowd.map((one) => come('!r', one)), ...crowd.map((one) => is(one, 'online'))]
  await open()
  await hear({ initial: true, slices: [facts] }, { slices: [[type('!r', user(1))]] })
  slowTurns()
  await clock.advance(cityOptions.typingMaxMs - 40)
  await hear({ initial: true, slices: [facts] })
  let waits = 0
  for (; known.learning; waits++) {
    expect(presenceIn(city, 'r').typing_count).toBe(1)
    await clock.advance(5)
  }
  await clock.advance(100)
  expect([waits > 12, presenceIn(city, 'r').typing_count]).toEqual([true, 0])
})

it('[P19] a city of whose presence nothing is heard for 45 s is probed; two noes in a row make it stale, and no count moves', async () => {
  await open()
  const seen = new Set<string>()
  const quiet = async (ms: number) => {
    seen.clear()
    for (let passed = 0; passed < ms; passed += 5_000) {
      await hear({ slices: [[]] })
      await clock.advance(5_000)
      seen.add(source())
    }
  }
  const source = () => sourceOf(city, at(clock.monotonicMs())).source
  probes.push(true, false, true, false, false)
  await quiet(40_000)
  expect(probes).toHaveLength(5)
  await quiet(10_000)
  expect(probes).toHaveLength(4)
  // One no and then a yes: nothing happened.
  await quiet(60_000)
  expect([probes.length, [...seen]]).toEqual([2, ['live']])
  await quiet(60_000)
  expect([probes.length, source(), onlineOf(city, 'r')]).toEqual([0, 'stale', 2])
  probes.push(true)
  await quiet(15_000)
  expect([probes.length, source()]).toEqual([0, 'live'])
})

it('[P19] where presence is heard of, or no sync comes at all, nothing is probed', async () => {
  await open()
  probes.push(false)
  for (let turn = 0; turn < 30; turn++) {
    await hear({ slices: [[is(user(0), turn % 2 === 0 ? 'offline' : 'online')]] })
    await clock.advance(5_000)
  }
  await clock.advance(300_000)
  expect(probes).toHaveLength(1)
})

it('[P23] a room of which no presence is told keeps its last count, marked, until it is shown again and all is learned anew', async () => {
  await open()
  findings.push({ kind: 'blind', roomId: '!r', isBlind: true })
  await clock.advance(1)
  expect(presenceIn(city, 'r')).toMatchObject({ online_count: 2, stale: true })
  const anew = { initial: true, slices: [[follow('!r'), come('!r', user(0)), is(user(0), 'online')]] }
  await hear(anew)
  expect(presenceIn(city, 'r')).toMatchObject({ online_count: 2, stale: true })
  expect(heeded).not.toContain('start over')
  await clock.advance(1)
  findings.push({ kind: 'blind', roomId: '!r', isBlind: false })
  await clock.advance(1)
  expect(heeded).toContain('start over')
  await hear({ slices: [[is(user(0), 'unavailable')]] }, { ...anew, askedMsAgo: 5 })
  expect(presenceIn(city, 'r')).toMatchObject({ online_count: 2, stale: true })
  // Told again while it is waited for: that asks for nothing more, and what is asked for meanwhile is enough.
  await clock.advance(10)
  findings.push({ kind: 'blind', roomId: '!r', isBlind: false })
  await clock.advance(1)
  await hear({ ...anew, askedMsAgo: 5 })
  expect(presenceIn(city, 'r').online_count).toBe(1)
  expect(presenceIn(city, 'r').stale).toBeUndefined()
  expect(heeded.filter((one) => one === 'start over')).toHaveLength(1)
})

it("[P23] what the speech inherits of a leader before is the city's: marked, with the value of then, also when the daemon is kicked", async () => {
  await open()
  await hear({ slices: [[is(user(0), 'offline'), is(user(1), 'offline')]] })
  const before = { ...presenceIn(city, 'r'), online_count: 2, stale: true, blind: true }
  viewOfCity(city, known, clock).inheritBlindness(before)
  await hear({ slices: [[lose('!r')]] }, { slices: [[follow('!r'), come('!r', user(0))]] })
  expect(presenceIn(city, 'r')).toMatchObject({ online_count: 2, stale: true, blind: true })
  // A room that the slug meant then is none of ours.
  viewOfCity(city, known, clock).inheritBlindness({ ...before, matrix_room_id: '!other' })
  expect(isBlind(city, '!other')).toBe(false)
})
