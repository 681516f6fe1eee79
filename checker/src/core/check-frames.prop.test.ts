// Any honest day with one frame that lies, wherever it is.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { anyActs, honestDay, membersOfEach } from '../testing/honest-day.ts'
import type { Frame } from '../testing/lies.ts'
import { frameChecks } from './check-frames.ts'
import { replay } from './connections.ts'
import type { Entry } from './history.ts'
import { keyOf, storedValuesOf } from './stored-values.ts'
import type { Violation } from './violation.ts'

function brokenIn(day: readonly Entry[]): readonly string[] {
  const found: Violation[] = []
  replay(day, [frameChecks(storedValuesOf(day), found)])
  return found.map(({ invariant }) => invariant)
}
const anyDay = anyActs.map((acts) => honestDay(acts))
const framesIn = (day: readonly Entry[], type: Frame['message']['type']): number[] =>
  day.flatMap((entry, index) => (entry.kind === 'frame' && entry.message.type === type ? [index] : []))

it('[K3] an honest day has nothing to confess, whichever of its later frames never came', () => {
  fc.assert(
    fc.property(anyDay, fc.infiniteStream(fc.boolean()), (day, drops) => {
      expect(brokenIn(day)).toEqual([])
      // What a reader lags behind is conflated: frames may be missing, never wrong.
      const changes = new Set(framesIn(day, 'room.presence'))
      expect(brokenIn(day.filter((_, index) => !changes.has(index) || !drops.next().value))).toEqual([])
    }),
  )
})

it('[K3] a value that was never stored is found in whatever frame it stands', () => {
  fc.assert(
    fc.property(anyDay, fc.nat(), (day, pick) => {
      const places = framesIn(day, 'room.presence')
      fc.pre(places.length > 0)
      const place = places[pick % places.length] ?? 0
      const frame = day[place] as Frame
      const message = { ...frame.message, online_count: membersOfEach + 1 } as Frame['message']
      expect(brokenIn(day.with(place, { ...frame, message }))).toEqual(['INV-05'])
    }),
  )
})

it('[K3] a value from before the newest one is found, whichever room it is of', () => {
  fc.assert(
    fc.property(anyDay, fc.nat(), (day, pick) => {
      const rooms = [...storedValuesOf(day)].filter(([, values]) =>
        values.some(({ key }) => key !== values.at(-1)?.key),
      )
      fc.pre(rooms.length > 0)
      const [slug = '', values = []] = rooms[pick % rooms.length] ?? []
      const old = day.find(
        (entry) =>
          entry.kind === 'stored' &&
          entry.what.kind === 'room' &&
          entry.what.room.room_slug === slug &&
          keyOf(entry.what.room) !== values.at(-1)?.key,
      )
      if (old?.kind !== 'stored' || old.what.kind !== 'room') throw new Error('there is one')
      const { room_slug, online_count, typing_count } = old.what.room
      const message = { type: 'room.presence' as const, room_slug, online_count, typing_count }
      const atMs = day.at(-1)?.atMs ?? 0
      expect(brokenIn([...day, { atMs, kind: 'frame', witness: 'ada', connection: 1, message }])).toEqual(['INV-04'])
    }),
  )
})

it('[K3] a second snapshot, and any frame before the first, are found', () => {
  fc.assert(
    fc.property(anyDay, (day) => {
      const [first = 0] = framesIn(day, 'snapshot')
      const frame = day[first] as Frame
      expect(brokenIn(day.toSpliced(first, 0, frame))).toContain('INV-06')
      const count = day.filter((entry) => entry.kind === 'frame' && entry.witness === frame.witness).length
      const without = brokenIn(day.toSpliced(first, 1)).filter((broken) => broken === 'INV-06')
      expect(without).toHaveLength(count - 1)
    }),
  )
})
