import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createLogSampler, overflowKey, sample, takeSuppressed } from './log-sampler.ts'

const windowMs = 1000
const anyLines = fc.array(
  fc.record({ key: fc.constantFrom('a', 'b', 'c'), waitMs: fc.integer({ min: 0, max: 700 }) }),
  {
    maxLength: 100,
  },
)

it('[C7] two lines of one kind are at least a window apart', () => {
  fc.assert(
    fc.property(anyLines, (lines) => {
      const sampler = createLogSampler(windowMs, 256)
      const lastWrittenMs = new Map<string, number>()
      let nowMs = 0
      for (const { key, waitMs } of lines) {
        nowMs += waitMs
        if (!sample(sampler, key, nowMs).write) continue
        expect(nowMs - (lastWrittenMs.get(key) ?? -windowMs)).toBeGreaterThanOrEqual(windowMs)
        lastWrittenMs.set(key, nowMs)
      }
    }),
  )
})

it('[C7] written lines and told counts add up to the lines that were offered', () => {
  fc.assert(
    fc.property(anyLines, fc.integer({ min: 1, max: 4 }), (lines, keysMax) => {
      const sampler = createLogSampler(windowMs, keysMax)
      let told = 0
      let nowMs = 0
      for (const { key, waitMs } of lines) {
        nowMs += waitMs
        const { write, suppressed } = sample(sampler, key, nowMs)
        if (write) told += 1 + suppressed
      }
      for (const { suppressed } of takeSuppressed(sampler)) told += suppressed
      expect(told).toBe(lines.length)
    }),
  )
})

it('[C7] a flood of invented kinds neither fills the table nor buys lines', () => {
  const sampler = createLogSampler(windowMs, 16)
  let written = 0
  for (let kind = 0; kind < 100_000; kind++) if (sample(sampler, `kind ${kind}`, 0).write) written++
  expect(sampler.kinds.size).toBeLessThanOrEqual(16)
  expect(written).toBeLessThanOrEqual(16)
  expect(sampler.kinds.get(overflowKey)?.suppressed).toBe(100_000 - 16)
})

it('[C7] kinds gone quiet make room for new ones', () => {
  const sampler = createLogSampler(windowMs, 3)
  sample(sampler, 'a', 0)
  sample(sampler, 'b', 0)
  expect(sample(sampler, 'c', 10).key).toBe(overflowKey)
  expect(sample(sampler, 'c', 5000).key).toBe('c')
})
