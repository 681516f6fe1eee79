// What new and old readers are given of the city.
import { expect, it } from 'vitest'
import { readMessages } from '../testing/read-frames.ts'
import {
  createCity,
  forgetBefore,
  framesSince,
  joinBytes,
  learnRooms,
  markOf,
  replaceCity,
  setStatus,
  snapshotOf,
} from './city.ts'

const room = (slug: string, online: number, more: object = {}) => ({
  room_slug: slug,
  online_count: online,
  typing_count: 0,
  ...more,
})

it('[G11] who joins gets the snapshot of all live rooms and the status, built once for all until something changes', () => {
  const city = createCity()
  learnRooms(city, [room('a', 1), room('b', 2)])
  learnRooms(city, [room('b', 0, { removed: true })])
  const first = joinBytes(city)
  expect(readMessages(first)).toEqual([
    { type: 'snapshot', rooms: [room('a', 1)] },
    { type: 'status', stale: true, reason: 'no-beat' },
  ])
  expect(joinBytes(city)).toBe(first)
  learnRooms(city, [room('a', 5)])
  expect(joinBytes(city)).not.toBe(first)
  expect(JSON.parse(snapshotOf(city))).toEqual({ type: 'snapshot', rooms: [room('a', 5)] })
})

it('[G11] what says nothing new makes no mark; a status counts like a change, in its place among them', () => {
  const city = createCity()
  expect(learnRooms(city, [room('a', 1), room('a', 1)])).toBe(1)
  const mark = markOf(city)
  expect(setStatus(city, { stale: false })).toBe(true)
  expect(setStatus(city, { stale: false })).toBe(false)
  learnRooms(city, [room('b', 1)])
  const frames = framesSince(city, mark)
  expect(frames.map((frame) => frame.mark)).toEqual([mark + 1, mark + 2])
  expect(frames.flatMap(({ bytes }) => readMessages(bytes))).toEqual([
    { type: 'status', stale: false },
    { type: 'room.presence', ...room('b', 1) },
  ])
  expect(framesSince(city, markOf(city))).toEqual([])
})

it('[G11] after the board was replaced only differing rooms are new, and rooms that are gone are told as removed', () => {
  const city = createCity()
  learnRooms(city, [room('a', 1), room('b', 2), room('c', 3)])
  const mark = markOf(city)
  expect(replaceCity(city, [room('a', 1), room('b', 9)])).toBe(2)
  expect(framesSince(city, mark).flatMap(({ bytes }) => readMessages(bytes))).toEqual([
    { type: 'room.presence', ...room('b', 9) },
    { type: 'room.presence', ...room('c', 0, { removed: true }) },
  ])
  forgetBefore(city, markOf(city) - 1)
  expect(city.board.entries.has('c')).toBe(true)
  forgetBefore(city, markOf(city))
  expect(city.board.entries.has('c')).toBe(false)
})

it('[G12] a frame is built once, whoever needs it', () => {
  const city = createCity()
  learnRooms(city, [room('a', 1)])
  expect(framesSince(city, 0)[0]?.bytes).toBe(framesSince(city, 0)[0]?.bytes)
})
