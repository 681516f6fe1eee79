import { expect, it } from 'vitest'
import fc from 'fast-check'
import { createPipe, hurry, nextAtMs, put, take, type Shape } from './pipe.ts'

const shapes: fc.Arbitrary<Shape> = fc.record(
  {
    latencyMs: fc.nat(500),
    bytesPerSecond: fc.integer({ min: 1, max: 10_000 }),
    sliceBytes: fc.integer({ min: 1, max: 20 }),
  },
  { requiredKeys: [] },
)
const acts = fc.array(
  fc.record({ afterMs: fc.nat(300), bytes: fc.uint8Array({ minLength: 1, maxLength: 60 }), shape: shapes }),
  { maxLength: 20 },
)

it('[D12] whatever the shape, all bytes come out once and in order, none before its latency and its share of the line', () => {
  fc.assert(
    fc.property(acts, (all) => {
      const pipe = createPipe()
      const out: number[] = []
      const sent: { byte: number; earliestMs: number }[] = []
      let nowMs = 0
      const drain = (untilMs: number): void => {
        for (let due = nextAtMs(pipe); due !== undefined && due <= untilMs; due = nextAtMs(pipe))
          for (const piece of take(pipe, due))
            for (const byte of piece) {
              expect(due).toBeGreaterThanOrEqual(sent[out.length]?.earliestMs ?? 0)
              out.push(byte)
            }
      }
      for (const { afterMs, bytes, shape } of all) {
        drain((nowMs += afterMs))
        const { latencyMs = 0, bytesPerSecond = Infinity } = shape
        for (const byte of bytes) sent.push({ byte, earliestMs: nowMs + latencyMs + 999 / bytesPerSecond })
        put(pipe, Buffer.from(bytes), shape, nowMs)
      }
      drain(Infinity)
      expect(out).toEqual(sent.map(({ byte }) => byte))
      expect([pipe.queuedBytes, nextAtMs(pipe)]).toEqual([0, undefined])
    }),
  )
})

it('[D12] a line of ten bytes a second takes three seconds for thirty bytes, and no write is longer than a slice', () => {
  const pipe = createPipe()
  put(pipe, Buffer.alloc(30), { bytesPerSecond: 10, sliceBytes: 4 }, 1_000)
  expect(take(pipe, 1_399)).toEqual([])
  expect(take(pipe, 2_000).map(({ length }) => length)).toEqual([4, 4])
  expect(take(pipe, 3_999).map(({ length }) => length)).toEqual([4, 4, 4, 4, 4])
  expect(take(pipe, 4_000).map(({ length }) => length)).toEqual([2])
})

it('[D12] when the fault is over, what was on its way is there at once and in order', () => {
  const pipe = createPipe()
  put(pipe, Buffer.from('late '), { latencyMs: 60_000 }, 0)
  put(pipe, Buffer.from('slow'), { bytesPerSecond: 1 }, 0)
  hurry(pipe, 5)
  put(pipe, Buffer.from('!'), {}, 5)
  expect(Buffer.concat(take(pipe, 5)).toString()).toBe('late slow!')
})
