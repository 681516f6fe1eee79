import { expect, it } from 'vitest'
import { checkStream } from './check-stream.ts'
import type { Entry } from './history.ts'
import { roomOf } from '../testing/honest-day.ts'
import { after, at, changed, expectFound, storedRoom, type StoredEntry, type Lie } from '../testing/lies.ts'

const lies: readonly Lie[] = [
  {
    says: 'a deposed leader was stored after the claim of another',
    broken: 'INV-02',
    tell: (day) =>
      changed(day, at(day, 'stored', storedRoom('square')), (entry: StoredEntry) => ({ ...entry, epoch: 999 })),
  },
  {
    says: 'a term was claimed twice',
    broken: 'INV-03',
    tell: (day) => {
      const index = at(day, 'stored', ({ what }) => what.kind === 'beat')
      const { atMs, sequence } = day[index] as StoredEntry
      const record = { term: 1, holder: 'b', city: 'c' }
      const claim: Entry = {
        atMs,
        kind: 'stored',
        sequence: sequence + 1,
        term: 1,
        epoch: sequence + 1,
        what: { kind: 'epoch', record },
        caughtUp: false,
      }
      return after(day, index, claim)
    },
  },
  {
    says: 'a sequence came again',
    broken: 'INV-04',
    tell: (day) =>
      changed(day, at(day, 'stored', storedRoom('square')), (entry: StoredEntry) => ({ ...entry, sequence: 1_001 })),
  },
  {
    says: 'a value was published that never held',
    broken: 'INV-05',
    tell: (day) =>
      changed(day, at(day, 'stored', storedRoom('square')), (entry: StoredEntry) => ({
        ...entry,
        what: { kind: 'room', room: roomOf('square', { online: 4, typing: 0 }) },
      })),
  },
  {
    says: 'more people were online than are members',
    broken: 'INV-08',
    tell: (day) => day.map((entry) => (entry.kind === 'truth' ? { ...entry, members: 1 } : entry)),
  },
  {
    says: 'the same was published twice',
    broken: 'INV-14',
    tell: (day) => {
      const index = at(day, 'stored', storedRoom('square'))
      return after(day, index, {
        ...(day[index] as StoredEntry),
        sequence: (day[index] as StoredEntry).sequence + 100_000,
      })
    },
  },
  {
    says: 'a room was published without a pause',
    broken: 'INV-14',
    tell: (day) => {
      const index = at(day, 'stored', storedRoom('square'))
      const entry = day[index] as StoredEntry
      const burst = Array.from({ length: 6 }, (_, one): Entry => ({
        ...entry,
        sequence: entry.sequence + 10_000 + one,
        what: { kind: 'room', room: roomOf('square', { online: one % 2, typing: 0 }) },
      }))
      return after(day, index, ...burst)
    },
  },
]

it.each(lies)('[K2] $broken: $says', (lie) => expectFound(lie))

const claim = (atMs: number, term: number, sequence: number): Entry => ({
  ...{ kind: 'stored', atMs, sequence, term, epoch: sequence, caughtUp: false },
  what: { kind: 'epoch', record: { term, holder: `pod-${term}`, city: 'c' } },
})
const beat = (atMs: number, term: number, epoch: number, sequence: number): Entry => ({
  ...{ kind: 'stored', atMs, sequence, term, epoch, caughtUp: false },
  what: { kind: 'beat', beat: { complete: true, rooms: 0, source: 'live', source_age_ms: 0 } },
})
const settings = { throttleMs: 300, staleAfterMs: 6_000, offlineGraceMs: 0 }

it.each([
  ['a claim has a sequence of before, and a new claim answers in time', 105, 2_000, 0],
  ['a claim has a sequence of before, and a new claim comes late', 105, 5_000, 1],
  ['a claim is above all sequences of before', 200, 2_000, 1],
])('[K2] once a store went back a word of another is excused only where %s', (_, sequence, answeredAtMs, found) => {
  const history: Entry[] = [
    claim(0, 1, 100),
    beat(500, 1, 100, 110),
    { kind: 'rolled-back', atMs: 600 },
    claim(700, 2, sequence),
    beat(1_000, 1, sequence, sequence + 1),
    claim(answeredAtMs, 3, sequence + 2),
  ]
  const violations = checkStream(history, { settings, truth: new Map(), excuses: [] })
  expect(violations.map(({ invariant }) => invariant)).toEqual(Array.from({ length: found }, () => 'INV-02'))
})
