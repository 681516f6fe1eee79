// The queue of joins against a homeserver that limits, refuses and forgets.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import {
  createJoinQueue,
  joinLimited,
  joinRefused,
  joinsPaused,
  joinSucceeded,
  nextJoin,
  postponeJoin,
  progressOf,
  wantRooms,
} from './join-queue.ts'

const target = (number: number) => ({ roomId: `!room${number}`, via: [] })
const rooms = (count: number) => Array.from({ length: count }, (_, number) => target(number))
const nobody = new Set<string>()

const step = fc.record({
  afterMs: fc.integer({ min: 0, max: 20_000 }),
  answer: fc.constantFrom('joined', 'limited', 'refused', 'nobody'),
  waitMs: fc.integer({ min: 1_000, max: 300_000 }),
})

it('[R1] no join is tried before the time the server named, and every wanted room is joined or told of as refused', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 30 }), fc.array(step, { maxLength: 200 }), (count, steps) => {
      const queue = createJoinQueue()
      const joined = new Set<string>()
      let [nowMs, notBeforeMs] = [0, 0]
      wantRooms(queue, rooms(count), joined, nowMs)
      for (const { afterMs, answer, waitMs } of steps) {
        nowMs += afterMs
        const next = nextJoin(queue, nowMs)
        if (next.kind === 'wait') expect(next.untilMs).toBeGreaterThan(nowMs)
        if (next.kind === 'idle') expect(joined.size).toBe(count)
        if (next.kind !== 'join') continue
        const { roomId } = next.target
        expect(nowMs).toBeGreaterThanOrEqual(notBeforeMs)
        expect(joined.has(roomId)).toBe(false)
        if (answer === 'limited' || answer === 'nobody') {
          const pause = answer === 'limited' ? joinLimited : joinsPaused
          pause(queue, waitMs, nowMs)
          notBeforeMs = Math.max(notBeforeMs, nowMs + waitMs)
        } else if (answer === 'refused') joinRefused(queue, roomId, 'M_FORBIDDEN', nowMs)
        else {
          joinSucceeded(queue, roomId, nowMs)
          joined.add(roomId)
        }
        expect(progressOf(queue, nowMs)).toMatchObject({ wanted: count, joined: joined.size })
      }
      // From here on the server is kind: everything is joined in the end.
      for (let turn = 0; turn < 2 * count + 2; turn++) {
        const next = nextJoin(queue, nowMs)
        if (next.kind === 'wait') nowMs = next.untilMs
        if (next.kind !== 'join') continue
        joinSucceeded(queue, next.target.roomId, nowMs)
        joined.add(next.target.roomId)
      }
      expect(joined.size).toBe(count)
      expect(nextJoin(queue, nowMs)).toEqual({ kind: 'idle' })
    }),
  )
})

it('[R2] a room that refuses waits ever longer, up to an hour, and holds up no other', () => {
  const queue = createJoinQueue()
  wantRooms(queue, rooms(2), nobody, 0)
  const waits: number[] = []
  for (let [attempt, nowMs] = [0, 0]; attempt < 9; attempt++) {
    joinRefused(queue, '!room0', 'M_FORBIDDEN', nowMs)
    expect(nextJoin(queue, nowMs)).toMatchObject({ kind: 'join', target: target(1) })
    const notBeforeMs = queue.waiting.get('!room0')?.notBeforeMs ?? 0
    waits.push(notBeforeMs - nowMs)
    nowMs = notBeforeMs
    wantRooms(queue, rooms(2), nobody, nowMs)
  }
  expect(waits.slice(0, 3)).toEqual([60_000, 120_000, 240_000])
  expect(waits.at(-1)).toBe(3_600_000)
  expect(progressOf(queue, 0).refused).toEqual([{ roomId: '!room0', problem: 'M_FORBIDDEN' }])
})

it('[R3] the time that is left is told within a third, with and without a limit', () => {
  // Synapse as it comes: ten joins at once, then one in ten seconds.
  const simulate = (count: number, burst: number, everyMs: number, tellAt: number) => {
    const queue = createJoinQueue()
    wantRooms(queue, rooms(count), nobody, 0)
    let [nowMs, tokens, filledMs, done, told, toldMs] = [0, burst, 0, 0, 0, 0]
    for (let next = nextJoin(queue, nowMs); next.kind !== 'idle'; next = nextJoin(queue, nowMs)) {
      if (next.kind === 'wait') {
        nowMs = next.untilMs
        continue
      }
      nowMs += 40
      const filled = Math.floor((nowMs - filledMs) / everyMs)
      tokens = Math.min(burst, tokens + filled)
      filledMs += filled * everyMs
      if (tokens === 0) {
        joinLimited(queue, Math.max(1_000, filledMs + everyMs - nowMs), nowMs)
        continue
      }
      tokens--
      joinSucceeded(queue, next.target.roomId, nowMs)
      if (++done === tellAt) [told, toldMs] = [progressOf(queue, nowMs).remainingMs ?? 0, nowMs]
    }
    return { told, actual: nowMs - toldMs }
  }
  for (const { told, actual } of [simulate(100, 10, 10_000, 20), simulate(100, 1_000, 1_000, 20)]) {
    expect(told).toBeGreaterThan((actual * 2) / 3)
    expect(told).toBeLessThan((actual * 4) / 3)
  }
})

it('[R1] what is no longer wanted, or joined meanwhile, leaves the queue; a known room keeps its wait', () => {
  const queue = createJoinQueue()
  wantRooms(queue, rooms(3), nobody, 0)
  joinRefused(queue, '!room1', 'M_FORBIDDEN', 0)
  wantRooms(queue, rooms(2), new Set(['!room0']), 10)
  expect([...queue.waiting.keys()]).toEqual(['!room1'])
  expect(nextJoin(queue, 10)).toEqual({ kind: 'wait', untilMs: 60_000 })
  postponeJoin(queue, '!room1', 90_000)
  expect(nextJoin(queue, 10)).toEqual({ kind: 'wait', untilMs: 90_000 })
  expect(progressOf(queue, 10)).toMatchObject({ wanted: 2, joined: 1, remainingMs: undefined })
})

it('[R3] one join between two limits ends no limit, two do; a pause without wishes is no pace', () => {
  const queue = createJoinQueue()
  wantRooms(queue, rooms(10), nobody, 0)
  const limitedMs = () => progressOf(queue, 20_000).remainingMs ?? 0
  joinLimited(queue, 10_000, 0)
  joinSucceeded(queue, '!room0', 10_000)
  expect(limitedMs()).toBeGreaterThan(70_000)
  joinSucceeded(queue, '!room1', 10_040)
  expect(limitedMs()).toBeLessThan(1_000)

  const idle = createJoinQueue()
  wantRooms(idle, rooms(1), nobody, 0)
  joinSucceeded(idle, '!room0', 40)
  wantRooms(idle, rooms(12), new Set(['!room0']), 3_600_000)
  joinSucceeded(idle, '!room1', 3_600_040)
  expect(progressOf(idle, 3_600_040).remainingMs).toBeLessThan(2_000)
})

it('[R1] of two waits the later end counts, whichever was asked for last', () => {
  const pauses = [joinLimited, joinsPaused]
  for (const first of pauses)
    for (const second of pauses) {
      const queue = createJoinQueue()
      wantRooms(queue, rooms(1), nobody, 0)
      first(queue, 10_000, 0)
      second(queue, 1_000, 0)
      expect(nextJoin(queue, 0)).toEqual({ kind: 'wait', untilMs: 10_000 })
      second(queue, 20_000, 0)
      expect(nextJoin(queue, 0)).toEqual({ kind: 'wait', untilMs: 20_000 })
    }
})
