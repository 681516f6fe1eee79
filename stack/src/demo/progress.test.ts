// The line of every second, and the verdict.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { percentile, progressLine, whyNotLived, type Outcome } from './progress.ts'

it('[S20] the line tells people, changes, frames and latency', () => {
  const facts = { elapsedMs: 12_004, residents: 40, online: 9, changes: 31, frames: 27, throttleMs: 3_000 }
  expect(progressLine({ ...facts, samplesMs: [] })).toBe(
    '  12 s   9 of 40 people online, 31 changes, 27 frames, Matrix to browser not timed yet',
  )
  expect(progressLine({ ...facts, samplesMs: [], leader: 'aggregator 2 leads (process 7)' })).toMatch(
    /not timed yet, aggregator 2 leads \(process 7\)$/,
  )
  expect(progressLine({ ...facts, samplesMs: [30, 10, 20.4] })).toContain(
    'Matrix to browser p50 20 ms, p99 30 ms (throttle of 3000 ms apart)',
  )
})

it('[S20] a percentile is a measured value with that share of the values at or below it', () => {
  const values = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 200 })
  fc.assert(
    fc.property(values, fc.integer({ min: 1, max: 100 }), (samples, percent) => {
      const value = percentile(samples, percent)
      const atOrBelow = samples.filter((sample) => sample <= value).length
      const below = samples.filter((sample) => sample < value).length
      expect(samples).toContain(value)
      expect(atOrBelow * 100).toBeGreaterThanOrEqual(percent * samples.length)
      expect(below * 100).toBeLessThan(percent * samples.length)
    }),
  )
})

const lived: Outcome = {
  snapshots: [1, 1],
  updates: [10, 9],
  changes: 20,
  lastFailure: undefined,
  betweenGateways: [],
  toTruth: [],
}

it('[S20] a city lived when both gateways showed it, agree, and say what Synapse says', () => {
  expect(whyNotLived(lived)).toBeUndefined()
})

it.each<[Partial<Outcome>, string]>([
  [{ changes: 0, lastFailure: 'refused' }, 'No resident could do anything on Synapse. The last failure was: refused'],
  [{ snapshots: [1, 0] }, 'never sent its snapshot'],
  [{ updates: [0, 5] }, 'never sent an update'],
  [{ betweenGateways: ['market: 1 and 2'] }, 'The gateways disagree: market: 1 and 2.'],
  [{ toTruth: ['market: 1 and 2'] }, 'differ from Synapse: market: 1 and 2.'],
])('[S20] %o is a city that did not live', (change, sentence) => {
  expect(whyNotLived({ ...lived, ...change })).toContain(sentence)
})
