import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createFreshness, endWrite, noteSource, staleAfterMs, staleReason } from './freshness.ts'

const write = fc.record({
  afterMs: fc.oneof(fc.nat(2_000), fc.integer({ min: staleAfterMs - 2, max: staleAfterMs + 2 })),
  kind: fc.constantFrom('claim' as const, 'beat' as const),
  complete: fc.boolean(),
  source: fc.constantFrom('live' as const, 'stale' as const),
})

it('[G40] fresh is what the second of two words says, neither of them after a silence, and both lately', () => {
  fc.assert(
    fc.property(fc.array(write, { maxLength: 40 }), fc.nat(8_000), (writes, waitMs) => {
      const freshness = createFreshness()
      let nowMs = 0
      const heard: { atMs: number; kind: string }[] = []
      let source: string | undefined
      let completeAtMs: number | undefined
      for (const { afterMs, kind, complete, source: said } of writes) {
        nowMs += afterMs
        endWrite(freshness, kind, nowMs)
        heard.push({ atMs: nowMs, kind })
        if (kind !== 'beat') continue
        noteSource(freshness, { complete, source: said, rooms: 0, source_age_ms: 0 })
        if (complete || said === 'stale') source = said
        if (complete) freshness.completeAtMs = completeAtMs = nowMs
      }
      nowMs += waitMs
      const isLate = (atMs: number | undefined): boolean => atMs === undefined || nowMs - atMs > staleAfterMs
      // The dumb twin looks through everything that was ever heard.
      const proven = heard.filter(
        ({ atMs, kind }, index) => kind === 'beat' && index > 0 && atMs - (heard[index - 1]?.atMs ?? 0) < staleAfterMs,
      )
      const wanted = isLate(proven.at(-1)?.atMs)
        ? 'no-beat'
        : isLate(completeAtMs)
          ? 'incomplete'
          : source === 'stale'
            ? 'source'
            : undefined
      expect(staleReason(freshness, nowMs)).toBe(wanted)
    }),
  )
})
