import fc from 'fast-check'
import { expect, it } from 'vitest'
import { canonical, fingerprint } from './fingerprint.ts'

it('[OD1] the order of keys and what is undefined change no fingerprint; every other change does', () => {
  const value = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 }), { noNullPrototype: true })
  fc.assert(
    fc.property(value, value, fc.string(), (one, other, key) => {
      const turned = Object.fromEntries(Object.entries(one).reverse())
      expect(fingerprint({ ...turned, ...(!(key in one) && { [key]: undefined }) })).toBe(fingerprint(one))
      expect(fingerprint(one) === fingerprint(other)).toBe(canonical(one) === canonical(other))
      expect(JSON.parse(canonical(one))).toEqual(JSON.parse(JSON.stringify(one)))
    }),
  )
})

it('[OD1] a hundred thousand values that differ by a letter have a hundred thousand fingerprints', () => {
  const all = new Set(Array.from({ length: 100_000 }, (_, index) => fingerprint({ name: `city-${index}` })))
  expect(all.size).toBe(100_000)
})
