import fc from 'fast-check'
import { expect, it } from 'vitest'
import { grown } from './growable.ts'

it('[P4] an array grows with its content and zeros behind, and stays itself while it is large enough', () => {
  fc.assert(
    fc.property(fc.int32Array(), fc.nat({ max: 2000 }), (array, size) => {
      const larger = grown(array, size)
      expect(larger === array).toBe(size <= array.length)
      expect(larger.length).toBeGreaterThanOrEqual(size)
      expect([...larger.subarray(0, array.length)]).toEqual([...array])
      expect(larger.subarray(array.length).every((value) => value === 0)).toBe(true)
    }),
  )
})

it('[P4] growing one by one copies seldom: the size doubles', () => {
  let array: Float64Array = new Float64Array(0)
  const sizes = new Set<number>()
  for (let size = 1; size <= 10_000; size++) {
    array = grown(array, size)
    sizes.add(array.length)
  }
  expect([...sizes]).toEqual([64, 128, 256, 512, 1024, 2048, 4096, 8192, 16_384])
})
