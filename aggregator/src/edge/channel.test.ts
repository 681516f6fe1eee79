// The queue between two loops: order, bound, end and failure.
import { expect, it } from 'vitest'
import { createChannel } from './channel.ts'

it('[R6] what is pushed arrives in order; when the queue is full the oldest goes', async () => {
  const channel = createChannel<number>(2)
  for (const value of [1, 2, 3]) channel.push(value)
  const values = channel.values(new AbortController().signal)
  expect((await values.next()).value).toBe(2)
  expect((await values.next()).value).toBe(3)
  const later = values.next()
  channel.push(4)
  expect((await later).value).toBe(4)
})

it('[R6] a reader ends at the abort, and hears of a failure after what was pushed before it', async () => {
  const abort = new AbortController()
  const channel = createChannel<number>(2)
  const waiting = channel.values(abort.signal).next()
  abort.abort()
  expect((await waiting).done).toBe(true)
  channel.push(1)
  channel.fail(new Error('broken'))
  const values = channel.values(new AbortController().signal)
  expect((await values.next()).value).toBe(1)
  await expect(values.next()).rejects.toThrow('broken')
})
