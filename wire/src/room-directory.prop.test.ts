// The map of the city is taken whole or refused whole, and the refusal says where.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { describeDecodeError } from './decode.ts'
import { matrixRoomAlias, matrixRoomId, roomDirectory, roomsMax } from './room-directory.ts'
import { anyDirectory } from './testing/any-message.ts'

const refusal = (input: unknown): string => {
  const decoded = roomDirectory.decode(input)
  return decoded.ok ? 'accepted' : describeDecodeError(decoded.error)
}

it('[W12] both forms mean the same', () => {
  fc.assert(
    fc.property(anyDirectory, (rooms) => {
      expect(roomDirectory.decode({ rooms, page: 1 })).toEqual(roomDirectory.decode(rooms))
    }),
  )
})

it('[W12] null and empty ids count as absent, as a database would give them', () => {
  const nothing = fc.constantFrom(null, '', undefined)
  fc.assert(
    fc.property(anyDirectory, nothing, (rooms, empty) => {
      const padded = rooms.map((room) => ({ matrix_room_id: empty, matrix_room_alias: empty, ...room }))
      expect(roomDirectory.decode(padded)).toEqual({ ok: true, value: rooms })
    }),
  )
  expect(refusal([{ slug: null, matrix_room_id: '!a' }])).toMatch(/^\[0\]\.slug: /)
})

it('[W13] a slug, an id or an alias that comes twice refuses the whole map and names the second', () => {
  const two = fc.tuple(anyDirectory, fc.nat(), fc.nat(), fc.constantFrom('slug', 'matrix_room_id', 'matrix_room_alias'))
  fc.assert(
    fc.property(two, ([rooms, from, to, key]) => {
      fc.pre(rooms.length >= 2)
      const [first, second] = [from % rooms.length, to % rooms.length].sort((a, b) => a - b)
      fc.pre(first !== second && first !== undefined && second !== undefined)
      const value = (rooms[first] as Record<string, string>)[key]
      fc.pre(value !== undefined)
      const copied = rooms.map((room, index) => (index === second ? { ...room, [key]: value } : room))
      expect(refusal({ rooms: copied })).toMatch(`rooms[${second}].${key}: expected a value that no other entry has`)
    }),
  )
})

it('[W12] an entry may have no Matrix room yet: that hides no other', () => {
  const list = [{ slug: 'a', matrix_room_id: '!x' }, { slug: 'b' }, { slug: 'c', matrix_room_alias: null }]
  expect(roomDirectory.decode(list)).toEqual({ ok: true, value: [list[0], { slug: 'b' }, { slug: 'c' }] })
})

it('[W13] what is wrong is named by its path', () => {
  const good = { slug: 'a', matrix_room_id: '!a' }
  expect(refusal([good, { slug: 'B', matrix_room_id: '!b' }])).toMatch(/^\[1\]\.slug: expected a slug .*, found "B"$/)
  expect(refusal({ rooms: [{ slug: 'a', matrix_room_id: '#a' }] })).toMatch(/^rooms\[0\]\.matrix_room_id: /)
  expect(refusal([{ slug: 'a', matrix_room_alias: '!a' }])).toMatch(/^\[0\]\.matrix_room_alias: /)
  expect(refusal([null])).toBe('[0]: expected an object, found null')
  expect(refusal({})).toBe('rooms: expected an array, found nothing')
  expect(refusal('rooms')).toBe('(whole): expected an array, found "rooms"')
})

it('[W13] a map beyond any city is refused', () => {
  const rooms = (count: number) => Array.from({ length: count }, (_, n) => ({ slug: `r${n}`, matrix_room_id: `!${n}` }))
  expect(refusal(rooms(roomsMax))).toBe('accepted')
  expect(refusal(rooms(roomsMax + 1))).toMatch(/at most 10000/)
})

it('[W14] a room id may lack a server, is never split, and is at most 255 long', () => {
  const ids = ['!abc', '!abc:test.local', `!${'x'.repeat(254)}`]
  expect(ids.map((id) => matrixRoomId.decode(id).ok)).toEqual([true, true, true])
  expect(['!', 'abc', '#abc', `!${'x'.repeat(255)}`, 1].map((id) => matrixRoomId.decode(id).ok)).toEqual(
    Array(5).fill(false),
  )
  expect(['#a:b', '#', '!a', ''].map((alias) => matrixRoomAlias.decode(alias).ok)).toEqual([true, false, false, false])
})
