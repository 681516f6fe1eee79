// Random numbers that a seed decides, as values: the generator's state goes in and comes out (mulberry32).

export type Draw = { value: number; seed: number }

/** A number in [0, 1) and the seed for the next one. */
export function draw(seed: number): Draw {
  const next = (seed + 0x6d2b79f5) | 0
  let mixed = Math.imul(next ^ (next >>> 15), 1 | next)
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
  return { value: ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296, seed: next }
}

/** A generator for the length of one function: what is left of it goes back into the state as `seed()`. */
export function dice(seed: number): { next(): number; pick<T>(from: readonly T[]): T | undefined; seed(): number } {
  let current = seed
  const next = (): number => {
    const drawn = draw(current)
    current = drawn.seed
    return drawn.value
  }
  return { next, pick: (from) => from[Math.floor(next() * from.length)], seed: () => current }
}
