// From directory entries to rooms, against any mixture of ids, aliases and upgrades.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { RoomDirectoryEntry } from '@citypresence/wire/room-directory'
import { isUnknownRoom, planRooms, type Resolved, type Successor } from './room-plan.ts'

const roomId = fc.constantFrom('!a', '!b', '!c', '!d:server', '!e')
const alias = fc.constantFrom('#a:one', '#b:one', '#c:two:8448', '#d:two:8448')
const entries = fc.uniqueArray(
  fc.record(
    { slug: fc.constantFrom('s1', 's2', 's3', 's4', 's5'), matrix_room_id: roomId, matrix_room_alias: alias },
    { requiredKeys: ['slug'] },
  ),
  { selector: ({ slug }) => slug },
)
const resolved = fc
  .array(fc.tuple(alias, fc.record({ roomId, servers: fc.array(fc.constantFrom('one', 'three'), { maxLength: 3 }) })))
  .map((pairs) => new Map<string, Resolved>(pairs))
const successors = fc
  .array(fc.tuple(roomId, fc.record({ roomId, viaServer: fc.constantFrom('one', 'four') })))
  .map((pairs) => new Map<string, Successor>(pairs))

it('[R4] every slug of the map stays in it, no two share a room, and what has a room is to be joined', () => {
  fc.assert(
    fc.property(entries, resolved, successors, (list, aliases, upgrades) => {
      const plan = planRooms(list, aliases, upgrades)
      expect(plan.mapped.map(({ slug }) => slug)).toEqual(list.map(({ slug }) => slug))
      const known = plan.mapped.filter((room) => !isUnknownRoom(room.roomId)).map((room) => room.roomId)
      expect(new Set(plan.mapped.map((room) => room.roomId)).size).toBe(plan.mapped.length)
      expect(plan.targets.map((room) => room.roomId)).toEqual(known)
      expect(plan.unresolved.length + plan.doubled.length + known.length).toBe(list.length)
      for (const { via } of plan.targets) expect(new Set(via).size).toBe(via.length)
    }),
  )
})

const plan = (entry: RoomDirectoryEntry, aliases: [string, Resolved][] = [], upgrades: [string, Successor][] = []) =>
  planRooms([entry], new Map(aliases), new Map(upgrades))

it('[R4] an id is taken as it is, without a server too, and stands above its alias', () => {
  const both = { slug: 'market', matrix_room_id: '!abc', matrix_room_alias: '#market:one:8448' }
  const { mapped, targets } = plan(both, [['#market:one:8448', { roomId: '!other', servers: ['three'] }]])
  expect(mapped).toEqual([{ slug: 'market', roomId: '!abc', alias: '#market:one:8448' }])
  expect(targets).toEqual([{ roomId: '!abc', via: ['one:8448', 'three'] }])
})

it('[R5] upgrades are followed to the last room, through the server that made them; a circle leaves the map as it is', () => {
  const entry = { slug: 'market', matrix_room_id: '!a' }
  const steps: [string, Successor][] = [
    ['!a', { roomId: '!b', viaServer: 'one' }],
    ['!b', { roomId: '!c', viaServer: 'two' }],
  ]
  expect(plan(entry, [], steps).targets).toEqual([{ roomId: '!c', via: ['two', 'one'] }])
  const circle: [string, Successor][] = [...steps, ['!c', { roomId: '!a', viaServer: 'one' }]]
  expect(plan(entry, [], circle).targets).toEqual([{ roomId: '!a', via: [] }])
})

it('[R4] an entry without id and alias leaves its slug unknown and is told of', () => {
  expect(plan({ slug: 'market' })).toMatchObject({
    mapped: [{ slug: 'market', roomId: '?market', alias: null }],
    unresolved: ['market'],
    targets: [],
  })
})

it('[R4] an alias that leads nowhere, or into the room of another slug, leaves its slug unknown and is told of', () => {
  expect(plan({ slug: 'market', matrix_room_alias: '#market:one' })).toMatchObject({
    mapped: [{ slug: 'market', roomId: '?market' }],
    unresolved: ['market'],
    targets: [],
  })
  const two = [
    { slug: 'market', matrix_room_id: '!a' },
    { slug: 'library', matrix_room_alias: '#library:one' },
  ]
  expect(planRooms(two, new Map([['#library:one', { roomId: '!a', servers: [] }]]), new Map())).toMatchObject({
    mapped: [
      { slug: 'market', roomId: '!a' },
      { slug: 'library', roomId: '?library' },
    ],
    doubled: ['library'],
  })
})
