// Numbers waiting to be looked at, each at most once: a list and a mark for each number. Owned and changed in place.
import { grown } from './growable.ts'

export type IndexQueue = { readonly list: number[]; marks: Uint8Array }

export const createIndexQueue = (): IndexQueue => ({ list: [], marks: new Uint8Array(0) })

export function enqueue(queue: IndexQueue, index: number): void {
  if (queue.marks[index] === 1) return
  queue.marks = grown(queue.marks, index + 1)
  queue.marks[index] = 1
  queue.list.push(index)
}

/** Takes one out: its number may soon mean something else. */
export function unqueue(queue: IndexQueue, index: number): void {
  if (index < queue.marks.length) queue.marks[index] = 0
}

/** All that wait, in order, or the first so many of them: they wait no longer. */
export function drain(queue: IndexQueue, max = Infinity): number[] {
  const waiting: number[] = []
  let looked = 0
  for (const index of queue.list) {
    if (waiting.length >= max) break
    looked++
    if (queue.marks[index] !== 1) continue
    queue.marks[index] = 0
    waiting.push(index)
  }
  queue.list.splice(0, looked)
  return waiting
}

/** How many of those that wait pass the test; the queue stays as it is. */
export function countWaiting(queue: IndexQueue, test: (index: number) => boolean): number {
  let count = 0
  for (const index of new Set(queue.list)) if (queue.marks[index] === 1 && test(index)) count++
  return count
}
