// Reading answers beside the event loop: the same facts as on it, slice by slice, and a thread that may die.
import { createFakeClock } from '@citypresence/chassis/testing/fake-clock'
import { firstSync } from '@citypresence/sim/homeserver-first-sync'
import { until } from '@citypresence/stack/until'
import { afterEach, expect, it } from 'vitest'
import { factsOf, type Fact } from '../core/sync-facts.ts'
import { longestTurnMs } from '../testing/longest-turn.ts'
import { readMembers } from './members-answer.ts'
import { readAnswer, type SyncAnswer } from './sync-answer.ts'
import { createAnswerReader, type AnswerReader, type AnswerReaderOptions } from './sync-worker.ts'

const daemonUserId = '@presence_daemon:test.local'
let current: AnswerReader | undefined
afterEach(async () => {
  await current?.stop()
})
const createReader = (options: Partial<AnswerReaderOptions> = {}): AnswerReader =>
  (current = createAnswerReader({ daemonUserId, ...options }))

async function factsIn(answer: SyncAnswer): Promise<Fact[]> {
  const facts: Fact[] = []
  for await (const slice of answer.slices) {
    expect(slice.length).toBeLessThanOrEqual(500)
    facts.push(...slice)
  }
  expect(facts).toHaveLength(answer.factCount)
  return facts
}

it('[M46] a large answer gives the same facts in the same order from the thread as on the loop', async () => {
  const bytes = firstSync({ rooms: 40, membersPerRoom: 100 }).bytes
  const decoded = factsOf(JSON.parse(Buffer.from(bytes).toString()), { daemonUserId })
  const here = decoded.ok ? decoded.value.facts : []
  expect(await factsIn(readAnswer(bytes, { daemonUserId }))).toEqual(here)
  const reader = createReader()
  const answer = await reader.read(bytes)
  expect(reader.threadStands()).toBe(true)
  expect(await factsIn(answer)).toEqual(here)
  expect(here.length).toBeGreaterThan(4_000)
})

it('[M46] a small answer needs no thread, and bytes within another buffer are not taken from their owner', async () => {
  const bytes = Buffer.from('{"next_batch":"s1"}')
  const reader = createReader()
  expect((await reader.read(bytes)).nextBatch).toBe('s1')
  expect(reader.threadStands()).toBe(false)
  const shared = Buffer.from(`xx${JSON.stringify({ next_batch: 's2', filler: 'x'.repeat(300_000) })}`)
  expect((await reader.read(shared.subarray(2))).nextBatch).toBe('s2')
  expect(shared.byteLength).toBeGreaterThan(300_000)
})

it('[M47] an unreadable answer is an error of its own, without the text, and the thread lives on', async () => {
  const reader = createReader({ inlineBytesMax: 0 })
  await expect(reader.read(Buffer.from('{"body":secret words'))).rejects.toMatchObject({ code: 'MatrixGarbled' })
  await expect(reader.read(Buffer.from('{"body":secret words'))).rejects.not.toThrow('secret')
  await expect(reader.read(Buffer.from('{}'))).rejects.toThrow('next_batch')
  expect((await reader.read(Buffer.from('{"next_batch":"s"}'))).nextBatch).toBe('s')
})

const listOf = (people: number): Buffer =>
  Buffer.from(
    JSON.stringify({
      joined: Object.fromEntries(
        Array.from({ length: people }, (_, person) => [`@u${person}:test.local`, { display_name: `Person ${person}` }]),
      ),
    }),
  )

it('[M46] a long list of members gives the same names in the same order from the thread as on the loop', async () => {
  const reader = createReader()
  expect(await reader.readMembers(listOf(3))).toEqual(['@u0:test.local', '@u1:test.local', '@u2:test.local'])
  expect(reader.threadStands()).toBe(false)
  const bytes = listOf(25_000)
  const here = readMembers(bytes)
  expect(await reader.readMembers(bytes)).toEqual(here)
  expect([here.length, reader.threadStands()]).toEqual([25_000, true])
})

it('[M46] what is asked while the thread reads waits its turn, and gets its own answer, whatever became of the one before', async () => {
  const reader = createReader({ inlineBytesMax: 0 })
  const reading = [
    reader.readMembers(listOf(20_000)),
    reader.read(Buffer.from('{"next_batch":"s1"}')),
    reader.readMembers(Buffer.from('{"joined":[]}')),
    reader.readMembers(Buffer.from('{"body":secret words')),
    reader.readMembers(listOf(1)),
  ] as const
  const [list, answer, ...others] = await Promise.allSettled(reading)
  expect([
    list.status === 'fulfilled' && list.value.length,
    answer.status === 'fulfilled' && answer.value.nextBatch,
  ]).toEqual([20_000, 's1'])
  expect(others).toMatchObject([
    { status: 'rejected', reason: { code: 'MatrixGarbled' } },
    { status: 'rejected', reason: { code: 'MatrixGarbled' } },
    { status: 'fulfilled', value: ['@u0:test.local'] },
  ])
  for (const one of others) if (one.status === 'rejected') expect(String(one.reason)).not.toContain('secret')
})

it('[M47] a thread that runs out of memory costs its answer; the next one gets a new thread', async () => {
  const reader = createReader({ inlineBytesMax: 0, heapMbMax: 24 })
  const big = firstSync({ rooms: 500, membersPerRoom: 100 }).bytes
  await expect(reader.read(big)).rejects.toMatchObject({ code: 'MatrixGarbled' })
  await until(() => !reader.threadStands(), { deadlineMs: 5_000, what: 'the end of the thread' })
  expect((await reader.read(Buffer.from('{"next_batch":"s"}'))).nextBatch).toBe('s')
})

it('[M47] a thread that hangs is ended at its deadline', async () => {
  const clock = createFakeClock()
  const threadUrl = new URL('data:text/javascript,import "node:worker_threads"; setInterval(() => {}, 1000)')
  const reader = createReader({ clock, threadUrl, inlineBytesMax: 0, deadlineMs: 5_000 })
  const reading = expect(reader.read(Buffer.from('{"next_batch":"s"}'))).rejects.toThrow('not read after 5000 ms')
  await clock.advance(5_000)
  await reading
  expect(reader.threadStands()).toBe(false)
})

it('[M48] a thread without work ends after a minute', async () => {
  const clock = createFakeClock()
  const reader = createReader({ clock, inlineBytesMax: 0 })
  await reader.read(Buffer.from('{"next_batch":"s"}'))
  await clock.advance(59_999)
  expect(reader.threadStands()).toBe(true)
  await clock.advance(1)
  expect(reader.threadStands()).toBe(false)
})

it('[M49] a first sync of a large city holds up the loop for a small part of what reading it there would', async () => {
  const { bytes } = firstSync({ rooms: 800, membersPerRoom: 100 })
  const onLoop = await longestTurnMs(() => {
    const decoded = factsOf(JSON.parse(Buffer.from(bytes).toString()), { daemonUserId })
    expect(decoded.ok).toBe(true)
    return Promise.resolve()
  })
  const reader = createReader()
  const beside = await longestTurnMs(async () => {
    for await (const slice of (await reader.read(bytes)).slices) expect(slice.length).toBeGreaterThan(0)
  })
  console.log(
    `longest turn of the loop, in processor time: ${onLoop.toFixed(1)} ms read on it, ${beside.toFixed(1)} ms read beside it`,
  )
  expect(beside).toBeLessThan(onLoop / 4)
})
