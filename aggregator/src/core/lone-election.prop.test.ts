// The election without a Lease: silence is the only vote.
import { transitionsBelievedMax } from '@citypresence/chassis/core/lease-record'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { transitionsFor } from './lease-terms.ts'
import { hearBeat, mayTry, nextTryAtMs, silenceMs, startWaiting, termFloorAt } from './lone-election.ts'

it('[L8] nobody tries before four seconds of silence, whatever was heard before, and then everybody may', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(20_000)),
      fc.oneof(fc.nat(30_000), fc.constantFrom(silenceMs - 1, silenceMs)),
      (gapsMs, waitMs) => {
        let nowMs = 1_000
        let election = startWaiting(nowMs)
        for (const gapMs of gapsMs) election = hearBeat(election, (nowMs += gapMs))
        expect(mayTry(election, nowMs + waitMs)).toBe(waitMs >= silenceMs)
        expect(nextTryAtMs(election)).toBe(nowMs + silenceMs)
      },
    ),
  )
})

it('[L14] terms grow with the wall clock: a later claim has a higher term, whatever was lost', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4e12 }), fc.integer({ min: 1_000, max: 1e9 }), (wallMs, laterMs) => {
      const [one, other] = [termFloorAt(wallMs), termFloorAt(wallMs + laterMs)]
      expect(other >= one && Number.isSafeInteger(one) && one >= 0).toBe(true)
      if (one > 0) expect(other).toBeGreaterThan(one)
    }),
  )
  // What a Lease is believed to count.
  expect(transitionsFor(termFloorAt(Date.UTC(2054, 0)))).toBeLessThan(transitionsBelievedMax)
})
