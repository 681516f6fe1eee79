// Looks at a clock, some of them late, and answers that came while nobody looked.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { firstLook, hereSince, look, lookEveryMs, type Standstill } from './standstill.ts'

const at = (ms: number) => ({ wallMs: 1_000_000 + ms, monotonicMs: ms })

function looksAt(times: readonly number[]): Standstill {
  return times.slice(1).reduce((before, ms) => look(before, at(ms)), firstLook(at(times[0] ?? 0)))
}

it('[M53] what is read right after a standstill may have been here since it began; later it came when it was read', () => {
  const stood = looksAt([0, 250, 500, 20_500])
  expect([20_500, 21_500, 21_501].map((ms) => hereSince(stood, at(ms)).monotonicMs)).toEqual([500, 500, 21_501])
  // Read before it stood still.
  expect(hereSince(stood, at(400)).monotonicMs).toBe(400)
  expect(hereSince(looksAt([0, 250, 1_500]), at(1_500)).monotonicMs).toBe(1_500)
})

it('[M53] an answer is never taken for newer than it came, by more than a busy turn', () => {
  const gaps = fc.array(
    fc.oneof(fc.integer({ min: lookEveryMs, max: 1_200 }), fc.integer({ min: 1_300, max: 60_000 })),
    {
      minLength: 1,
      maxLength: 20,
    },
  )
  fc.assert(
    fc.property(gaps, fc.double({ min: 0, max: 1, noNaN: true }), (all, share) => {
      const times = all.reduce<number[]>((before, gap) => [...before, (before.at(-1) ?? 0) + gap], [0])
      const [before = 0, now = 0] = times.slice(-2)
      // It came between the last two looks, and was read at the second.
      const cameMs = before + (now - before) * share
      const since = hereSince(looksAt(times), at(now))
      expect(since.monotonicMs - cameMs).toBeLessThanOrEqual(lookEveryMs + 1_000)
      expect(since.monotonicMs).toBeLessThanOrEqual(now)
      expect(since.wallMs - since.monotonicMs).toBe(1_000_000)
    }),
  )
})
