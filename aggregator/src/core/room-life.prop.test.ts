// The life of a room against a log of all that happened, read from its beginning each time.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { at } from '../testing/cities.ts'
import {
  carryLife,
  createLife,
  endLife,
  hasMovedSince,
  lifeDueMs,
  noteActivity,
  noteMove,
  setTyping,
  stopTyping,
  type RoomLife,
} from './room-life.ts'

const [typingMaxMs, windowMs] = [130_000, 300_000]

type Entry =
  | { readonly kind: 'type'; readonly userIds: readonly string[] }
  | { readonly kind: 'act'; readonly aheadMs: number | undefined }
  | { readonly kind: 'stop' | 'end' }
const anyEntry: fc.Arbitrary<Entry> = fc.oneof(
  fc.record({ kind: fc.constant('type' as const), userIds: fc.subarray(['@a:x', '@b:x', '@c:x']) }),
  // Stamps of other servers: long ago, a while ago, now, the future.
  fc.record({
    kind: fc.constant('act' as const),
    aheadMs: fc.constantFrom(undefined, -400_000, -299_999, -5_000, 0, 60_000),
  }),
  fc.record({ kind: fc.constantFrom('stop' as const, 'end' as const) }),
)
const anyLog = fc.array(fc.record({ entry: anyEntry, waitMs: fc.constantFrom(0, 1, 4_999, 130_000, 290_000) }), {
  maxLength: 20,
})

function live(life: RoomLife, entry: Entry, ms: number): void {
  if (entry.kind === 'type') setTyping(life, entry.userIds, at(ms), typingMaxMs)
  else if (entry.kind === 'act')
    noteActivity(life, entry.aheadMs === undefined ? undefined : at(ms + entry.aheadMs).wallMs, at(ms), windowMs)
  else if (entry.kind === 'stop') stopTyping(life)
  else endLife(life, ms)
}

type Dated = { readonly entry: Entry; readonly ms: number }
type Told = { readonly typing: readonly string[]; readonly active: boolean; readonly lastTs: number }

/** What is to be seen at a moment, from the whole log. */
function read(log: readonly Dated[], nowMs: number): Told {
  const typed = log.findLast(({ entry }) => entry.kind === 'type' || entry.kind === 'stop')
  const holds = typed?.entry.kind === 'type' && nowMs < typed.ms + typingMaxMs
  const stamps = log.flatMap(({ entry, ms }) => (entry.kind === 'act' ? [ms + Math.min(entry.aheadMs ?? 0, 0)] : []))
  return {
    typing: holds ? typed.entry.userIds : [],
    active: stamps.some((ms) => nowMs < ms + windowMs),
    lastTs: Math.max(0, ...stamps.map((ms) => at(ms).wallMs)),
  }
}

const seen = (life: RoomLife): Told => ({
  typing: life.typing,
  active: life.activeUntilMs !== 0,
  lastTs: life.lastActivityTs,
})

function dated(log: readonly { readonly entry: Entry; readonly waitMs: number }[]): readonly Dated[] {
  let ms = 1_000_000
  return log.map(({ entry, waitMs }) => ({ entry, ms: (ms += waitMs) }))
}

it('[P5] [P6] after any log a room shows what the log says at that moment', () => {
  fc.assert(
    fc.property(anyLog, fc.nat(400_000), (plain, laterMs) => {
      const log = dated(plain)
      const life = createLife()
      for (const { entry, ms } of log) live(life, entry, ms)
      const nowMs = (log.at(-1)?.ms ?? 0) + laterMs
      endLife(life, nowMs)
      expect(seen(life)).toEqual(read(log, nowMs))
    }),
  )
})

it('[P5] [P6] nothing changes by time alone before it is due, and something ends when it is', () => {
  fc.assert(
    fc.property(anyLog, (plain) => {
      const log = dated(plain)
      const life = createLife()
      for (const { entry, ms } of log) live(life, entry, ms)
      endLife(life, log.at(-1)?.ms ?? 0)
      for (let dueMs = lifeDueMs(life); dueMs !== Infinity; dueMs = lifeDueMs(life)) {
        const before = seen(life)
        expect(endLife(life, dueMs - 1)).toBe(false)
        expect(seen(life)).toEqual(before)
        expect(endLife(life, dueMs)).toBe(true)
        expect(lifeDueMs(life)).toBeGreaterThan(dueMs)
      }
    }),
  )
})

it('[P12] activity carried over a replacement is that of both logs', () => {
  fc.assert(
    fc.property(anyLog, anyLog, (one, other) => {
      const lives = [one, other].map((plain) => {
        const life = createLife()
        // Activity alone is carried; who types is said anew.
        for (const { entry, ms } of dated(plain)) if (entry.kind === 'act') live(life, entry, ms)
        return life
      }) as [RoomLife, RoomLife]
      carryLife(...lives)
      const both = [...dated(one), ...dated(other)].filter(({ entry }) => entry.kind === 'act')
      const nowMs = Math.max(0, ...both.map(({ ms }) => ms))
      endLife(lives[1], nowMs)
      expect(seen(lives[1])).toEqual({ ...read(both, nowMs), typing: [] })
    }),
  )
})

it('[M13] of each room the last hundred who came or went are remembered, with their newest word, and nobody else', () => {
  const anyMove = fc.record({ who: fc.nat(150), originTs: fc.nat(1_000) })
  const few = fc.array(anyMove, { maxLength: 30 })
  const many = fc.array(anyMove, { minLength: 100, maxLength: 250, size: 'max' })
  fc.assert(
    fc.property(fc.oneof(few, many), (moves) => {
      const life = createLife()
      let most = 0
      for (const { who, originTs } of moves) {
        noteMove(life, String(who), originTs)
        most = Math.max(most, life.moves.size)
      }
      const newest = new Map<number, number>()
      for (const { who, originTs } of moves.toReversed())
        if (newest.size < 100 && !newest.has(who)) newest.set(who, originTs)
      const everybody = Array.from({ length: 151 }, (_, who) => who)
      const told = everybody.map((who) => {
        const ts = newest.get(who) ?? 0
        return [hasMovedSince(life, String(who), ts - 1), hasMovedSince(life, String(who), ts)]
      })
      expect(told).toEqual(everybody.map((who) => [newest.has(who), false]))
      expect(most).toBeLessThanOrEqual(100)
    }),
    { numRuns: 50 },
  )
})
