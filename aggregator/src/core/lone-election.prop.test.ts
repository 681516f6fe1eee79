// The election without a Lease: silence is the only vote.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { hearBeat, mayTry, nextTryAtMs, silenceMs, startWaiting } from './lone-election.ts'

it('[L8] nobody tries before five seconds of silence, whatever was heard before, and then everybody may', () => {
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
