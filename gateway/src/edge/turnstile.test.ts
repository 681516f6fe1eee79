import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createTurnstile } from './turnstile.ts'

function start(perTurn: number) {
  const deferred: (() => void)[] = []
  const passed: number[] = []
  const turnstile = createTurnstile<number>(
    perTurn,
    (one) => passed.push(one),
    (run) => deferred.push(run),
  )
  const turn = (): number => {
    const before = passed.length
    for (const run of deferred.splice(0)) run()
    return passed.length - before
  }
  return { turnstile, passed, deferred, turn }
}

it('[G39] whoever comes and in whatever crowds: all get through once, in their order, at most so many a turn', () => {
  const crowds = fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 30 })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), crowds, (perTurn, sizes) => {
      const { turnstile, passed, deferred, turn } = start(perTurn)
      let came = 0
      for (const size of sizes) {
        const before = passed.length
        for (let one = 0; one < size; one++) turnstile.enter(came++)
        // Those who come together find what this turn has left.
        expect(passed.length - before).toBeLessThanOrEqual(perTurn)
        expect(turn()).toBeLessThanOrEqual(perTurn)
        expect(deferred.length).toBeLessThanOrEqual(1)
      }
      const turnsLeft = Math.ceil(turnstile.waiting() / perTurn) + 2
      for (let one = 0; one < turnsLeft; one++) turn()
      expect(passed).toEqual(Array.from({ length: came }, (_, one) => one))
      expect([turnstile.waiting(), deferred.length]).toEqual([0, 0])
    }),
  )
})

it('[G39] a long line is let through to its end, and then nothing turns any more', () => {
  const { turnstile, passed, deferred, turn } = start(16)
  for (let one = 0; one < 5_000; one++) turnstile.enter(one)
  expect(passed.length).toBe(16)
  let turns = 0
  while (deferred.length > 0) {
    turn()
    turns++
  }
  expect([passed.length, passed.at(-1), turnstile.waiting()]).toEqual([5_000, 4_999, 0])
  expect(turns).toBe(Math.ceil((5_000 - 16) / 16) + 1)
})

it('[G39] where nobody waits one is through at once', () => {
  const { turnstile, passed } = start(2)
  turnstile.enter(7)
  expect(passed).toEqual([7])
})
