// Houses: the same room always has the same one, and its lights count people.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { buildingOf, litWindows, outlinePath, sizeOf, windowsPath } from './building.ts'

const slug = fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,62}$/)

it('[B14] a room has the same house on every page, with each window once in its order', () => {
  fc.assert(
    fc.property(slug, (name) => {
      const house = buildingOf(name)
      expect(buildingOf(name)).toEqual(house)
      const windows = Array.from({ length: house.columns * house.storeys }, (_, index) => index)
      expect([...house.order].sort((a, b) => a - b)).toEqual(windows)
    }),
  )
})

it('[B14] one more person lights one more window and darkens none, until the house is full', () => {
  fc.assert(
    fc.property(slug, fc.nat(60), (name, online) => {
      const house = buildingOf(name)
      const [fewer, more] = [litWindows(house, online), litWindows(house, online + 1)]
      expect(fewer.length).toBe(Math.min(online, house.order.length))
      expect(more.slice(0, fewer.length)).toEqual(fewer)
    }),
  )
})

it('[B14] every window lies inside the walls', () => {
  fc.assert(
    fc.property(slug, (name) => {
      const house = buildingOf(name)
      const { width, height, roofHeight } = sizeOf(house)
      expect(outlinePath(house)).toMatch(/^M0 0.*Z$/)
      for (const [, x = '', y = ''] of windowsPath(house, house.order).matchAll(/M([\d.-]+) ([\d.-]+)/g)) {
        expect(Number(x)).toBeGreaterThan(0)
        expect(Number(x) + 7).toBeLessThan(width)
        expect(Number(y)).toBeGreaterThan(roofHeight - height)
        expect(Number(y)).toBeLessThan(0)
      }
    }),
  )
})
