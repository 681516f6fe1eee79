// The election step by step, and whole: several candidates in a world of trouble, thousands of times.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createElectionWorld, periods, type ElectionWorld, type Trouble } from '../testing/election-world.ts'
import {
  confirmedTerm,
  leads,
  nextDueAtMs,
  startElection,
  step,
  whyUnsafe,
  type Election,
  type ElectionEffect,
  type ElectionEvent,
  type ElectionSettings,
} from './election.ts'
import { readLease, type LeaseRecord } from './lease-record.ts'

const fenced: ElectionSettings = { ...periods, me: 'a', fenced: true, jitter01: 0 }
const strict: ElectionSettings = { ...fenced, fenced: false }

function lease(spec: Record<string, unknown>, version = '1'): LeaseRecord {
  const read = readLease({ metadata: { name: 'city', resourceVersion: version }, spec })
  if (!read.ok) throw new Error(read.problem)
  return read.value
}
const held = (by: string, transitions = 1, version = '1', more: Record<string, unknown> = {}): LeaseRecord =>
  lease(
    { holderIdentity: by, leaseTransitions: transitions, leaseDurationSeconds: 6, renewTime: version, ...more },
    version,
  )

/** Held once, and let go. */
const letGo = lease({ leaseTransitions: 1, leaseDurationSeconds: 1 })

type Played = { election: Election; effects: readonly ElectionEffect[] }
/** Each event at its moment. */
function play(settings: ElectionSettings, events: readonly (readonly [number, ElectionEvent])[]): Played {
  let last: Played = { election: startElection(0), effects: [] }
  for (const [atMs, event] of events) last = step(last.election, event, settings, atMs)
  return last
}
const tick: ElectionEvent = { kind: 'tick' }
const read = (record: LeaseRecord | undefined): ElectionEvent => ({ kind: 'read', record })
const told = (record: LeaseRecord | undefined): ElectionEvent => ({ kind: 'told', record })
/** Read as free at 0, written at 0, acknowledged at 50: leads with term 2. */
const won: readonly (readonly [number, ElectionEvent])[] = [
  [0, tick],
  [0, read(letGo)],
  [50, { kind: 'written', record: held('a', 2, '2') }],
]
const written = (effects: readonly ElectionEffect[]) => effects.find((effect) => effect.kind === 'write')

describe('a candidate', () => {
  it('[E2] reads, and takes a free Lease under the version that it read, one transition further', () => {
    expect(play(fenced, [[0, tick]]).effects).toEqual([{ kind: 'read' }])
    const record = lease({ leaseTransitions: 4 }, '9')
    expect(
      play(fenced, [
        [0, tick],
        [0, read(record)],
      ]).effects,
    ).toEqual([{ kind: 'write', record, change: { holder: 'a', transitions: 5, durationS: 6, acquires: true } }])
    expect(play(fenced, won).effects).toEqual([{ kind: 'leads', term: 2 }])
  })

  it("[E2] waits for the record's own duration since it saw it change, and no longer than its cap", () => {
    for (const [duration, freeAtMs] of [
      [6, 6_000],
      [3, 3_000],
      [1e6, 10_000],
      [-1, 6_000],
      [undefined, 6_000],
    ]) {
      const other = held('b', 1, '1', { leaseDurationSeconds: duration })
      const waiting = play(fenced, [
        [0, tick],
        [0, read(other)],
      ])
      expect(nextDueAtMs(waiting.election, fenced)).toBe(freeAtMs)
      expect(step(waiting.election, tick, fenced, (freeAtMs ?? 0) - 1).effects).toEqual([])
      expect(written(step(waiting.election, tick, fenced, freeAtMs ?? 0).effects)).toBeDefined()
    }
  })

  it('[E2] a change of labels is no sign of life; a renewal is, whatever its times say', () => {
    const start: readonly (readonly [number, ElectionEvent])[] = [
      [0, tick],
      [0, read(held('b', 1, '1'))],
    ]
    const labelled = { ...held('b', 1, '1'), version: '2' }
    expect(nextDueAtMs(play(fenced, [...start, [5_000, told(labelled)]]).election, fenced)).toBe(6_000)
    const renewed = held('b', 1, '2', { renewTime: '1970-01-01T00:00:00.000000Z' })
    expect(nextDueAtMs(play(fenced, [...start, [5_000, told(renewed)]]).election, fenced)).toBe(11_000)
  })

  it('[E3] takes what was let go the moment the watch tells it', () => {
    const { effects } = play(fenced, [
      [0, tick],
      [0, read(held('b', 3))],
      [100, told(held('', 3, '2'))],
    ])
    expect(written(effects)).toMatchObject({ change: { holder: 'a', transitions: 4 } })
  })

  it('[E3] what it is told while it asks is looked at afterwards', () => {
    const { effects } = play(fenced, [
      [0, tick],
      [1, told(held('', 3, '2'))],
      [2, read(held('b', 3))],
    ])
    expect(effects).toEqual([{ kind: 'read' }])
  })

  it('[E4] asked to be left alone, it asks nothing until then, whatever the watch tells; half a minute at most', () => {
    for (const [quietMs, quietUntilMs] of [
      [5_000, 5_010],
      [3_600_000, 30_010],
    ] as const) {
      const { election } = play(fenced, [
        [0, tick],
        [10, { kind: 'failed', quietMs }],
        [20, told(letGo)],
      ])
      expect(nextDueAtMs(election, fenced)).toBe(quietUntilMs)
      expect(step(election, tick, fenced, quietUntilMs - 1).effects).toEqual([])
      expect(written(step(election, tick, fenced, quietUntilMs).effects)).toBeDefined()
    }
    // A word shorter than the usual rest changes nothing.
    const usual = play(fenced, [
      [0, tick],
      [10, { kind: 'failed', quietMs: 1 }],
    ])
    expect(nextDueAtMs(usual.election, fenced)).toBe(1_010)
  })

  it('[E4] refused, it reads; and rests where it is refused again and again', () => {
    const refused = play(fenced, [
      [0, tick],
      [0, read(letGo)],
      [5, { kind: 'refused' }],
    ])
    expect(refused.effects).toEqual([{ kind: 'read' }])
    const again = play(fenced, [
      [0, tick],
      [0, read(letGo)],
      [5, { kind: 'refused' }],
      [9, read(lease({ leaseTransitions: 1 }, '2'))],
      [12, { kind: 'refused' }],
    ])
    expect(again.effects).toEqual([])
    expect(nextDueAtMs(again.election, fenced)).toBe(1_012)
  })

  it('[E4] after no answer it asks again one retry period later, and writes on nothing it did not read since', () => {
    const silent = play(fenced, [
      [0, tick],
      [0, read(letGo)],
      [1_000, { kind: 'failed' }],
    ])
    expect(nextDueAtMs(silent.election, fenced)).toBe(2_000)
    expect(step(silent.election, tick, fenced, 2_000).effects).toEqual([{ kind: 'read' }])
    // The write whose answer was lost had been stored: under its own name nobody else can lead, and the term is spent.
    const mine = play(fenced, [
      [0, tick],
      [0, read(letGo)],
      [1_000, { kind: 'failed' }],
      [2_000, tick],
      [2_005, read(held('a', 2, '2'))],
    ])
    expect(written(mine.effects)).toMatchObject({ change: { transitions: 3, acquires: true } })
  })

  it('[E4] rests by its own jitter, up to a fifth of a retry period longer', () => {
    const late = { ...fenced, jitter01: 0.5 }
    const waiting = play(late, [
      [0, tick],
      [10, { kind: 'failed' }],
    ])
    expect(nextDueAtMs(waiting.election, late)).toBe(1_110)
  })

  it('[E7] takes an emptied Lease above every term that it ever saw in it', () => {
    const { effects } = play(fenced, [
      [0, tick],
      [0, read(held('b', 6))],
      [100, told(lease({}, '2'))],
      [2_100, tick],
    ])
    expect(written(effects)).toMatchObject({ change: { holder: 'a', transitions: 7 } })
  })

  it('[E4] a Lease that is not there is waited for', () => {
    const waiting = play(fenced, [
      [0, tick],
      [0, read(undefined)],
    ])
    expect(waiting.effects).toEqual([])
    expect(nextDueAtMs(waiting.election, fenced)).toBe(1_000)
    expect(written(step(waiting.election, told(letGo), fenced, 300).effects)).toBeDefined()
  })
})

describe('a leader', () => {
  it('[E5] renews every retry period under the version that was acknowledged', () => {
    const leading = play(fenced, won)
    expect(nextDueAtMs(leading.election, fenced)).toBe(1_050)
    expect(step(leading.election, tick, fenced, 1_050).effects).toEqual([
      {
        kind: 'write',
        record: held('a', 2, '2'),
        change: { holder: 'a', transitions: 2, durationS: 6, acquires: false },
      },
    ])
  })

  it('[E5] says no shorter time than it takes itself, where seconds do not come out even', () => {
    const { effects } = play({ ...fenced, leaseMs: 1_500, renewDeadlineMs: 1_000, retryMs: 200 }, won.slice(0, 2))
    expect(written(effects)).toMatchObject({ change: { durationS: 2 } })
  })

  it('[E5] without a fence its time is counted from when the renewal was sent, and ends at the deadline', () => {
    const leading = play(strict, won)
    expect(leads(leading.election, strict, 3_999)).toBe(true)
    expect(leads(leading.election, strict, 4_000)).toBe(false)
    expect(step(leading.election, tick, strict, 4_000).effects).toContainEqual(
      expect.objectContaining({ kind: 'lost' }),
    )
  })

  it('[E5] without a fence it wakes at the deadline though a renewal is not answered, and the answer after it brings nothing back', () => {
    const renewing = step(play(strict, won).election, tick, strict, 1_050)
    expect(nextDueAtMs(renewing.election, strict)).toBe(4_000)
    const lost = step(renewing.election, tick, strict, 4_000)
    const late = step(lost.election, { kind: 'written', record: held('a', 2, '3') }, strict, 4_010)
    // What it held is lost, and has to be won again.
    expect(late.effects.map(({ kind }) => kind)).toEqual(['write'])
    expect(written(late.effects)).toMatchObject({ change: { transitions: 3, acquires: true } })
    expect(leads(late.election, strict, 4_010)).toBe(false)
  })

  it('[E6] with a fence it goes on while the API is away or the Lease gone, but nothing new is built on that', () => {
    for (const answer of [{ kind: 'failed' } as const, read(undefined)]) {
      let played = play(fenced, won)
      for (let atMs = 1_050; atMs < 600_000; atMs += 1_000) {
        played = step(played.election, tick, fenced, atMs)
        expect(played.effects.map(({ kind }) => kind)).not.toContain('lost')
        const asked = played.effects[0]
        if (asked?.kind === 'read') played = step(played.election, answer, fenced, atMs)
        else if (asked?.kind === 'write') played = step(played.election, { kind: 'failed' }, fenced, atMs)
      }
      expect(leads(played.election, fenced, 600_000)).toBe(true)
      expect(confirmedTerm(played.election, fenced, 600_000)).toBeUndefined()
    }
  })

  it('[E6] it stops when a read names another, and is only made to look by what a watch tells', () => {
    const hearsay = play(fenced, [...won, [500, told(held('b', 2, '3'))]])
    expect(hearsay.effects).toEqual([{ kind: 'read' }])
    expect(leads(hearsay.election, fenced, 500)).toBe(true)
    expect(step(hearsay.election, read(held('a', 2, '2')), fenced, 510).effects).not.toContainEqual(
      expect.objectContaining({ kind: 'lost' }),
    )
    const lost = step(hearsay.election, read(held('b', 2, '3')), fenced, 510)
    expect(lost.effects).toContainEqual({ kind: 'lost', why: 'the Lease names b' })
    expect(leads(lost.election, fenced, 510)).toBe(false)
  })

  it('[E7] a Lease made anew, or emptied, is taken again, and the term does not go back', () => {
    const wonHigh: readonly (readonly [number, ElectionEvent])[] = [
      [0, tick],
      [0, read(lease({ leaseTransitions: 6 }))],
      [50, { kind: 'written', record: held('a', 7, '2') }],
    ]
    const gone = play(fenced, [
      ...wonHigh,
      [1_050, tick],
      [1_060, { kind: 'refused' }],
      [1_070, read(undefined)],
      [2_100, tick],
    ])
    expect(written(step(gone.election, read(lease({}, '8')), fenced, 2_110).effects)).toMatchObject({
      change: { holder: 'a', transitions: 7, acquires: true },
    })
    // Somebody led under a higher term in between, and let go.
    expect(written(step(gone.election, read(held('', 9, '8')), fenced, 2_110).effects)).toMatchObject({
      change: { transitions: 10 },
    })
  })

  it('[E8] the term is raised as the work asks, at once, and told when it is stored', () => {
    const raised = step(play(fenced, won).election, { kind: 'raise', to: 8 }, fenced, 200)
    expect(written(raised.effects)).toMatchObject({ change: { holder: 'a', transitions: 8, acquires: false } })
    expect(confirmedTerm(raised.election, fenced, 200)).toBe(2)
    const stored = step(raised.election, { kind: 'written', record: held('a', 8, '3') }, fenced, 210)
    expect(stored.effects).toEqual([{ kind: 'leads', term: 8 }])
    expect(confirmedTerm(stored.election, fenced, 210)).toBe(8)
  })

  it('[E6] what the watch tells while a renewal is under way is looked at after it', () => {
    const renewing = step(play(fenced, won).election, tick, fenced, 1_050)
    const warned = step(renewing.election, told(held('b', 2, '4')), fenced, 1_060)
    expect(warned.effects).toEqual([])
    expect(step(warned.election, { kind: 'written', record: held('a', 2, '3') }, fenced, 1_070).effects).toEqual([
      { kind: 'read' },
    ])
  })

  it('[E8] a term that is asked for while a renewal is under way does not wait for the next; with the Lease it is lost', () => {
    const renewing = step(play(fenced, won).election, tick, fenced, 1_050)
    const asked = step(renewing.election, { kind: 'raise', to: 8 }, fenced, 1_060)
    expect(asked.effects).toEqual([])
    const renewed = step(asked.election, { kind: 'written', record: held('a', 2, '3') }, fenced, 1_070)
    expect(written(renewed.effects)).toMatchObject({ change: { transitions: 8, acquires: false } })
    const refused = step(renewed.election, { kind: 'refused' }, fenced, 1_080)
    const lost = step(refused.election, read(held('b', 3, '5')), fenced, 1_090)
    expect(written(step(lost.election, tick, fenced, 7_090).effects)).toMatchObject({ change: { transitions: 4 } })
  })

  it('[E8] a term above what the Lease can hold is kept all the same', () => {
    const raised = step(play(fenced, won).election, { kind: 'raise', to: 2 ** 40 }, fenced, 200)
    const stored = step(raised.election, { kind: 'written', record: held('a', 2 ** 31 - 1, '3') }, fenced, 210)
    expect(stored.effects).toEqual([{ kind: 'leads', term: 2 ** 40 }])
    expect(written(step(stored.election, tick, fenced, 1_300).effects)).toMatchObject({
      change: { transitions: 2 ** 40 },
    })
  })
})

describe('what a candidate could not see', () => {
  const outage = (failedAtMs: readonly number[]): Played =>
    play(fenced, [
      [0, tick],
      [0, read(held('b'))],
      ...failedAtMs.flatMap((atMs) => [
        [atMs, { kind: 'unsure' }] as const,
        [atMs, tick] as const,
        [atMs + 5, { kind: 'failed' }] as const,
      ]),
    ])

  it('[E16] is no silence: after an outage it counts from when it sees the record again', () => {
    const back = step(outage([1_000, 3_000, 5_000]).election, tick, fenced, 8_000)
    expect(back.effects).toEqual([{ kind: 'read' }])
    const seen = step(back.election, read(held('b')), fenced, 8_010)
    expect(seen.effects).toEqual([])
    expect(nextDueAtMs(seen.election, fenced)).toBe(14_010)
  })

  it('[E16] one request that failed is no outage', () => {
    const back = step(outage([5_000]).election, tick, fenced, 6_010)
    expect(written(step(back.election, read(held('b')), fenced, 6_020).effects)).toBeDefined()
  })

  it('[E16] a watch that broke makes it look, once and at once', () => {
    const looking = step(
      play(fenced, [
        [0, tick],
        [0, read(held('b'))],
      ]).election,
      { kind: 'unsure' },
      fenced,
      100,
    )
    expect(looking.effects).toEqual([{ kind: 'read' }])
    const seen = step(looking.election, read(held('b')), fenced, 110)
    expect(nextDueAtMs(seen.election, fenced)).toBe(6_000)
  })

  it('[E16] a Lease that nobody let go is left to who leads for two retry periods, and then taken', () => {
    for (const record of [lease({}, '3'), lease({ holderIdentity: '', leaseDurationSeconds: 9 }, '3')]) {
      const waiting = play(fenced, [
        [0, tick],
        [0, read(undefined)],
        [500, told(record)],
      ])
      expect(waiting.effects).toEqual([])
      expect(written(step(waiting.election, tick, fenced, 2_499).effects)).toBeUndefined()
      expect(written(step(waiting.election, tick, fenced, 2_500).effects)).toBeDefined()
    }
    const leading = play(fenced, [...won, [1_050, tick], [1_060, { kind: 'refused' }]])
    expect(written(step(leading.election, read(lease({}, '3')), fenced, 1_070).effects)).toBeDefined()
  })
})

describe('who is held back', () => {
  it('[E28] lets others go first for so long, and takes the Lease at once when it is held back no more', () => {
    const free: ElectionEvent = told(held('', 3, '2'))
    const waiting = play(fenced, [
      [0, { kind: 'hold-back', ms: 5_000 }],
      [0, read(held('b', 3))],
      [100, free],
    ])
    expect(waiting.effects).toEqual([])
    expect(written(step(waiting.election, tick, fenced, 5_099).effects)).toBeUndefined()
    expect(written(step(waiting.election, tick, fenced, 5_100).effects)).toBeDefined()
    expect(written(step(waiting.election, { kind: 'hold-back', ms: 0 }, fenced, 200).effects)).toBeDefined()
    const never = step(waiting.election, { kind: 'hold-back', ms: Number.POSITIVE_INFINITY }, fenced, 200)
    expect(step(never.election, tick, fenced, 1e9).effects).toEqual([])
    expect(written(step(never.election, { kind: 'hold-back', ms: 0 }, fenced, 1e9).effects)).toBeDefined()
  })

  it('[E28] a leader is not moved by it', () => {
    const leading = step(play(fenced, won).election, { kind: 'hold-back', ms: Number.POSITIVE_INFINITY }, fenced, 100)
    expect(leads(leading.election, fenced, 100)).toBe(true)
    expect(written(step(leading.election, tick, fenced, 1_050).effects)).toBeDefined()
  })
})

describe('who leaves', () => {
  it('[E9] lets go under the version it holds, for a second, and then wants nothing more', () => {
    const leaving = step(play(fenced, won).election, { kind: 'leave' }, fenced, 500)
    expect(leaving.effects).toEqual([
      {
        kind: 'write',
        record: held('a', 2, '2'),
        change: { holder: '', transitions: 2, durationS: 1, acquires: false },
      },
    ])
    const left = step(leaving.election, { kind: 'written', record: held('', 1, '3') }, fenced, 510)
    expect(left.effects).toEqual([{ kind: 'left', released: true }])
    for (const event of [tick, told(letGo), read(letGo)])
      expect(step(left.election, event, fenced, 9_000).effects).toEqual([])
  })

  it('[E9] a candidate just goes; one whose write is under way waits for its answer, and lets go', () => {
    expect(
      play(fenced, [
        [0, tick],
        [0, read(held('b'))],
        [10, { kind: 'leave' }],
      ]).effects,
    ).toEqual([{ kind: 'left', released: true }])
    const waiting = play(fenced, [
      [0, tick],
      [0, read(letGo)],
      [10, { kind: 'leave' }],
    ])
    expect(waiting.effects).toEqual([])
    const acked = step(waiting.election, { kind: 'written', record: held('a', 2, '2') }, fenced, 20)
    expect(written(acked.effects)).toMatchObject({ change: { holder: '' } })
  })

  it('[E9] what another holds by then it does not let go', () => {
    const leaving = step(play(fenced, won).election, { kind: 'leave' }, fenced, 500)
    const refused = step(leaving.election, { kind: 'refused' }, fenced, 510)
    expect(refused.effects).toEqual([{ kind: 'read' }])
    for (const record of [held('b', 3, '4'), lease({ leaseTransitions: 2 }, '4'), undefined])
      expect(step(refused.election, read(record), fenced, 520).effects).toEqual([{ kind: 'left', released: true }])
  })

  it('[E9] with the API away it gives up at the renew deadline', () => {
    let played = step(play(fenced, won).election, { kind: 'leave' }, fenced, 500)
    for (let atMs = 1_000; atMs < 4_500; atMs += 500) {
      played = step(played.election, { kind: 'failed' }, fenced, atMs)
      played = step(played.election, tick, fenced, atMs + 499)
      expect(played.effects.map(({ kind }) => kind)).not.toContain('left')
    }
    expect(step(played.election, tick, fenced, 4_500).effects).toEqual([{ kind: 'left', released: false }])
  })
})

it('[E2] periods that contradict each other are told', () => {
  expect(whyUnsafe({ leaseMs: 6_000, renewDeadlineMs: 4_000, retryMs: 1_000 })).toBeUndefined()
  for (const [leaseMs, renewDeadlineMs, retryMs] of [
    [4_000, 4_000, 1_000],
    [6_000, 4_000, 3_400],
    [6_000, 1_200, 1_000],
  ] as const)
    expect(whyUnsafe({ leaseMs, renewDeadlineMs, retryMs })).toBeDefined()
})

// --- whole -------------------------------------------------------------------------------------------------------------------------

const share = (max: number) => fc.oneof(fc.constant(0), fc.double({ min: 0, max, noNaN: true }))
type More = { fenced: fc.Arbitrary<boolean>; vandal?: fc.Arbitrary<number>; raise?: fc.Arbitrary<number> }
const trouble = (more: More): fc.Arbitrary<Trouble> =>
  fc.record({
    seed: fc.integer(),
    candidates: fc.integer({ min: 2, max: 5 }),
    fenced: more.fenced,
    // Below 6/4, the tolerance of the default.
    skew: fc.double({ min: 1, max: 1.45, noNaN: true }),
    loss: share(0.4),
    slowMs: fc.constantFrom(5, 300, 1_500),
    freeze: share(0.2),
    away: share(0.1),
    vandal: more.vandal ?? fc.constant(0),
    raise: more.raise ?? fc.constant(0),
  })

const runs = { numRuns: 150 }

function expectOneLeaderSoon(world: ElectionWorld): void {
  world.heal()
  world.run(25_000)
  const confirmed = world.candidates.flatMap(({ election, settings }, who) =>
    confirmedTerm(election, settings, world.localMs(who)) === undefined ? [] : [who],
  )
  expect(confirmed).toHaveLength(1)
  expect(world.leading()).toEqual(confirmed)
  expect(world.lease?.holder).toBe(`pod-${confirmed[0]}`)
}

describe('candidates in a world of trouble', () => {
  it('[E1] without a fence two never lead at one moment, whatever is late, lost, frozen or away', () => {
    fc.assert(
      fc.property(trouble({ fenced: fc.constant(false) }), (one) => {
        const world = createElectionWorld(one)
        world.run(90_000, () => expect(world.leading().length).toBeLessThanOrEqual(1))
        expectOneLeaderSoon(world)
      }),
      runs,
    )
  })

  it('[E1] each acquisition has a higher term than every one before, and a term one holder', () => {
    fc.assert(
      fc.property(trouble({ fenced: fc.boolean() }), (one) => {
        const world = createElectionWorld(one)
        world.run(90_000)
        const terms = world.acquired.map(({ term }) => term)
        expect(terms).toEqual([...new Set(terms)].sort((a, b) => a - b))
        const holders = new Map(world.acquired.map(({ who, term }) => [term, who]))
        for (const { who, term } of world.led) expect(holders.get(term)).toBe(who)
      }),
      runs,
    )
  })

  it('[E1] nor is a term of two where the work asks for higher ones', () => {
    fc.assert(
      fc.property(trouble({ fenced: fc.boolean(), raise: share(0.5) }), (one) => {
        const world = createElectionWorld(one)
        world.run(90_000)
        const terms = world.opened.map(({ term }) => term)
        expect(terms).toEqual([...new Set(terms)].sort((a, b) => a - b))
        const holders = new Map(world.opened.map(({ who, term }) => [term, who]))
        for (const { who, term } of world.led) expect(holders.get(term)).toBe(who)
        expectOneLeaderSoon(world)
      }),
      runs,
    )
  })

  it('[E6] with a fence nobody stops leading but for a read that names another', () => {
    fc.assert(
      fc.property(trouble({ fenced: fc.constant(true), vandal: share(0.2) }), (one) => {
        const world = createElectionWorld(one)
        world.run(90_000)
        for (const { lost, settings } of world.candidates)
          for (const { lastRead } of lost) {
            expect(lastRead?.holder).not.toBe('')
            expect(lastRead?.holder).not.toBe(settings.me)
          }
      }),
      runs,
    )
  })

  it('[E7] a Lease that is deleted, emptied or scribbled on is repaired or waited for: soon one leads again', () => {
    fc.assert(
      fc.property(trouble({ fenced: fc.boolean(), vandal: share(0.5) }), (one) => {
        const world = createElectionWorld(one)
        world.run(60_000)
        expectOneLeaderSoon(world)
      }),
      runs,
    )
  })

  it('[E4] in quiet, standbys write nothing and the leader once a retry period', () => {
    const world = createElectionWorld({
      seed: 1,
      candidates: 20,
      fenced: true,
      skew: 1.2,
      loss: 0,
      slowMs: 5,
      freeze: 0,
      away: 0,
      vandal: 0,
    })
    world.run(10_000)
    const before = world.writes
    world.run(60_000)
    expect(world.writes - before).toBeLessThanOrEqual(61 * 1.2)
    expect(world.acquired).toHaveLength(1)
  })
})
