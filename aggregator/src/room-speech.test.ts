// What a new leader says about what it finds in the stream.
import { expect, it } from 'vitest'
import { defaultPrefix, subjectsBelow } from '@citypresence/wire/subjects'
import type { RoomPresence } from '@citypresence/wire/room-presence'
import { createRoomSpeech } from './room-speech.ts'

const stored = (slug: string, more: Partial<RoomPresence> = {}) => ({
  subject: `city.presence.room.${slug}`,
  body: JSON.stringify({
    ...{ type: 'room.presence', room_slug: slug, matrix_room_id: `!${slug}`, matrix_room_alias: null },
    ...{ online_count: 5, typing_count: 1, typing_users: ['@a:t'], last_event_ts: 7, active: true, ...more },
  }),
})

function takeOver(
  mapped: readonly string[],
  messages: ReturnType<typeof stored>[],
  sightings = 2,
): readonly RoomPresence[] {
  const city = {
    isKnown: () => true,
    sightings: () => sightings,
    slugs: () => mapped,
    valueOf: () => ({ kind: 'unobserved' }) as const,
    source: () => ({ source: 'live', sourceAgeMs: 0 }) as const,
    wallMs: () => 9,
  }
  const speech = createRoomSpeech(city, subjectsBelow(defaultPrefix), 3_000)
  speech.begin({ term: 1, epoch: 2 })
  speech.takeStored(messages)
  const said = speech.next(0).map(({ body }) => JSON.parse(body) as RoomPresence)
  return said.filter(({ type }) => (type as string | undefined) === 'room.presence')
}

it('[L24] a room not seen yet keeps its last count, marked stale, and nobody types there', () => {
  expect(takeOver(['r'], [stored('r')])).toEqual([
    expect.objectContaining({ room_slug: 'r', online_count: 5, typing_count: 0, typing_users: [], stale: true }),
  ])
})

it('[L24] a room off the map is removed once: one that was removed before is let expire', () => {
  const gone = takeOver(['kept'], [stored('r'), stored('old', { removed: true })])
  expect(gone).toEqual([expect.objectContaining({ room_slug: 'r', online_count: 0, removed: true, last_event_ts: 9 })])
})

it('[L24] of a room that was removed and is back on the map nothing old is said', () => {
  expect(takeOver(['r'], [stored('r', { removed: true })])).toEqual([])
})

it('[L24] what the stream holds and nobody can read names no room', () => {
  expect(takeOver([], [{ subject: 'city.presence.room.r', body: '{' }])).toEqual([])
})

it('[L37] a map without most of the rooms of the stream is believed when it was seen twice, one without any room never', () => {
  const city = ['a', 'b', 'c', 'd'].map((slug) => stored(slug))
  const removed = (mapped: readonly string[], sightings: number) =>
    takeOver(mapped, [...city, stored('old', { removed: true })], sightings).filter((room) => room.removed).length
  expect([removed(['a'], 1), removed(['a'], 2)]).toEqual([0, 3])
  expect(removed(['a', 'b'], 1)).toBe(2)
  expect([removed([], 1), removed([], 9)]).toEqual([0, 0])
})
