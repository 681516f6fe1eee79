import fc from 'fast-check'
import { expect, it } from 'vitest'
import { sizeOf, slopesOf, type Slopes } from './sizing.ts'

const slopes: fc.Arbitrary<Slopes> = fc.record({
  writeMicros: fc.double({ min: 1, max: 200, noNaN: true }),
  idleMicrosPerS: fc.double({ min: 0.1, max: 20, noNaN: true }),
  connectionBytes: fc.integer({ min: 1_000, max: 100_000 }),
  gatewayBytes: fc.integer({ min: 1e6, max: 1e9 }),
})
const need = fc.record({
  browsers: fc.integer({ min: 1, max: 10_000_000 }),
  changesPerS: fc.integer({ min: 0, max: 1_000 }),
})

it('[BN5] all browsers have room, at least two gateways, none beyond 10,000 browsers, none whose last browser waits beyond half a second', () => {
  fc.assert(
    fc.property(need, slopes, (city, costs) => {
      const size = sizeOf(city, costs)
      expect(size.gateways).toBeGreaterThanOrEqual(2)
      expect(size.gateways * size.browsersEach).toBeGreaterThanOrEqual(city.browsers)
      expect(size.browsersEach).toBeLessThanOrEqual(10_000)
      expect(size.ageMs).toBeLessThanOrEqual(500.000_1)
      expect(size.cores).toBeLessThanOrEqual(size.gateways)
    }),
  )
})

it('[BN5] a larger city never needs less, and a busier one costs processor and bandwidth, not gateways', () => {
  fc.assert(
    fc.property(need, slopes, (city, costs) => {
      const [size, larger, busier] = [
        sizeOf(city, costs),
        sizeOf({ ...city, browsers: city.browsers * 2 }, costs),
        sizeOf({ ...city, changesPerS: city.changesPerS + 1 }, costs),
      ]
      expect(larger.gateways).toBeGreaterThanOrEqual(size.gateways)
      expect(larger.bytesPerS).toBe(2 * size.bytesPerS)
      expect(busier.gateways).toBe(size.gateways)
      expect(busier.cores).toBeGreaterThanOrEqual(size.cores)
    }),
  )
})

it('[BN5] without the rows that it is made of there is no size', () => {
  expect(slopesOf({ machine: '', rows: {} })).toBeUndefined()
})
