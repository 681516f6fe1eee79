import fc from 'fast-check'
import { expect, it } from 'vitest'
import { anyActs, honestDay } from '../testing/honest-day.ts'
import { findStored, keyOf, storedValuesOf } from './stored-values.ts'

const anyList = fc.array(fc.tuple(fc.nat(50), fc.constantFrom('1/0', '2/0', '3/0')), { maxLength: 30 }).map((steps) => {
  let atMs = 0
  return steps.map(([afterMs, key]) => ({ atMs: (atMs += afterMs), key }))
})

it('[K6] a value is found at the first place where it was the newest in that time, as a plain search finds it', () => {
  fc.assert(
    fc.property(anyList, fc.nat(30), fc.nat(1_500), fc.nat(1_500), (list, from, sinceMs, untilMs) => {
      const wanted = list.findIndex(
        ({ atMs, key }, index) =>
          index >= from && key === '2/0' && atMs <= untilMs && (list[index + 1]?.atMs ?? Infinity) >= sinceMs,
      )
      expect(findStored(list, '2/0', { from, sinceMs, untilMs })).toBe(wanted)
    }),
  )
})

it('[K6] every value that was stored stands under its room, in order', () => {
  fc.assert(
    fc.property(anyActs, (acts) => {
      const day = honestDay(acts)
      for (const [slug, list] of storedValuesOf(day)) {
        const stored = day.flatMap((entry) =>
          entry.kind === 'stored' && entry.what.kind === 'room' && entry.what.room.room_slug === slug
            ? [keyOf(entry.what.room)]
            : [],
        )
        expect(list.map(({ key }) => key)).toEqual(stored)
      }
    }),
  )
})

it('[K6] marks are part of a value', () => {
  const room = { online_count: 1, typing_count: 0 }
  const keys = [room, { ...room, stale: true }, { ...room, removed: true }, { ...room, active: true }].map(keyOf)
  expect(new Set(keys).size).toBe(4)
})
