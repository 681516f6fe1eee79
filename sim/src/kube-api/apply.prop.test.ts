import fc from 'fast-check'
import { expect, it } from 'vitest'
import { applyTo, leavesOf, type Fields, type Json, type Owned } from './apply.ts'

const anyScalar: fc.Arbitrary<Json> = fc.constantFrom<Json>(1, 2, 'a', true, null)
const anyItem = (key: string): fc.Arbitrary<Fields> =>
  fc
    .tuple(fc.constantFrom('x', 'y/z', 'w~1'), fc.dictionary(fc.constantFrom('p', 'q'), anyScalar))
    .map(([name, more]) => ({ [key]: name, ...more }))
const listOf = (key: string): fc.Arbitrary<Json> =>
  fc.uniqueArray(anyItem(key), { maxLength: 3, selector: (item) => item[key] })
const anyIntent: fc.Arbitrary<Fields> = fc.record(
  {
    spec: fc.record(
      {
        replicas: anyScalar,
        volumes: listOf('name'),
        volumeMounts: listOf('mountPath'),
        conditions: listOf('type'),
        list: fc.array(anyScalar, { maxLength: 2 }),
        deep: fc.dictionary(fc.constantFrom('a/b', 'c'), fc.dictionary(fc.constantFrom('d', 'e'), anyScalar)),
      },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: [] },
)

const none: Owned = new Set()
const leaves = (object: Fields): string[] =>
  [...leavesOf(object)].map(([path, value]) => `${path}=${JSON.stringify(value)}`).sort()

it('[OT1] who applies alone gets what he applied last, whatever came before', () => {
  fc.assert(
    fc.property(fc.array(anyIntent, { minLength: 1, maxLength: 5 }), (intents) => {
      let [object, owned]: [Fields, Owned] = [{}, none]
      for (const intent of intents) ({ object, owned } = applyTo(object, intent, owned, none))
      const last = intents.at(-1) ?? {}
      expect(leaves(object).filter((leaf) => !/=(\{\}|\[\])$/.test(leaf))).toEqual(
        leaves(last).filter((leaf) => !/=(\{\}|\[\])$/.test(leaf)),
      )
      expect([...owned].sort()).toEqual([...leavesOf(last).keys()].sort())
    }),
    { numRuns: 500 },
  )
})

it('[OT1] of two that apply, each keeps what only he wants', () => {
  fc.assert(
    fc.property(anyIntent, anyIntent, (mine, theirs) => {
      const first = applyTo({}, mine, none, none)
      const second = applyTo(first.object, theirs, none, first.owned)
      const gone = applyTo(second.object, {}, second.owned, first.owned)
      const kept = new Set([...leavesOf(gone.object)].map(([path]) => path))
      for (const [path, value] of leavesOf(mine))
        if (
          !['{}', '[]'].includes(JSON.stringify(value)) &&
          ![...second.owned].some((one) => one !== path && (one.startsWith(`${path}/`) || path.startsWith(`${one}/`)))
        )
          expect(kept.has(path)).toBe(true)
    }),
  )
})
