import fc from 'fast-check'
import { expect, it } from 'vitest'
import { anyActs, honestDay, settings } from '../testing/honest-day.ts'
import { mayLagMs, spansWithin, truthAt, truthOf } from './truth-spans.ts'

it('[K6] what held at any moment is what the last act before it said', () => {
  fc.assert(
    fc.property(anyActs, fc.nat(60_000), (acts, atMs) => {
      const day = honestDay(acts)
      const said = day.findLast((entry) => entry.kind === 'truth' && entry.slug === 'energy' && entry.atMs <= atMs)
      const held = truthAt(truthOf(day), 'energy', atMs)
      expect(held && [held.online, held.typing]).toEqual(
        said?.kind === 'truth' ? [said.online, said.typing] : undefined,
      )
    }),
  )
})

it('[K6] the spans of a time are those a walk over all of them finds', () => {
  fc.assert(
    fc.property(anyActs, fc.nat(60_000), fc.nat(10_000), (acts, fromMs, forMs) => {
      const truth = truthOf(honestDay(acts))
      const all = truth.get('energy') ?? []
      const wanted = all.filter((span) => span.fromMs <= fromMs + forMs && span.toMs >= fromMs)
      expect(spansWithin(truth, 'energy', fromMs, fromMs + forMs)).toEqual(wanted)
    }),
  )
})

it('[K6] a room that left the map has no truth any more', () => {
  const day = honestDay([{ slug: 'energy', online: 1, typing: 0, afterMs: 10 }])
  const truth = truthOf([...day, { atMs: 5_000, kind: 'truth-removed', slug: 'energy' }])
  expect(truthAt(truth, 'energy', 4_999)?.online).toBe(1)
  expect(truthAt(truth, 'energy', 5_000)).toBeUndefined()
})

it('[K6] how long a value may outlive its truth grows with each setting that delays it', () => {
  expect(mayLagMs(settings)).toBe(6_000 + 5_000 + 300 + 1_000)
})
