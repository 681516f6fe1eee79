// A reader through any run of sweeps, and through any habit of answering pings.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { checkReader, createReader, decide, forgive, notePing, notePong } from './reader.ts'

const anySweeps = fc.array(
  fc.record({
    /** Changes since the last flush; 0: only the sweep. */
    changes: fc.nat(3),
    pendingBytes: fc.constantFrom(0, 0, 1, 70_000),
    waitMs: fc.constantFrom(0, 1, 999, 2_500),
    pings: fc.boolean(),
    pongs: fc.boolean(),
  }),
  { maxLength: 40, size: 'max' },
)

it('[G13] [G14] in any run of sweeps each change comes once and in order, and nothing while bytes or a pong are owed', () => {
  fc.assert(
    fc.property(anySweeps, fc.nat(5), (sweeps, joinedAt) => {
      let [toMark, nowMs, pingId] = [5, 0, 0]
      const reader = createReader(joinedAt, 1, nowMs)
      const got: number[] = []
      let owedSinceMs: number | undefined
      for (const { changes, pendingBytes, waitMs, pings, pongs } of sweeps) {
        nowMs += waitMs
        const fromMark = toMark
        toMark += changes
        if (pongs && pingId !== 0 && notePong(reader, pingId, nowMs)) owedSinceMs = undefined
        const isOwing = owedSinceMs !== undefined && nowMs - owedSinceMs >= 2_000
        const before = reader.mark
        const delivery = decide(reader, { fromMark, toMark }, pendingBytes, nowMs)
        if (delivery === 'wait' || delivery === 'nothing') {
          // It waits for one of two reasons only, and gets nothing only where there is nothing.
          if (delivery === 'wait') expect(pendingBytes > 0 || isOwing).toBe(true)
          else expect(before).toBe(toMark)
        } else {
          expect([pendingBytes, isOwing]).toEqual([0, false])
          // A flush holds what changed after `fromMark`, its tail what is newer than the reader, a catch-up all it missed.
          const from = delivery === 'flush' ? fromMark : before
          if (delivery === 'tail') expect(before).toBeGreaterThan(fromMark)
          if (delivery === 'catch-up') expect(before).toBeLessThan(fromMark)
          for (let mark = from + 1; mark <= toMark; mark++) got.push(mark)
          reader.mark = toMark
        }
        if (pings && reader.pingId === 0) {
          notePing(reader, ++pingId, nowMs)
          owedSinceMs = nowMs
        }
      }
      expect(got).toEqual(Array.from({ length: got.length }, (_, index) => joinedAt + 1 + index))
      expect(reader.mark).toBe(joinedAt + got.length)
    }),
  )
})

it('[G14] whoever answers each ping within ten seconds stays; whoever stops is found out within 45, and not before ten', () => {
  const anyHabit = fc.record({
    number: fc.nat(1_000_000),
    answersMs: fc.array(fc.integer({ min: 1, max: 9_000 }), { maxLength: 6 }),
    standStillMs: fc.constantFrom(0, 0, 5_000, 60_000),
  })
  fc.assert(
    fc.property(anyHabit, ({ number, answersMs, standStillMs }) => {
      const reader = createReader(0, number, 0)
      let [pingId, heardMs, pingedMs] = [0, 0, -1]
      let left = [...answersMs]
      for (let nowMs = 1_000; nowMs < 600_000; nowMs += 1_000) {
        const [answerMs] = left
        if (pingedMs >= 0 && answerMs !== undefined && nowMs >= pingedMs + answerMs) {
          expect(notePong(reader, pingId, nowMs)).toBe(true)
          left = left.slice(1)
          ;[heardMs, pingedMs] = [nowMs, -1]
          continue
        }
        // A pong that nobody asked for is no sign of reading.
        expect(notePong(reader, pingId + 1, nowMs)).toBe(false)
        if (pingedMs >= 0 && standStillMs > 0 && left.length === 0 && nowMs === pingedMs + 1_000) {
          forgive(reader, standStillMs)
          nowMs += standStillMs
          pingedMs += standStillMs
          heardMs += standStillMs
        }
        const check = checkReader(reader, nowMs)
        if (check === 'ping') {
          notePing(reader, ++pingId, nowMs)
          pingedMs = nowMs
        }
        if (check !== 'not-reading') continue
        expect(left).toEqual([])
        expect(nowMs - pingedMs).toBeGreaterThanOrEqual(10_000)
        expect(nowMs - heardMs).toBeLessThanOrEqual(45_000)
        return
      }
      throw new Error('it was never given up')
    }),
  )
})
