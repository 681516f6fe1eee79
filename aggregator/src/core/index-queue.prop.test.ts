import fc from 'fast-check'
import { expect, it } from 'vitest'
import { countWaiting, createIndexQueue, drain, enqueue, unqueue } from './index-queue.ts'

it('[P4] each number waits once, in the order it came; what was taken out does not', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom('in', 'in', 'out', 'drain', 'some'), fc.nat({ max: 5 }))),
      (steps) => {
        const queue = createIndexQueue()
        let twin: number[] = []
        for (const [kind, index] of steps) {
          if (kind === 'in') enqueue(queue, index)
          if (kind === 'in' && !twin.includes(index)) twin.push(index)
          if (kind === 'out') unqueue(queue, index)
          if (kind === 'out') twin = twin.filter((waiting) => waiting !== index)
          expect(countWaiting(queue, (waiting) => waiting % 2 === 0)).toBe(
            twin.filter((waiting) => waiting % 2 === 0).length,
          )
          if (kind === 'some') {
            const some = drain(queue, index)
            expect(some).toHaveLength(Math.min(index, twin.length))
            for (const one of some) expect(twin.includes(one)).toBe(true)
            twin = twin.filter((waiting) => !some.includes(waiting))
          }
          if (kind !== 'drain') continue
          // A number that was taken out and came again may keep its first place.
          expect(drain(queue).toSorted()).toEqual(twin.toSorted())
          expect(drain(queue)).toEqual([])
          twin = []
        }
      },
    ),
  )
})

it('[P4] numbers far apart are no matter', () => {
  const queue = createIndexQueue()
  enqueue(queue, 100_000)
  unqueue(queue, 5_000_000)
  expect(drain(queue)).toEqual([100_000])
})
