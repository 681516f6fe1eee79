import fc from 'fast-check'
import { expect, it } from 'vitest'
import { covers } from './in-sync.ts'

const scalar = fc.oneof(fc.integer(), fc.string({ maxLength: 3 }), fc.boolean())
const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 3 },
    scalar,
    fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('tree'), { noNullPrototype: true }),
    fc.array(scalar, { maxLength: 3 }),
  ),
}))

it('[OP5] an object covers itself, with whatever others add beside it', () => {
  fc.assert(
    fc.property(tree, tree, (wanted, more) => {
      expect(covers(wanted, wanted)).toBe(true)
      expect(covers({ wanted, more }, { wanted })).toBe(true)
      expect(covers({ more }, { more, wanted: {} })).toBe(true)
    }),
  )
})

it('[OP5] a value that was changed or taken away is seen, wherever it stands', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 4 }),
      scalar,
      scalar,
      (path, is, was) => {
        const at = (value: unknown): unknown => path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value)
        expect(covers(at(is), at(was))).toBe(is === was)
        expect(covers({}, at(was))).toBe(false)
      },
    ),
  )
})

it('[OP5] entries of keyed lists are found wherever they stand; others may be among them', () => {
  const names = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 3 }), { minLength: 1 })
  fc.assert(
    fc.property(names, fc.nat(), (all, seed) => {
      const wanted = all.map((name, index) => ({ name, value: index }))
      const live = [...wanted.map((one) => ({ ...one, more: 1 })), { name: 'of somebody else' }]
      const turned = [...live.slice(seed % live.length), ...live.slice(0, seed % live.length)]
      expect(covers(turned, wanted)).toBe(true)
      expect(covers(turned.slice(1), wanted)).toBe(turned[0]?.name === 'of somebody else')
    }),
  )
})
