// Places against a list in which everybody stands by name.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createPlaces, leavePlace, takePlace } from './places.ts'

const act = fc.record({ comes: fc.boolean(), key: fc.constantFrom('a', 'b', '__proto__', '') })

it('[G34] nobody holds more places than there are, who left frees one, and nothing is kept of who is gone', () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 60 }), fc.integer({ min: 1, max: 4 }), (acts, max) => {
      const places = createPlaces()
      const inside: string[] = []
      for (const { comes, key } of acts) {
        if (comes) {
          const wanted = inside.filter((one) => one === key).length < max
          expect(takePlace(places, key, max)).toBe(wanted)
          if (wanted) inside.push(key)
        } else if (inside.includes(key)) {
          inside.splice(inside.indexOf(key), 1)
          leavePlace(places, key)
        }
        expect([...places.keys()].sort()).toEqual([...new Set(inside)].sort())
      }
      for (const key of inside) leavePlace(places, key)
      expect(places.size).toBe(0)
    }),
  )
})
