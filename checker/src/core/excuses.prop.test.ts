// What faults excuse, against a plain list of when each lasted.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { blindMsAt, excusesOf, isAsKnown } from './excuses.ts'
import type { Entry } from './history.ts'

const typingMaxMs = 130_000
const anyFault = fc.record({
  fromMs: fc.nat(1_000),
  lastsMs: fc.nat(1_000),
  blindMs: fc.constantFrom(0, 50, 400),
  breaksPolls: fc.boolean(),
})
const anyFaults = fc.array(anyFault, { maxLength: 6 })
type Fault = typeof anyFault extends fc.Arbitrary<infer T> ? T : never

const recorded = (faults: readonly Fault[]): readonly Entry[] =>
  faults
    .flatMap(({ fromMs, lastsMs, blindMs, breaksPolls }, index): Entry[] =>
      (['begins', 'ends'] as const).map((phase) => ({
        atMs: phase === 'begins' ? fromMs : fromMs + lastsMs,
        kind: 'fault',
        id: `F${index}`,
        phase,
        blindMs,
        breaksPolls,
      })),
    )
    // Of one moment all begins come first.
    .sort((one, other) => one.atMs - other.atMs || (one.kind === 'fault' && one.phase === 'begins' ? -1 : 1))

const lasting = (faults: readonly Fault[], atMs: number): readonly Fault[] =>
  faults.filter(({ fromMs, lastsMs, blindMs, breaksPolls }) => {
    const afterMs = Math.max(blindMs, breaksPolls ? typingMaxMs : 0)
    return (blindMs > 0 || breaksPolls) && atMs >= fromMs && atMs <= fromMs + lastsMs + afterMs
  })

it('[K6] at any moment the longest blindness of the faults that last, or ended less than it ago, is excused', () => {
  fc.assert(
    fc.property(anyFaults, fc.nat(3_000), (faults, atMs) => {
      const blind = lasting(faults, atMs).map(({ blindMs }) => blindMs)
      expect(blindMsAt(excusesOf(recorded(faults)), atMs)).toBe(Math.max(0, ...blind))
    }),
  )
})

it('[K6] people are never excused, and typing only where it is shown as nobody while polls may have been broken', () => {
  const anyCounts = fc.record({ online: fc.nat(2), typing: fc.nat(2) })
  fc.assert(
    fc.property(anyFaults, fc.nat(140_000), anyCounts, anyCounts, (faults, atMs, held, shown) => {
      const mayBeForgotten = lasting(faults, atMs).some(({ breaksPolls }) => breaksPolls)
      const isRight =
        held.online === shown.online && (held.typing === shown.typing || (shown.typing === 0 && mayBeForgotten))
      expect(isAsKnown(excusesOf(recorded(faults)), atMs, held, shown)).toBe(isRight)
    }),
  )
})
