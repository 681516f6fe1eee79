// What the worker behind the map of rooms keeps, and that none of it grows with time.
import { CityError } from '@citypresence/chassis/errors'
import { createFakeClock } from '@citypresence/chassis/testing/fake-clock'
import { roomsMax } from '@citypresence/wire/room-directory'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { nextJoin, wantRooms } from '../core/join-queue.ts'
import type { Successor } from '../core/room-plan.ts'
import { silentLog } from '../testing/matrix.ts'
import { audit, joinRoom } from './room-membership.ts'
import { refresh } from './room-refresh.ts'
import { addSuccessor, createWorker, lose, replan, type Finding, type RoomSourceOptions } from './room-worker.ts'

const nobody = () => Promise.reject(new CityError('Unexpected', 'nobody is asked here'))
const client: RoomSourceOptions['client'] = {
  resolveAlias: nobody,
  joinedRooms: nobody,
  joinedMembers: nobody,
  join: nobody,
}
const directory = { watch: () => () => undefined, read: nobody }

function workerOf(asked: Partial<RoomSourceOptions['client']> = {}, read: () => Promise<unknown> = nobody) {
  const clock = createFakeClock()
  const warned: string[] = []
  const worker = createWorker({
    client: { ...client, ...asked },
    directory: { ...directory, read },
    log: { ...silentLog, warn: (key) => void warned.push(key) },
    clock,
    random: () => 0,
  })
  return { clock, worker, warned }
}

/** What a reader finds who comes now. */
async function waitingIn<T>(values: AsyncIterable<T>, last: (value: T) => boolean): Promise<T[]> {
  const found: T[] = []
  for await (const value of values) {
    found.push(value)
    if (last(value)) break
  }
  return found
}

it('[R6] findings that nobody reads are bounded, and so are maps: the newest stay', async () => {
  const { worker } = workerOf()
  for (let index = 0; index < 5_000; index++) worker.findings.push({ kind: 'lost', roomId: `!${index}` })
  const { signal } = new AbortController()
  const findings = await waitingIn<Finding>(worker.findings.values(signal), ({ roomId }) => roomId === '!4999')
  expect([findings.length, findings[0]?.roomId]).toEqual([1_000, '!4000'])
  for (const slug of ['a', 'b', 'c']) {
    worker.judge = { ...worker.judge, good: [{ slug, matrix_room_id: `!${slug}` }] }
    replan(worker)
  }
  const maps = await waitingIn(worker.maps.values(signal), ([room]) => room?.slug === 'c')
  expect(maps.map(([room]) => room?.slug)).toEqual(['c'])
})

it('[R5] a room that replaces itself, and what is known already, are no upgrade', () => {
  const successors = new Map<string, Successor>()
  expect(addSuccessor(successors, '!a', { roomId: '!a', viaServer: 'x' })).toBe(false)
  expect(successors.size).toBe(0)
  expect(addSuccessor(successors, '!a', { roomId: '!b', viaServer: 'x' })).toBe(true)
  expect(addSuccessor(successors, '!a', { roomId: '!b', viaServer: 'y' })).toBe(false)
  expect(addSuccessor(successors, '!a', { roomId: '!c', viaServer: 'y' })).toBe(true)
  expect([...successors]).toEqual([['!a', { roomId: '!c', viaServer: 'y' }]])
})

it('[R5] of upgrades the newest are kept, two for each room that a map may have', () => {
  const successors = new Map<string, Successor>()
  const upgrades = 2 * roomsMax + 50
  for (let index = 0; index < upgrades; index++)
    addSuccessor(successors, `!${index}`, { roomId: `!${index + 1}`, viaServer: 'x' })
  expect(successors.size).toBe(2 * roomsMax)
  expect([...successors.keys()].at(0)).toBe('!50')
  expect([...successors.keys()].at(-1)).toBe(`!${upgrades - 1}`)
})

it('[R11] whatever is lost in whatever order: of a room that was lost nothing is kept, and its join waits for the news', () => {
  const rooms = ['!a', '!b', '!c', '!d']
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...rooms), { maxLength: 12 }), (lost) => {
      const { clock, worker } = workerOf()
      worker.judge = {
        ...worker.judge,
        good: rooms.map((roomId) => ({ slug: roomId.slice(1), matrix_room_id: roomId })),
      }
      worker.joinedKnown = true
      for (const roomId of rooms) {
        worker.joined.add(roomId)
        worker.wanted.set(roomId, 0)
        worker.doubts.add(roomId)
      }
      replan(worker)
      wantRooms(worker.queue, worker.plan.targets, worker.joined, clock.monotonicMs())
      for (const roomId of lost) lose(worker, roomId)
      const kept = rooms.filter((roomId) => !lost.includes(roomId))
      expect([...worker.joined]).toEqual(kept)
      expect([...worker.wanted.keys()]).toEqual(kept)
      expect([...worker.doubts]).toEqual(kept)
      const next = nextJoin(worker.queue, clock.monotonicMs())
      expect(next).toEqual(lost.length === 0 ? { kind: 'idle' } : { kind: 'wait', untilMs: 2_000 })
    }),
  )
})

const rooms = ['a', 'b'].map((slug) => ({ slug, matrix_room_id: `!${slug}` }))
const silent = () => Promise.reject(new CityError('MatrixUnreachable', 'no answer'))
const { signal } = new AbortController()

it('[R1] a homeserver that does not answer a join is left alone for ten seconds by all joins', async () => {
  const { clock, worker } = workerOf({ join: silent })
  worker.judge = { ...worker.judge, good: rooms }
  worker.joinedKnown = true
  replan(worker)
  const next = nextJoin(worker.queue, 0)
  if (next.kind !== 'join') throw new Error(next.kind)
  await joinRoom(worker, next.target, signal)
  expect(nextJoin(worker.queue, clock.monotonicMs())).toEqual({ kind: 'wait', untilMs: 10_000 })
})

it('[R12] a homeserver that does not answer an audit is left alone for ten seconds by audits and lists', async () => {
  const { worker, warned } = workerOf({ joinedMembers: silent })
  worker.judge = { ...worker.judge, good: rooms }
  worker.joined = new Set(['!a', '!b'])
  replan(worker)
  await audit(worker, signal)
  expect([worker.auditAtMs, worker.listAtMs]).toEqual([10_000, 10_000])
  expect(warned).toEqual(['rooms list MatrixUnreachable'])
})

it('[R9] of aliases those of the map are kept, however many there were', async () => {
  let day = 0
  const { worker } = workerOf(
    {
      resolveAlias: (alias) => Promise.resolve({ roomId: `!${alias}`, servers: [] }),
      joinedRooms: () => Promise.resolve([]),
    },
    () => Promise.resolve(['a', 'b'].map((slug) => ({ slug, matrix_room_alias: `#${slug}-${day}:t` }))),
  )
  for (day = 0; day < 20; day++) await refresh(worker, signal)
  expect([...worker.resolved.keys()]).toEqual(['#a-19:t', '#b-19:t'])
})
