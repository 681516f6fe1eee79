import { expect, it } from 'vitest'
import { createFakeClock } from '@citypresence/chassis/testing/fake-clock'
import { createWorkQueue } from './core/work-queue.ts'
import { createWorkers, type Round, type WorkResult } from './workers.ts'

function open(work: (key: string, signal: AbortSignal) => Promise<WorkResult>) {
  const clock = createFakeClock()
  const queue = createWorkQueue()
  const rounds: Round[] = []
  const running = new Set<string>()
  const most = { all: 0 }
  const watched = async (key: string, signal: AbortSignal): Promise<WorkResult> => {
    expect(running.has(key)).toBe(false)
    running.add(key)
    most.all = Math.max(most.all, running.size)
    try {
      return await work(key, signal)
    } finally {
      running.delete(key)
    }
  }
  const workers = createWorkers({
    queue,
    work: watched,
    onRound: (round) => rounds.push(round),
    clock,
    random: () => 0.5,
  })
  const add = (...keys: string[]): void => {
    for (const key of keys) queue.add(key, clock.monotonicMs())
    workers.wake()
  }
  return { clock, queue, rounds, running, most, workers, add }
}

const sleepOn = (clock: ReturnType<typeof createFakeClock>, ms: number): Promise<void> =>
  new Promise((resolve) => clock.after(ms, resolve))

it('[OQ7] four at once, never one key twice, nothing before the start', async () => {
  const world = open(() => sleepOn(world.clock, 100).then(() => ({})))
  world.add('a', 'b', 'c', 'd', 'e', 'f')
  await world.clock.advance(1_000)
  expect(world.rounds).toEqual([])
  world.workers.start()
  await world.clock.advance(50)
  expect(world.running.size).toBe(4)
  world.add('a', 'e')
  await world.clock.advance(1_000)
  expect(world.most.all).toBe(4)
  expect(world.rounds.map(({ key }) => key).sort()).toEqual(['a', 'a', 'b', 'c', 'd', 'e', 'f'])
})

it('[OQ7] a round that takes too long is ended, and its key waits until it has really ended', async () => {
  let ends = (): void => undefined
  const signals: AbortSignal[] = []
  const world = open((_key, signal) => {
    signals.push(signal)
    return new Promise((resolve) => {
      ends = () => resolve({})
      signal.addEventListener('abort', () => world.clock.after(500, () => resolve(Promise.reject(new Error('cut')))))
    })
  })
  world.workers.start()
  world.add('a')
  await world.clock.advance(60_000)
  expect(signals.map(({ aborted }) => aborted)).toEqual([true])
  world.add('a')
  await world.clock.advance(499)
  expect(signals).toHaveLength(1)
  await world.clock.advance(1)
  expect(world.rounds[0]).toMatchObject({ key: 'a', error: { code: 'ReconcileTimeout' } })
  expect(signals).toHaveLength(2)
  ends()
})

it('[OQ7] who fails comes again, later each time; who asks to be looked at again is', async () => {
  let failures = 3
  const world = open(() =>
    failures-- > 0 ? Promise.reject(new Error('no')) : Promise.resolve({ requeueAfterMs: 1_000 }),
  )
  world.workers.start()
  world.add('a')
  await world.clock.advance(500)
  expect(world.rounds.map(({ retryMs }) => retryMs)).toEqual([5, 10, 20, 0])
  await world.clock.advance(1_000)
  expect(world.rounds).toHaveLength(5)
})

it('[OQ7] at the stop what runs is aborted and waited for, and nothing is begun', async () => {
  const world = open(
    (_key, signal) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('cut')))),
  )
  world.workers.start()
  world.add('a', 'b', 'c', 'd', 'e')
  await world.clock.advance(0)
  const stopped = world.workers.stop()
  world.add('f')
  await stopped
  expect(world.running.size).toBe(0)
  await world.clock.advance(1_000_000)
  expect(world.rounds.map(({ key }) => key).sort()).toEqual(['a', 'b', 'c', 'd'])
})
