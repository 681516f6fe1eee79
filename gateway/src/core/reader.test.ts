// When a reader lags, is asked, and is given up.
import { expect, it } from 'vitest'
import { checkReader, createReader, decide, isLagging, notePing, notePong } from './reader.ts'

const flush = { fromMark: 10, toMark: 20 }

it('[G13] a reader gets the flush, its tail, a catch-up or nothing, by its mark alone', () => {
  const at = (mark: number) => decide(createReader(mark, 0, 0), flush, 0, 0)
  expect([5, 10, 15, 20, 25].map(at)).toEqual(['catch-up', 'flush', 'tail', 'nothing', 'nothing'])
})

it('[G14] a reader lags while bytes wait for it, or a ping is unanswered for two seconds', () => {
  const reader = createReader(10, 0, 0)
  expect(decide(reader, flush, 1, 0)).toBe('wait')
  notePing(reader, 3, 1_000)
  expect(isLagging(reader, 0, 2_999)).toBe(false)
  expect(decide(reader, flush, 0, 3_000)).toBe('wait')
  expect(notePong(reader, 2, 3_000)).toBe(false)
  expect(notePong(reader, 0, 3_000)).toBe(false)
  expect(isLagging(reader, 0, 3_000)).toBe(true)
  expect(notePong(reader, 3, 3_000)).toBe(true)
  expect(decide(reader, flush, 0, 3_000)).toBe('flush')
  expect(notePong(reader, 3, 3_000)).toBe(false)
})

it('[G14] who is quiet for twenty seconds is asked, and who does not answer for ten is given up: within 45 s', () => {
  const reader = createReader(0, 0, 0)
  expect(checkReader(reader, 19_999)).toBe('fine')
  expect(checkReader(reader, 20_000)).toBe('ping')
  notePing(reader, 1, 20_000)
  expect(checkReader(reader, 29_999)).toBe('fine')
  expect(checkReader(reader, 30_000)).toBe('not-reading')
})

it('[G14] readers who came together are not asked together', () => {
  const due = Array.from({ length: 1_000 }, (_, number) => createReader(0, number, 50_000).heardMs)
  expect(Math.min(...due)).toBeGreaterThan(40_000)
  expect(Math.max(...due)).toBeLessThanOrEqual(50_000)
  const bySecond = Map.groupBy(due, (ms) => Math.floor(ms / 1_000))
  expect(Math.max(...[...bySecond.values()].map(({ length }) => length))).toBeLessThan(200)
})
