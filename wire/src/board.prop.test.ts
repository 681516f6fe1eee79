// The board against its twin: a plain list of every change, replayed from the beginning for every question.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import {
  changedSince,
  createBoard,
  forgetRemoved,
  liveRooms,
  putRoom,
  replaceRooms,
  sameView,
  type Board,
} from './board.ts'
import type { RoomView } from './client-messages.ts'
import { anyView } from './testing/any-message.ts'

// Few slugs and small counts, so that the same room changes, changes back and goes.
const anyFlag = fc.constantFrom(undefined, false, true)
const view: fc.Arbitrary<RoomView> = fc
  .tuple(
    fc.constantFrom('a', 'b', 'c', 'd'),
    fc.nat({ max: 2 }),
    fc.nat({ max: 1 }),
    anyFlag,
    anyFlag,
    anyFlag,
    fc.constantFrom(undefined, undefined, 3),
  )
  .map(([room_slug, online_count, typing_count, active, stale, removed, below]) => ({
    room_slug,
    online_count,
    typing_count,
    ...(active !== undefined && { active }),
    ...(stale !== undefined && { stale }),
    ...(removed !== undefined && { removed }),
    ...(below !== undefined && { below }),
  }))

type Step = { readonly kind: 'put'; readonly view: RoomView } | { readonly kind: 'replace'; readonly views: RoomView[] }
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: view.map((put) => ({ kind: 'put' as const, view: put })) },
  fc
    .uniqueArray(view, { selector: ({ room_slug }) => room_slug, maxLength: 4 })
    .map((views) => ({ kind: 'replace' as const, views })),
)
const steps = fc.array(step, { maxLength: 30 })

const take = (board: Board, next: Step): RoomView[] => {
  if (next.kind === 'replace') return replaceRooms(board, next.views)
  return putRoom(board, next.view) ? [next.view] : []
}

/** What a reader can see of a room, as text: two views with the same text show the same. */
const looks = ({ room_slug, online_count, typing_count, active, stale, removed, below }: RoomView): string =>
  JSON.stringify([room_slug, online_count, typing_count, active === true, stale === true, removed === true, below])

/** What the steps leave, each room by its last word; a room that a replacement does not name is gone. */
const replay = (taken: readonly Step[]): Map<string, RoomView> => {
  const rooms = new Map<string, RoomView>()
  const set = (next: RoomView): void => {
    if (next.removed === true) rooms.delete(next.room_slug)
    else rooms.set(next.room_slug, next)
  }
  for (const one of taken) {
    if (one.kind === 'replace') rooms.clear()
    for (const next of one.kind === 'put' ? [one.view] : one.views) set(next)
  }
  return rooms
}
const looksOf = (rooms: Iterable<RoomView>): string[] => [...rooms].map(looks).sort()

it('[W18] the rooms to show are those of a replay from the beginning', () => {
  fc.assert(
    fc.property(steps, (taken) => {
      const board = createBoard()
      for (const one of taken) take(board, one)
      expect(looksOf(liveRooms(board))).toEqual(looksOf(replay(taken).values()))
    }),
    { numRuns: 500 },
  )
})

it('[W19] a reader at any mark is told exactly the newest value of each room that changed since', () => {
  fc.assert(
    fc.property(steps, steps, (before, after) => {
      const board = createBoard()
      for (const one of before) take(board, one)
      const mark = board.mark
      const missed = new Map<string, RoomView>()
      for (const changed of after.flatMap((one) => take(board, one))) {
        missed.delete(changed.room_slug)
        missed.set(changed.room_slug, changed)
      }
      expect(changedSince(board, mark)).toEqual([...missed.values()])
    }),
    { numRuns: 500 },
  )
})

it('[W19] a reader who takes what was missed, at any moments, shows what the board shows', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(step, fc.boolean()), { maxLength: 30 }), (taken) => {
      const board = createBoard()
      const reader = { board: createBoard(), mark: 0 }
      const read = (): void => {
        for (const missed of changedSince(board, reader.mark)) putRoom(reader.board, missed)
        reader.mark = board.mark
      }
      for (const [one, looksNow] of taken) {
        take(board, one)
        if (looksNow) read()
      }
      read()
      expect(looksOf(liveRooms(reader.board))).toEqual(looksOf(liveRooms(board)))
      expect(changedSince(board, board.mark)).toEqual([])
    }),
    { numRuns: 500 },
  )
})

it('[W20] putting what is there changes nothing, and says so', () => {
  fc.assert(
    fc.property(steps, view, (taken, again) => {
      const board = createBoard()
      for (const one of taken) take(board, one)
      putRoom(board, again)
      const mark = board.mark
      expect(putRoom(board, { ...again })).toBe(false)
      expect(board.mark).toBe(mark)
    }),
  )
})

it('[W20] a removed room that nobody knew is nothing new; one that was known is, once', () => {
  const board = createBoard()
  const gone = { room_slug: 'a', online_count: 0, typing_count: 0, removed: true }
  expect([putRoom(board, gone), board.mark, board.entries.size]).toEqual([false, 0, 0])
  expect(putRoom(board, { room_slug: 'a', online_count: 1, typing_count: 0 })).toBe(true)
  expect([putRoom(board, gone), putRoom(board, gone), board.mark]).toEqual([true, false, 2])
})

it('[W20] two views are the same exactly when they look the same; a false flag looks like none', () => {
  fc.assert(
    fc.property(fc.oneof(view, anyView(fc.constant('a'))), fc.oneof(view, anyView(fc.constant('a'))), (a, b) => {
      const renamed = { ...b, room_slug: a.room_slug }
      expect(sameView(a, renamed)).toBe(looks(a) === looks(renamed))
    }),
  )
})

it('[W20] a floor that comes, goes or moves is a change', () => {
  const room = { room_slug: 'a', online_count: 0, typing_count: 0 }
  expect(sameView(room, { ...room, below: 3 })).toBe(false)
  expect(sameView({ ...room, below: 2 }, { ...room, below: 3 })).toBe(false)
  expect(sameView({ ...room, below: 3 }, { ...room, below: 3 })).toBe(true)
})

it('[W21] a replacement returns each differing room once, the gone ones as zeros, and a second one returns nothing', () => {
  fc.assert(
    fc.property(steps, fc.uniqueArray(view, { selector: ({ room_slug }) => room_slug }), (taken, views) => {
      const board = createBoard()
      for (const one of taken) take(board, one)
      const shown = new Map(liveRooms(board).map((room) => [room.room_slug, room]))
      const changed = replaceRooms(board, views)
      const named = new Set(views.map(({ room_slug }) => room_slug))
      for (const gone of changed.filter(({ room_slug }) => !named.has(room_slug)))
        expect(gone).toEqual({ room_slug: gone.room_slug, online_count: 0, typing_count: 0, removed: true })
      for (const [slug, room] of shown) {
        const now = views.find(({ room_slug }) => room_slug === slug)
        const differs = now === undefined || looks(now) !== looks(room)
        expect(changed.filter(({ room_slug }) => room_slug === slug)).toHaveLength(differs ? 1 : 0)
      }
      expect(replaceRooms(board, views)).toEqual([])
    }),
    { numRuns: 500 },
  )
})

it('[W22] forgetting drops the rooms removed at or before a mark and no other; the rooms to show stay', () => {
  fc.assert(
    fc.property(steps, fc.nat({ max: 40 }), (taken, mark) => {
      const board = createBoard()
      for (const one of taken) take(board, one)
      const shown = looksOf(liveRooms(board))
      const kept = [...board.entries].filter(([, entry]) => entry.view.removed !== true || entry.mark > mark)
      forgetRemoved(board, mark)
      expect([...board.entries]).toEqual(kept)
      expect(looksOf(liveRooms(board))).toEqual(shown)
    }),
  )
})
