// What counts as a message of the stream: real shapes pass, and every broken part is named.
import { expect, it } from 'vitest'
import { defaultPrefix, roomStream, subjectsBelow } from '@citypresence/wire/subjects'
import { readMessage, type ReadMessage } from './stream-message.ts'

const where = { subjects: subjectsBelow(defaultPrefix), streamName: roomStream }
const body = {
  type: 'room.presence',
  room_slug: 'market',
  matrix_room_id: '!m',
  matrix_room_alias: null,
  online_count: 3,
  typing_count: 0,
  typing_users: [],
  last_event_ts: 5,
}
const good = {
  'Nats-Stream': roomStream,
  'Nats-Subject': 'city.presence.room.market',
  'Nats-Sequence': '7',
  'Presence-Epoch': '2.5',
}

function read(headers: Record<string, string>, text = JSON.stringify(body)): ReadMessage {
  return readMessage({ subject: '', header: (name) => headers[name] ?? '', text: () => text }, where)
}

it('[G8] a room, a beat and an epoch record are read with their voice and sequence', () => {
  expect(read({ ...good, traceparent: 'tp' })).toMatchObject({
    kind: 'message',
    message: { kind: 'room', sequence: 7, epoch: { term: 2, epoch: 5 }, traceparent: 'tp' },
  })
  const beat = JSON.stringify({ complete: true, rooms: 1, source: 'live', source_age_ms: 0 })
  expect(read({ ...good, 'Nats-Subject': 'city.presence.beat' }, beat)).toMatchObject({ message: { kind: 'beat' } })
  const record = JSON.stringify({ term: 4, holder: 'h', city: 'c' })
  expect(read({ ...good, 'Nats-Subject': 'city.presence.epoch' }, record)).toEqual({
    kind: 'message',
    message: { kind: 'epoch', sequence: 7, term: 4 },
  })
  const telling = JSON.stringify({ term: 4, holder: 'h', city: 'c', account: 'CITY' })
  expect(read({ ...good, 'Nats-Subject': 'city.presence.epoch' }, telling)).toMatchObject({
    message: { account: 'CITY' },
  })
})

it.each([
  ['another stream', { 'Nats-Stream': 'OTHER' }, 'unknown'],
  ['no stream', { 'Nats-Stream': '' }, 'unknown'],
  ['a sequence that is none', { 'Nats-Sequence': '1e9' }, 'unknown'],
  ['an unknown subject', { 'Nats-Subject': 'city.presence.weather' }, 'unusable'],
  ['the subject of another room', { 'Nats-Subject': 'city.presence.room.library' }, 'unusable'],
  ['a user', { 'Nats-Subject': 'city.presence.user.ada' }, 'unusable'],
  ['no epoch', { 'Presence-Epoch': '' }, 'unusable'],
  ['an epoch that is none', { 'Presence-Epoch': '2' }, 'unusable'],
])('[G8] %s is not believed', (_, change, kind) => {
  expect(read({ ...good, ...change }).kind).toBe(kind)
})
