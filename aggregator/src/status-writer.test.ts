// The writer of the status beside a leader: when it speaks, what it does when the API is away, and its last word.
import { expect, it } from 'vitest'
import { CityError } from '@citypresence/chassis/errors'
import { createSampledLog } from '@citypresence/chassis/log'
import { createFakeClock } from '@citypresence/chassis/testing/fake-clock'
import type { OwnStatus } from './edge/kube-status.ts'
import type { RoomStatus } from './edge/matrix-rooms.ts'
import { gatherFacts } from './status-facts.ts'
import { startStatusWriter } from './status-writer.ts'
import { silentLogger } from './testing/matrix.ts'

const none = undefined as CityError | undefined

function start() {
  const clock = createFakeClock()
  const world = {
    ...{ leads: false, isAway: false, generation: 3, uncounted: 0 },
    ...{ sync: none, rooms: none, stream: none },
  }
  const writes: OwnStatus[] = []
  let reads = 0
  const answer = <T>(value: T): Promise<T> =>
    world.isAway ? Promise.reject(new CityError('HttpUnreachable', 'away')) : Promise.resolve(value)
  const writer = startStatusWriter({
    port: {
      read: () => {
        reads++
        return answer({ generation: world.generation, conditions: [] })
      },
      write: async (status) => {
        const known = await answer({ generation: world.generation, conditions: [] })
        writes.push(status)
        return known
      },
      close: () => Promise.resolve(),
    },
    podName: 'pod-1',
    leads: () => world.leads,
    facts: () =>
      gatherFacts({
        known: { synced: true, mapped: true },
        view: {
          slugs: () => [],
          valueOf: () => ({ kind: 'unobserved' }),
          source: () => ({ source: 'live', sourceAgeMs: 0 }),
        },
        isComplete: true,
        rooms: {
          ...{ unresolved: [], doubled: [], directory: { problem: world.rooms } },
          joins: { wanted: world.uncounted, joined: 0, refused: [], remainingMs: undefined },
        } as unknown as RoomStatus,
        syncError: world.sync,
        sourceTrouble: undefined,
        streamTrouble: world.stream,
      }),
    clock,
    log: createSampledLog(silentLogger),
    onError: () => undefined,
  })
  const pass = (seconds: number): Promise<void> => clock.advance(seconds * 1_000)
  const reasons = () => writes.at(-1)?.conditions.map(({ reason }) => reason)
  return { world, writer, writes, pass, reasons, reads: () => reads }
}

it('[LS4] only who leads tells, at once and then once a minute, under the generation that the server named', async () => {
  const { world, writes, pass, reasons, reads } = start()
  await pass(30)
  expect([writes.length, reads()]).toEqual([0, 0])
  world.leads = true
  await pass(2)
  expect(writes).toHaveLength(1)
  expect(reasons()).toEqual(['Synced', 'AllResolved', 'StreamWritable'])
  expect(writes[0]?.aggregator.leader).toBe('pod-1')
  expect(writes[0]?.conditions.map(({ observedGeneration }) => observedGeneration)).toEqual([3, 3, 3])
  world.generation = 4
  await pass(58)
  expect(writes).toHaveLength(1)
  await pass(62)
  expect(writes).toHaveLength(3)
  expect(writes[2]?.conditions[0]?.observedGeneration).toBe(4)
  expect(reads()).toBe(1)
})

it('[LS4] a turn is told within two seconds, and while the API is away it is tried ever more slowly, without harm', async () => {
  const { world, writes, pass, reasons, reads } = start()
  world.leads = true
  await pass(5)
  world.sync = new CityError('MatrixTokenRefused', 'x')
  await pass(2)
  expect(reasons()?.[0]).toBe('HomeserverUnauthorized')
  world.isAway = true
  world.sync = undefined
  await pass(300)
  expect(writes).toHaveLength(2)
  world.isAway = false
  await pass(61)
  expect(reasons()?.[0]).toBe('Synced')
  expect(reads()).toBe(1)
})

it('[LS5] why a leader ends is its last word', async () => {
  const { world, writer, pass, reasons } = start()
  world.leads = true
  await pass(5)
  world.stream = new CityError('StreamOwnedByAnother', 'the stream is of the city x')
  await writer.tellLast()
  expect(reasons()?.[2]).toBe('StreamMismatch')
  await writer.stop()
})

it('[LS4] the last word of each side counts until it goes well again', async () => {
  const { world, pass, reasons } = start()
  world.leads = true
  world.rooms = new CityError('RoomDirectoryUnreadable', 'x')
  world.uncounted = 2
  await pass(3)
  expect(reasons()?.[1]).toBe('CityServiceUnreachable')
  world.rooms = undefined
  await pass(3)
  expect(reasons()?.[1]).toBe('SomeUnresolved')
})
