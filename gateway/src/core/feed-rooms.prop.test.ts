// The table of rooms against a recount: after any sequence of messages, in any order, it holds the newest believable value of each
// room, and its running numbers are what counting them all again gives.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { compareEpochs, type Epoch } from '@citypresence/wire/epoch'
import { createRoomTable, dropMissing, learn, raise, settle, type Known, type RoomTable } from './feed-rooms.ts'

const voice = (term: number): Epoch => ({ term, epoch: term * 100 })
const known = (slug: string, term: number, sequence: number, removed = false): Known => ({
  epoch: voice(term),
  sequence,
  view: { room_slug: slug, online_count: sequence, typing_count: 0, ...(removed && { removed: true }) },
})

const term = fc.integer({ min: 1, max: 4 })
const anyKnown = fc
  .record({
    slug: fc.constantFrom('a', 'b', 'c', 'd'),
    term,
    sequence: fc.integer({ min: 1, max: 30 }),
    removed: fc.boolean(),
  })
  .map(({ slug, term: spoken, sequence, removed }) => known(slug, spoken, sequence, removed))
const act = fc.oneof(
  { weight: 6, arbitrary: fc.record({ what: fc.constant('learn' as const), room: anyKnown }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('raise' as const), term }) },
  {
    weight: 1,
    arbitrary: fc.record({
      what: fc.constant('drop' as const),
      held: fc.subarray(['a', 'b', 'c', 'd']),
      newest: fc.nat(30),
    }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('settle' as const) }) },
)

const isOf = (table: RoomTable, { epoch }: Known): boolean =>
  table.best !== undefined && compareEpochs(epoch, table.best) === 0

function checkNumbers(table: RoomTable): void {
  const current = [...table.rooms.values()].filter((room) => isOf(table, room))
  expect(table.current).toBe(current.filter(({ view }) => view.removed !== true).length)
  // A dropped room may have been the newest one: the number never goes down within a voice.
  expect(table.newestRoom).toBeGreaterThanOrEqual(Math.max(0, ...current.map(({ sequence }) => sequence)))
}

it('[G4] the running numbers of the table are what a recount gives, whatever was learnt, raised, dropped and settled', () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
      const table = createRoomTable()
      for (const one of acts) {
        if (one.what === 'learn') learn(table, one.room)
        else if (one.what === 'raise') raise(table, voice(one.term))
        else if (one.what === 'drop') dropMissing(table, new Set(one.held), one.newest)
        else settle(table)
        checkNumbers(table)
      }
    }),
  )
})

it('[G3] in whatever order the messages come, each room ends at its newest', () => {
  fc.assert(
    fc.property(fc.uniqueArray(anyKnown, { selector: ({ sequence }) => sequence }), (rooms) => {
      const table = createRoomTable()
      raise(table, voice(4))
      for (const room of rooms) learn(table, room)
      for (const [slug, { epoch, sequence }] of table.rooms) {
        const others = rooms.filter(({ view }) => view.room_slug === slug)
        const isBeaten = others.some((room) => (compareEpochs(room.epoch, epoch) || room.sequence - sequence) > 0)
        expect(isBeaten).toBe(false)
      }
    }),
  )
})

it('[G3] a voice above the best is not taken from a room, and one below the last complete city is a ghost', () => {
  const table = createRoomTable()
  raise(table, voice(2))
  expect(learn(table, known('a', 3, 9))).toBe(false)
  expect(learn(table, known('a', 1, 3))).toBe(true)
  learn(table, known('b', 2, 7))
  expect(settle(table).map(({ room_slug }) => room_slug)).toEqual(['b'])
  expect([...table.rooms.keys()]).toEqual(['b'])
  raise(table, voice(3))
  expect([learn(table, known('a', 1, 4)), learn(table, known('a', 2, 8))]).toEqual([false, true])
})

it('[G4] what the stream no longer holds is dropped up to where it was read, and told only if it was a room of the city', () => {
  const table = createRoomTable()
  raise(table, voice(1))
  for (const room of [known('a', 1, 3), known('b', 1, 4, true), known('c', 1, 9)]) learn(table, room)
  expect(dropMissing(table, new Set(['a']), 8)).toBe(false)
  expect([...table.rooms.keys()]).toEqual(['a', 'c'])
  expect(dropMissing(table, new Set(), 8)).toBe(true)
  expect([...table.rooms.keys()]).toEqual(['c'])
})
