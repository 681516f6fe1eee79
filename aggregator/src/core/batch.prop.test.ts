// What a batch holds: the rooms, then the beat, each with its epoch; and the number of rooms that the beat tells.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { beat as beatDecoder, type Beat } from '@citypresence/wire/beat'
import { decodeJson } from '@citypresence/wire/decode'
import { roomPresence, type RoomPresence } from '@citypresence/wire/room-presence'
import { subjectsBelow } from '@citypresence/wire/subjects'
import { batchMax, heldAfter, removedRoom, roomsPerBatchMax, toMessages } from './batch.ts'

const subjects = subjectsBelow('city.presence')
const beat: Beat = { complete: true, rooms: 2, source: 'live', source_age_ms: 12 }
const room = (slug: string, removed = false): RoomPresence => ({
  type: 'room.presence',
  room_slug: slug,
  matrix_room_id: '!x:t',
  matrix_room_alias: '#x:t',
  online_count: 3,
  typing_count: 0,
  typing_users: [],
  last_event_ts: 5,
  ...(removed && { removed }),
})

it('[L9] the beat is the last message, every message carries the epoch, and each decodes to what was said', () => {
  const rooms = [room('a'), room('b', true)]
  const messages = toMessages(rooms, beat, { epoch: { term: 7, epoch: 42 }, subjects, traceOf: () => undefined })
  expect(messages.map(({ subject }) => subject)).toEqual([subjects.room('a'), subjects.room('b'), subjects.beat])
  expect(messages.map(({ headers }) => headers['Presence-Epoch'])).toEqual(['7.42', '7.42', '7.42'])
  expect(messages.slice(0, 2).map(({ body }) => decodeJson(roomPresence, body))).toEqual(
    rooms.map((value) => ({ ok: true, value })),
  )
  expect(decodeJson(beatDecoder, messages[2]?.body ?? '')).toEqual({ ok: true, value: beat })
  expect(roomsPerBatchMax + 1).toBe(batchMax)
})

it('[L9] a removed room lives ten minutes, the others and the beat for ever; a trace goes with its room only', () => {
  const [first, second, last] = toMessages([room('a'), room('b', true)], beat, {
    epoch: { term: 1, epoch: 1 },
    subjects,
    traceOf: (slug) => (slug === 'b' ? '00-trace' : undefined),
  })
  expect(first?.headers).toEqual({ 'Presence-Epoch': '1.1' })
  expect(second?.headers).toEqual({ 'Presence-Epoch': '1.1', 'Nats-TTL': '600s', traceparent: '00-trace' })
  expect(last?.headers).toEqual({ 'Presence-Epoch': '1.1' })
})

it('[L10] the rooms of an epoch are those whose last word was not that they are removed', () => {
  const words = fc.array(fc.record({ slug: fc.constantFrom('a', 'b', 'c'), removed: fc.boolean() }))
  fc.assert(
    fc.property(fc.array(words), (batches) => {
      let held: ReadonlySet<string> = new Set()
      const twin = new Map<string, boolean>()
      for (const batch of batches) {
        const before = [...held]
        const after = heldAfter(
          held,
          batch.map(({ slug, removed }) => room(slug, removed)),
        )
        expect([...held]).toEqual(before)
        held = after
        for (const { slug, removed } of batch) twin.set(slug, !removed)
      }
      expect([...held].sort()).toEqual([...twin].flatMap(([slug, there]) => (there ? [slug] : [])).sort())
    }),
  )
})

it('[L10] a removed room says zeros, keeps its names, and is still of the form the wire allows', () => {
  const removed = removedRoom({ ...room('a'), stale: true, active: true }, 99)
  expect(removed).toEqual({ ...room('a', true), online_count: 0, last_event_ts: 99 })
  expect(decodeJson(roomPresence, JSON.stringify(removed)).ok).toBe(true)
})
