// Terms of a Lease against the plain picture: a list of ranges, one after the other.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { areOfOneHolding, firstTermOf, termsEach, transitionsFor } from './lease-terms.ts'

const transitions = fc.integer({ min: 0, max: 2 ** 31 - 1 })
const within = fc.integer({ min: 0, max: termsEach - 1 })

it('[L16] a term belongs to one number of transitions, and higher transitions open higher terms', () => {
  fc.assert(
    fc.property(transitions, transitions, within, within, (one, other, a, b) => {
      const [first, second] = [firstTermOf(one) + a, firstTermOf(other) + b]
      expect(areOfOneHolding(first, second)).toBe(one === other)
      if (one < other) expect(first).toBeLessThan(second)
      expect(Number.isSafeInteger(first)).toBe(true)
    }),
  )
})

it('[L16] what a term needs is the least number of transitions whose terms are all at or above it', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: firstTermOf(2 ** 31 - 1) }), (term) => {
      const needed = transitionsFor(term)
      expect(firstTermOf(needed)).toBeGreaterThanOrEqual(term)
      expect(firstTermOf(needed - 1)).toBeLessThan(term)
    }),
  )
})
