import fc from 'fast-check'
import { expect, it } from 'vitest'
import { linksMax, noCauses, spanFor, withCause } from './causes.ts'

const few = fc.integer({ min: 0, max: 30 }).map((number) => `trace-${number}`)

it('[C29] a span belongs to the first cause and links the others, each once, seventeen at most', () => {
  fc.assert(
    fc.property(fc.array(fc.option(few, { nil: undefined }), { maxLength: 80 }), (changes) => {
      const sampled = [...new Set(changes.filter((cause) => cause !== undefined))].slice(0, linksMax + 1)
      const causes = changes.reduce(withCause, noCauses)
      expect(causes).toEqual(sampled)
      const span = spanFor(causes)
      if (sampled.length === 0) expect(span).toBeUndefined()
      else expect([span?.parent, ...(span?.links ?? [])]).toEqual(sampled)
    }),
  )
})

it('[C29] what adds nothing is the same list', () => {
  const causes = ['a', 'b']
  expect(withCause(causes, undefined)).toBe(causes)
  expect(withCause(causes, 'b')).toBe(causes)
})
