// Typed arrays that grow: by doubling, so that growing costs a constant time for each number over a life.

// Smaller ones would double too often at the start of every city.
const capacityMin = 64

const capacityFor = (current: number, size: number): number => Math.max(capacityMin, current * 2, size)

/** The same array where it is large enough, else a larger one with the same content and zeros behind. */
export function grown<A extends Uint8Array | Int32Array | Float64Array>(array: A, size: number): A {
  if (size <= array.length) return array
  const Kind = array.constructor as new (length: number) => A
  const larger = new Kind(capacityFor(array.length, size))
  larger.set(array)
  return larger
}
