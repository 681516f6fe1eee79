import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createIdTable, intern, nameOf, release } from './id-table.ts'

const anyName = fc.constantFrom('a', 'b', 'c', 'd', '__proto__', 'constructor')

it('[P4] numbers and names belong together, and a number that was given back is used again', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), anyName), { size: 'max', maxLength: 60 }), (steps) => {
      const table = createIdTable()
      const twin = new Map<string, number>()
      let mostAtOnce = 0
      for (const [comes, name] of steps) {
        if (comes) twin.set(name, intern(table, name))
        else {
          release(table, twin.get(name) ?? -1)
          twin.delete(name)
        }
        mostAtOnce = Math.max(mostAtOnce, twin.size)
        expect(table.indexOf).toEqual(twin)
        expect(new Set(twin.values()).size).toBe(twin.size)
        for (const [known, index] of twin) expect(nameOf(table, index)).toBe(known)
      }
      expect(table.names).toHaveLength(mostAtOnce)
      expect(table.free).toHaveLength(mostAtOnce - twin.size)
    }),
  )
})

it('[P4] giving a number back twice gives it out once', () => {
  const table = createIdTable()
  const index = intern(table, 'a')
  release(table, index)
  release(table, index)
  expect([intern(table, 'b'), intern(table, 'c')]).toEqual([0, 1])
})
