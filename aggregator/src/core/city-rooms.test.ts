import { expect, it } from 'vitest'
import { at, cityOptions, come, daemonUserId, follow, is, lose, presenceIn, respond, user } from '../testing/cities.ts'
import { createCityRooms, lookAtRoom, noteBlind, takeMap, valueOfSlug } from './city-rooms.ts'
import { createCity, mapRooms, takeChanged, valueOf } from './city.ts'
import { createObservation } from './observation.ts'

/** Two rooms with one and two people online. */
function twoRooms() {
  const city = createCity(cityOptions)
  const people = [come('!a', user(0)), come('!b', user(1)), come('!b', user(2))]
  const online = [0, 1, 2].map((index) => is(user(index), 'online'))
  mapRooms(city, [mapped('a', '!a'), mapped('b', '!b')], at(0))
  respond(city, 1, follow('!a'), follow('!b'), ...people, ...online)
  takeChanged(city)
  return city
}
const mapped = (slug: string, roomId: string, alias: string | null = null) => ({ slug, roomId, alias })

it('[P14] two slugs that change places show the other room at once', () => {
  const city = twoRooms()
  mapRooms(city, [mapped('a', '!b'), mapped('b', '!a')], at(10))
  expect(takeChanged(city)).toEqual(new Set(['a', 'b']))
  expect([presenceIn(city, 'a').online_count, presenceIn(city, 'b').online_count]).toEqual([2, 1])
  expect(presenceIn(city, 'a')).toMatchObject({ matrix_room_id: '!b', last_event_ts: at(10).wallMs })
})

it('[P14] another alias is told, and is no other room', () => {
  const city = twoRooms()
  mapRooms(city, [mapped('a', '!a', '#a:x'), mapped('b', '!b')], at(10))
  expect([...takeChanged(city)]).toEqual(['a'])
  expect(presenceIn(city, 'a')).toMatchObject({ matrix_room_alias: '#a:x', online_count: 1 })
})

it('[P14] of a removed room that comes back nothing old is shown', () => {
  const city = twoRooms()
  mapRooms(city, [mapped('b', '!b')], at(10))
  respond(city, 11, lose('!a'))
  mapRooms(city, [mapped('a', '!a'), mapped('b', '!b')], at(12))
  expect(valueOf(city, 'a')).toEqual({ kind: 'unobserved' })
})

it('[P8] a lost room keeps its value for every slug it has, and for none that comes later', () => {
  const city = twoRooms()
  mapRooms(city, [mapped('a', '!a'), mapped('a2', '!a')], at(10))
  respond(city, 11, lose('!a'))
  mapRooms(city, [mapped('a', '!a'), mapped('a2', '!a'), mapped('a3', '!a')], at(12))
  expect([presenceIn(city, 'a').online_count, presenceIn(city, 'a2').stale]).toEqual([1, true])
  expect(valueOf(city, 'a3').kind).toBe('unobserved')
})

it('[P8] a slug that moved from one lost room to another unknown one keeps the first value', () => {
  const city = twoRooms()
  respond(city, 11, lose('!a'))
  mapRooms(city, [mapped('a', '!new')], at(12))
  expect(presenceIn(city, 'a')).toMatchObject({ online_count: 1, stale: true, matrix_room_id: '!a' })
})

it('[P14] the memory of removed slugs is bounded, oldest out', () => {
  const rooms = createCityRooms()
  const none = () => false
  for (let turn = 0; turn < 3; turn++) {
    takeMap(
      rooms,
      Array.from({ length: 5000 }, (_, index) => mapped(`s${turn}-${index}`, `!${turn}-${index}`)),
      none,
      5,
    )
    takeMap(rooms, [], none, 6)
  }
  expect([rooms.removed.size, rooms.records.size, rooms.slugs.size]).toEqual([10_000, 0, 0])
  const [forgotten, kept] = ['s0-0', 's2-0'].map((slug) => valueOfSlug(rooms, slug))
  expect(forgotten).toMatchObject({ kind: 'removed', presence: { matrix_room_id: '', last_event_ts: 0 } })
  expect(kept).toMatchObject({ kind: 'removed', presence: { matrix_room_id: '!2-0', last_event_ts: 6 } })
})

it('[P23] what is known of blind rooms is bounded: of those that no map holds any more nothing is kept when there are too many', () => {
  const rooms = createCityRooms()
  takeMap(rooms, [mapped('a', '!a')], () => false, 5)
  noteBlind(rooms, '!a', true)
  for (let room = 1; room < 10_000; room++) noteBlind(rooms, `!gone${room}`, true)
  expect(rooms.blind.size).toBe(10_000)
  noteBlind(rooms, '!more', true)
  expect([...rooms.blind]).toEqual(['!a'])
})

it('[P8] a look at a room that is neither followed nor mapped leaves nothing behind', () => {
  const rooms = createCityRooms()
  lookAtRoom(rooms, createObservation(daemonUserId, 1, undefined), '!x', { held: false, nowMs: 1, stampTs: 1 })
  expect([rooms.records.size, rooms.changed.size]).toEqual([0, 0])
})
