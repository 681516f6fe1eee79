import { expect, it } from 'vitest'
import fc from 'fast-check'
import { arrive, createArrivalOrder, forgetOrder, inOrder } from './arrival-order.ts'

it('[K7] what any way brought comes out once and in order, whichever ways missed it', () => {
  const way = fc.uniqueArray(fc.integer({ min: 1, max: 30 }), { maxLength: 30 }).map((all) => all.sort((a, b) => a - b))
  fc.assert(
    fc.property(
      fc.array(way, { minLength: 1, maxLength: 4 }),
      fc.array(fc.nat(3), { maxLength: 120 }),
      (ways, turns) => {
        const order = createArrivalOrder<number>(100)
        const left = ways.map((all) => [...all])
        const out: number[] = []
        // Nobody is later than the wait: then nothing may be lost.
        for (const [turn, which] of turns.entries()) {
          const sequence = left[which % left.length]?.shift()
          if (sequence !== undefined) arrive(order, sequence, sequence, turn / 10)
          out.push(...inOrder(order, turn / 10).map(({ item }) => item))
        }
        for (const sequence of left.flat()) arrive(order, sequence, sequence, 50)
        out.push(...inOrder(order, 1_000).map(({ item }) => item))
        expect(out).toEqual([...new Set(ways.flat())].sort((a, b) => a - b))
      },
    ),
  )
})

it('[K7] a number that nobody brings is waited for, then passed over; without a wait it is passed over at once', () => {
  const [patient, hasty] = [createArrivalOrder<string>(100), createArrivalOrder<string>(0)]
  for (const order of [patient, hasty]) {
    arrive(order, 1, 'one', 0)
    arrive(order, 3, 'three', 10)
  }
  const items = (order: typeof patient, nowMs: number) => inOrder(order, nowMs).map(({ item }) => item)
  expect(items(hasty, 10)).toEqual(['one', 'three'])
  expect(items(patient, 109)).toEqual(['one'])
  expect(items(patient, 110)).toEqual(['three'])
  arrive(patient, 2, 'two', 111)
  expect(items(patient, 1_000)).toEqual([])
  forgetOrder(patient)
  arrive(patient, 1, 'anew', 2_000)
  expect(items(patient, 2_000)).toEqual(['anew'])
})
