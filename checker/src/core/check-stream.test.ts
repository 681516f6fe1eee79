import { it } from 'vitest'
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
