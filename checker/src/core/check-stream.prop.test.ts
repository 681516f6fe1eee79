// Any honest day with one lie about what the stream stored, wherever it is told.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { anyActs, honestDay, membersOfEach, settings } from '../testing/honest-day.ts'
import { checkStream } from './check-stream.ts'
import type { Entry } from './history.ts'
import { excusesOf } from './excuses.ts'
import { truthOf } from './truth-spans.ts'

type StoredEntry = Extract<Entry, { kind: 'stored' }>
const brokenIn = (day: readonly Entry[]): readonly string[] =>
  checkStream(day, { settings, truth: truthOf(day), excuses: excusesOf(day) }).map(({ invariant }) => invariant)

/** The places of stored entries of this kind; the first rooms of a day stand in them always. */
const storedAt = (day: readonly Entry[], kind: StoredEntry['what']['kind']): number[] =>
  day.flatMap((entry, index) => (entry.kind === 'stored' && entry.what.kind === kind ? [index] : []))
const pickFrom = (places: readonly number[], pick: number): number => places[pick % places.length] ?? 0
const changed = (day: readonly Entry[], place: number, change: (entry: StoredEntry) => StoredEntry): Entry[] =>
  day.with(place, change(day[place] as StoredEntry))

const anyDay = anyActs.map((acts) => honestDay(acts))

it('[K2] an honest day has nothing to confess, nor has one whose numbers have gaps', () => {
  fc.assert(
    fc.property(anyDay, fc.nat(1_000), (day, gap) => {
      expect(brokenIn(day)).toEqual([])
      const spread = day.map((entry, index) =>
        entry.kind === 'stored' ? { ...entry, sequence: entry.sequence + index * gap } : entry,
      )
      // The claim's sequence is the epoch, and nobody reads more from it than that.
      expect(brokenIn(spread)).toEqual([])
    }),
  )
})

it('[K2] a number that is not above the last is found wherever it stands, and so is another voice after the claim', () => {
  fc.assert(
    fc.property(anyDay, fc.nat(), fc.boolean(), (day, pick, isTerm) => {
      const place = pickFrom(storedAt(day, 'beat'), pick)
      expect(brokenIn(changed(day, place, (entry) => ({ ...entry, sequence: 0 })))).toContain('INV-04')
      const voice = isTerm ? { term: 2 } : { epoch: 7 }
      expect(brokenIn(changed(day, place, (entry) => ({ ...entry, ...voice })))).toEqual(['INV-02'])
    }),
  )
})

it('[K2] a value that never held is found wherever it stands, and more people than members too', () => {
  fc.assert(
    fc.property(anyDay, fc.nat(), fc.integer({ min: 1, max: 5 }), (day, pick, more) => {
      const place = pickFrom(storedAt(day, 'room'), pick)
      const lie = changed(day, place, (entry) => {
        const { what } = entry
        if (what.kind !== 'room') return entry
        return { ...entry, what: { kind: 'room', room: { ...what.room, online_count: membersOfEach + more } } }
      })
      expect([...new Set(brokenIn(lie))].sort()).toEqual(['INV-05', 'INV-08'])
      // The beat of its own batch says that nobody is to believe it: then nothing is held against it.
      const beatPlace = lie.findIndex((one, at) => at > place && one.kind === 'stored' && one.what.kind === 'beat')
      if (beatPlace < 0) return
      const marked = changed(lie, beatPlace, (entry) =>
        entry.what.kind === 'beat'
          ? { ...entry, what: { kind: 'beat', beat: { ...entry.what.beat, source: 'stale' as const } } }
          : entry,
      )
      expect(brokenIn(marked)).toEqual([])
    }),
  )
})

it('[K2] saying a room once more is found, unless a new epoch began in between', () => {
  fc.assert(
    fc.property(anyDay, fc.nat(), (day, pick) => {
      const place = pickFrom(storedAt(day, 'room'), pick)
      const entry = day[place] as StoredEntry
      const last = day.findLast((one): one is StoredEntry => one.kind === 'stored')?.sequence ?? 0
      const shifted = day.map((one, index) =>
        one.kind === 'stored' && index > place ? { ...one, sequence: one.sequence + last } : one,
      )
      const again: StoredEntry = { ...entry, sequence: last + 2 }
      expect(
        brokenIn([
          ...shifted.slice(0, place + 1),
          again,
          ...shifted
            .slice(place + 1)
            .map((one) => (one.kind === 'stored' ? { ...one, sequence: one.sequence + last } : one)),
        ]),
      ).toContain('INV-14')
      const epoch = last + 1
      const record = { term: 2, holder: 'b', city: 'c' }
      const claim: StoredEntry = { ...entry, sequence: epoch, term: 2, epoch, what: { kind: 'epoch', record } }
      const anew: StoredEntry = { ...again, term: 2, epoch }
      expect(brokenIn([...day.slice(0, place + 1), claim, anew])).not.toContain('INV-14')
    }),
  )
})
