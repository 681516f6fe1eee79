// The shared flush and its tails.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { buildFlush, tailAfter } from './flush.ts'
import { pingFrame, textFrame } from './frames.ts'

it('[G12] a flush is all frames in one buffer, with or without the ping; its tail after a mark is what came later', () => {
  const gaps = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 20 })
  fc.assert(
    fc.property(gaps, fc.nat(70), fc.boolean(), (steps, after, withPing) => {
      let mark = 0
      const parts = steps.map((step) => ({ mark: (mark += step), bytes: textFrame(`frame ${mark}`) }))
      const flush = buildFlush(parts, 0, mark, withPing ? 7 : 0)
      const all = Buffer.concat(parts.map(({ bytes }) => bytes))
      expect(flush.frames.equals(all)).toBe(true)
      expect(flush.framesAndPing.equals(withPing ? Buffer.concat([all, pingFrame(7)]) : all)).toBe(true)
      const later = parts.filter((part) => part.mark > after).map(({ bytes }) => bytes)
      expect(tailAfter(flush, after).equals(Buffer.concat(later))).toBe(true)
      // Shared memory: a tail costs a reader no copy.
      expect(tailAfter(flush, after).buffer).toBe(flush.framesAndPing.buffer)
    }),
  )
})
