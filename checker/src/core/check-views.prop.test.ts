// Any honest day in which a screen was not told something, whichever it is.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { anyActs, honestDay, settings, viewOf } from '../testing/honest-day.ts'
import { viewChecks } from './check-views.ts'
import { replay } from './connections.ts'
import { excusesOf } from './excuses.ts'
import type { Entry } from './history.ts'
import { mayLagMs, truthOf } from './truth-spans.ts'
import type { Violation } from './violation.ts'

function brokenIn(day: readonly Entry[]): readonly string[] {
  const found: Violation[] = []
  const beatsMs = day.flatMap((entry) =>
    entry.kind === 'stored' && entry.what.kind === 'beat' && entry.what.beat.complete ? [entry.atMs] : [],
  )
  replay(day, viewChecks({ truth: truthOf(day), settings, excuses: excusesOf(day), beatsMs }, found))
  return found.map(({ invariant }) => invariant)
}

const anyWitness = fc.constantFrom('ada', 'bob')
/** Days at whose end a room changed, and one more after which longer passed than a value may outlive its truth. */
const quietMs = mayLagMs(settings) + 2_000
const anyChangingActs = anyActs.map((acts) => {
  const last = acts.findLast(({ slug }) => slug === 'energy') ?? { online: 0, typing: 0 }
  return [...acts, { slug: 'energy', online: (last.online + 1) % 10, typing: 1, afterMs: 10 }]
})

it('[K4] an honest day has nothing to confess, however many look on', () => {
  fc.assert(
    fc.property(anyActs, fc.uniqueArray(fc.constantFrom('ada', 'bob', 'cem', 'dia')), (acts, witnesses) => {
      expect(brokenIn(honestDay(acts, witnesses))).toEqual([])
    }),
  )
})

it('[K4] whoever was not told of the last change shows something else than the truth when all is quiet', () => {
  fc.assert(
    fc.property(anyChangingActs, anyWitness, (acts, witness) => {
      const day = honestDay(acts)
      const place = day.findLastIndex(
        (entry) => entry.kind === 'frame' && entry.witness === witness && entry.message.type === 'room.presence',
      )
      expect(brokenIn(day.toSpliced(place, 1))).toEqual(['INV-01'])
    }),
  )
})

it('[K4] and where that lasts for longer than trouble may go unnoticed, it is untrue without a mark', () => {
  fc.assert(
    fc.property(anyChangingActs, anyWitness, (acts, witness) => {
      const day = honestDay([...acts, { slug: 'square', online: 9, typing: 0, afterMs: quietMs }])
      const untold = day.filter(
        (entry) =>
          !(
            entry.kind === 'frame' &&
            entry.witness === witness &&
            entry.message.type === 'room.presence' &&
            entry.message.room_slug === 'energy' &&
            entry.message.typing_count === 1 &&
            entry.atMs > (day.at(-1)?.atMs ?? 0) - quietMs - 3_000
          ),
      )
      fc.pre(untold.length < day.length)
      expect(brokenIn(untold)).toContain('INV-07')
      // Marked, it may stand there: but not when all is quiet.
      const mark = (stale: boolean, atMs: number): Entry => ({
        atMs,
        kind: 'frame',
        witness,
        connection: 1,
        message: { type: 'status', stale },
      })
      const first = untold.findIndex((entry) => entry.kind === 'truth' && entry.atMs > 10)
      const marked = untold.toSpliced(first, 0, mark(true, untold[first]?.atMs ?? 0))
      expect([...new Set(brokenIn(marked))]).toEqual(['INV-01'])
    }),
  )
})

it('[K4] a newcomer who is told a city with rooms missing is fresh is found, whichever rooms they are', () => {
  const slugs = ['energy', 'square', 'harbour']
  fc.assert(
    fc.property(anyActs, fc.subarray(slugs, { maxLength: 2 }), (acts, told) => {
      const day = honestDay([...acts, { slug: 'square', online: 1, typing: 0, afterMs: quietMs }])
      const atMs = day.at(-1)?.atMs ?? 0
      const who = { witness: 'late', connection: 1 }
      const rooms = told.map((slug) => viewOf(slug, new Map()))
      const joining: Entry[] = [
        { atMs, kind: 'opened', ...who },
        { atMs, kind: 'frame', ...who, message: { type: 'snapshot', rooms } },
        { atMs, kind: 'frame', ...who, message: { type: 'status', stale: false } },
      ]
      expect(brokenIn([...day, ...joining]).filter((broken) => broken === 'INV-08')).toHaveLength(1)
      const honest = slugs.map((slug) => viewOf(slug, new Map()))
      const whole = joining.map((entry) =>
        entry.kind === 'frame' && entry.message.type === 'snapshot'
          ? { ...entry, message: { ...entry.message, rooms: honest } }
          : entry,
      )
      expect(brokenIn([...day, ...whole])).not.toContain('INV-08')
    }),
  )
})

it('[K4] a silence of the beat above seven seconds without a mark is found for everybody who looks on, a shorter one for nobody', () => {
  fc.assert(
    fc.property(anyActs, fc.integer({ min: 1_000, max: 20_000 }), (acts, silenceMs) => {
      const day = honestDay([...acts, { slug: 'square', online: 1, typing: 0, afterMs: 40_000 }])
      const endMs = (day.at(-1)?.atMs ?? 0) - 2_000
      const silent = day.filter(
        (entry) =>
          !(
            entry.kind === 'stored' &&
            entry.what.kind === 'beat' &&
            entry.atMs > endMs - silenceMs &&
            entry.atMs < endMs
          ),
      )
      const beats = silent.flatMap((entry) =>
        entry.kind === 'stored' && entry.what.kind === 'beat' ? [entry.atMs] : [],
      )
      const longestMs = Math.max(0, ...beats.map((atMs, index) => (beats[index + 1] ?? atMs) - atMs))
      expect(brokenIn(silent)).toEqual(longestMs > 7_000 ? ['INV-07', 'INV-07'] : [])
    }),
  )
})
