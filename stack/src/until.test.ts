// Waiting for facts: the answer, the deadline, and what is told when it passes.
import { expect, it } from 'vitest'
import { until } from './until.ts'

it('[S1] the first truthy answer ends the wait', async () => {
  let asked = 0
  const answer = await until(() => (++asked === 3 ? 'yes' : undefined), { deadlineMs: 5_000, what: 'a third question' })
  expect([answer, asked]).toEqual(['yes', 3])
})

it('[S1] a question that throws is asked again', async () => {
  let asked = 0
  const condition = async (): Promise<boolean> => {
    await Promise.resolve()
    if (++asked < 3) throw new Error('not yet')
    return true
  }
  expect(await until(condition, { deadlineMs: 5_000, what: 'calm' })).toBe(true)
})

it('[S1] after the deadline the error says what was waited for and what the last answer was', async () => {
  await expect(until(() => 0, { deadlineMs: 30, what: 'rain' })).rejects.toThrow(
    'waited 30 ms for rain; the last answer was 0',
  )
  const refuse = (): never => {
    throw new Error('the sky is blue')
  }
  await expect(until(refuse, { deadlineMs: 30, what: 'rain' })).rejects.toThrow('an error: the sky is blue')
})

it('[S1] a signal ends the wait with its own reason, and nothing is asked afterwards', async () => {
  const ending = new AbortController()
  let asked = 0
  const condition = (): boolean => {
    if (++asked === 2) ending.abort(new Error('no longer needed'))
    return false
  }
  const waiting = until(condition, { deadlineMs: 60_000, what: 'x', everyMs: 1, signal: ending.signal })
  await expect(waiting).rejects.toThrow('no longer needed')
  expect(asked).toBe(2)
})

it('[S1] a question that is never answered does not outlast the deadline', async () => {
  const never = (): Promise<boolean> => new Promise(() => undefined)
  await expect(until(never, { deadlineMs: 30, what: 'an answer' })).rejects.toThrow('the question was never answered')
})
