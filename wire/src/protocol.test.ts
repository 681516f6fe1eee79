// No contract changes unnoticed: the fingerprint of all of them stands in protocol-version.ts beside what it means.
import { createHash } from 'node:crypto'
import { expect, it } from 'vitest'
import { beat } from './beat.ts'
import * as client from './client-messages.ts'
import { epochHeader, epochRecord, traceHeader } from './epoch.ts'
import { protocolHistory } from './protocol-version.ts'
import { roomDirectory } from './room-directory.ts'
import { removedRoomTtlSeconds, roomPresence } from './room-presence.ts'
import { defaultPrefix, encodeUser, roomStream, subjectsBelow, userStream } from './subjects.ts'
import { erasedUserTtlSeconds, userPresence } from './user-presence.ts'

function wholeProtocol(): unknown {
  const { all, epoch, userEpoch, beat: beatSubject, rooms, users, room, user, ingest } = subjectsBelow(defaultPrefix)
  return {
    messages: [roomPresence, userPresence, beat, epochRecord, client.clientMessage, roomDirectory].map(
      ({ shape }) => shape,
    ),
    streams: [roomStream, userStream],
    subjects: [all, epoch, userEpoch, beatSubject, rooms, users, room('slug'), user('token'), ingest(room('slug'))],
    tokens: ['@a.b:c', '@a.b:d', '@\ud800=:c'].map((userId) => encodeUser(userId, 'c')),
    headers: [epochHeader, traceHeader],
    lifetimesSeconds: [removedRoomTtlSeconds, erasedUserTtlSeconds],
    socket: [client.socketPath, client.snapshotPath, client.socketProtocol, client.tokenProtocolPrefix],
    words: [client.pingText, client.pongText],
    closeCodes: client.closeCodes,
  }
}

const fingerprint = createHash('sha256').update(JSON.stringify(wholeProtocol())).digest('hex')

it('[W23] the contracts are those that the newest version of the history tells of', () => {
  const [newest] = protocolHistory
  const advice = `a contract has changed. If a reader of version ${newest.version} still understands every message, put version ${newest.version + 1} on top of protocolHistory in wire/src/protocol-version.ts, say in it what is new, and give it the fingerprint ${fingerprint}. If such a reader does not, find another way: add an optional key.`
  expect(newest.fingerprint, advice).toBe(fingerprint)
})

it('[W23] the history counts down to 1, says what each version holds, and no two versions are the same', () => {
  expect(protocolHistory.map(({ version }) => version)).toEqual(
    protocolHistory.map((_, index) => protocolHistory.length - index),
  )
  expect(new Set(protocolHistory.map((entry) => entry.fingerprint)).size).toBe(protocolHistory.length)
  for (const { holds } of protocolHistory) expect(holds.join('').length).toBeGreaterThan(0)
})

it('[W24] a room event of the first description is understood as it is', () => {
  const first = {
    type: 'room.presence',
    room_slug: 'energy',
    matrix_room_id: '!gykdLyazhkcSZGHmbG:daarion.space',
    matrix_room_alias: '#city_energy:daarion.space',
    online_count: 5,
    typing_count: 1,
    typing_users: ['@user1:daarion.space'],
    last_event_ts: 1_732_610_000_000,
  }
  expect(roomPresence.decode(first)).toEqual({ ok: true, value: first })
})

it('[W24] a user event and the browser messages of the first description are understood as they are', () => {
  const user = {
    type: 'user.presence',
    matrix_user_id: '@user1:daarion.space',
    status: 'online',
    last_active_ts: 1_732_610_000_000,
  }
  const room = { room_slug: 'energy', online_count: 3, typing_count: 1 }
  const [snapshot, update] = [
    { type: 'snapshot', rooms: [room] },
    { type: 'room.presence', ...room },
  ]
  expect(userPresence.decode(user)).toEqual({ ok: true, value: user })
  expect(client.clientMessage.decode(snapshot)).toEqual({ ok: true, value: snapshot })
  expect(client.clientMessage.decode(update)).toEqual({ ok: true, value: update })
})
