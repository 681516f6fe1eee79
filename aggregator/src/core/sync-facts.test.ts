// The answer as a whole: order, presence, broken parts.
import { expect, it } from 'vitest'
import { daemon, decodeOf, member, message, options, presence, room } from '../testing/sync-answers.ts'
import { factsOf, type Fact, type SyncFactsOptions } from './sync-facts.ts'

const ofPresence = (...events: object[]): Fact[] => decodeOf({ presence: { events } }).facts

it('[M1] the answer that says nothing new is no fact', () => {
  const quiet = { device_one_time_keys_count: { signed_curve25519: 0 }, device_unused_fallback_key_types: [] }
  expect(decodeOf(quiet)).toEqual({ nextBatch: 's1', facts: [], malformed: 0, unknownStates: 0 })
})

it.each([[undefined], [''], [7], ['s'.repeat(5000)]])('[M1] an answer with next_batch %j is refused whole', (token) => {
  const decoded = factsOf({ next_batch: token }, options)
  expect(decoded.ok ? undefined : decoded.error.path).toBe('next_batch')
})

it('[M4] nothing is told of the daemon itself', () => {
  const facts = decodeOf({
    presence: { events: [presence(daemon, 'online')] },
    rooms: {
      join: {
        [room]: {
          state: { events: [member(daemon, 'join')] },
          timeline: { events: [member(daemon, 'join'), message(daemon, 3)] },
          ephemeral: { events: [{ type: 'm.typing', content: { user_ids: [daemon] } }] },
        },
      },
    },
  }).facts
  expect(facts).toEqual([
    { kind: 'self-joined', roomId: room },
    { kind: 'typing', roomId: room, userIds: [] },
  ])
})

it('[M5] a room under leave is one the daemon is out of', () => {
  const facts = decodeOf({ rooms: { leave: { [room]: { timeline: { events: [member(daemon, 'ban')] } } } } }).facts
  expect(facts).toEqual([{ kind: 'self-left', roomId: room }])
})

it('[M5] an invite makes no fact', () => {
  expect(decodeOf({ rooms: { invite: { [room]: { invite_state: { events: [] } } } } }).facts).toEqual([])
})

it('[M6] a last_active_ago that is absent or impossible is unknown, not now', () => {
  const facts = ofPresence(
    presence('@a:x', 'online', { last_active_ago: 18, currently_active: true }),
    presence('@b:x', 'unavailable'),
    presence('@c:x', 'online', { last_active_ago: -1 }),
    presence('@d:x', 'online', { last_active_ago: '5' }),
    presence('@e:x', 'online', { last_active_ago: 12.9 }),
  )
  expect(facts).toEqual([
    { kind: 'presence', userId: '@a:x', state: 'online', lastActiveAgoMs: 18 },
    { kind: 'presence', userId: '@b:x', state: 'unavailable' },
    { kind: 'presence', userId: '@c:x', state: 'online' },
    { kind: 'presence', userId: '@d:x', state: 'online' },
    { kind: 'presence', userId: '@e:x', state: 'online', lastActiveAgoMs: 12 },
  ])
})

it('[M7] busy is known by both its names; an unknown state is counted, and counts as online unless told otherwise', () => {
  const events = [presence('@a:x', 'org.matrix.msc3026.busy'), presence('@b:x', 'busy'), presence('@c:x', 'sleeping')]
  const statesOf = (more: Partial<SyncFactsOptions>) => {
    const { facts, unknownStates } = decodeOf({ presence: { events } }, more)
    return { states: facts.map((fact) => (fact.kind === 'presence' ? fact.state : '')), unknownStates }
  }
  expect(statesOf({})).toEqual({ states: ['busy', 'busy', 'online'], unknownStates: 1 })
  expect(statesOf({ unknownStateCounts: false })).toEqual({ states: ['busy', 'busy', 'offline'], unknownStates: 1 })
})

it('[M11] membership of all rooms comes first, then life, then presence', () => {
  const json = { timeline: { events: [message('@a:x', 1), member('@a:x', 'join')] } }
  const facts = decodeOf({
    presence: { events: [presence('@a:x', 'online')] },
    rooms: { join: { '!a': json, '!b': json }, leave: { '!c': {} } },
  }).facts
  expect(facts.map(({ kind }) => kind)).toEqual(
    ['self-joined', 'joined', 'self-joined', 'joined', 'self-left', 'activity', 'activity', 'presence'], //
  )
})

it('[M12] one bad event is counted and does not hide the good ones beside it', () => {
  const decoded = decodeOf({
    presence: {
      events: [7, presence('nobody', 'online'), { type: 'm.presence', sender: '@a:x' }, presence('@a:x', 'online')],
    },
    rooms: {
      join: {
        notARoom: {},
        '!b': 5,
        [room]: {
          state: 'no list',
          timeline: {
            events: [
              null,
              { ...member('@x:x', 'join'), content: undefined },
              { type: 'm.room.tombstone', state_key: '', sender: '@x:x' },
              member('@b:x', 'join'),
            ],
          },
          ephemeral: { events: [{ type: 'm.typing' }, { type: 'm.typing', content: { user_ids: ['@b:x', 5] } }] },
        },
      },
    },
  })
  expect(decoded.malformed).toBe(3 + 2 + 1 + 3 + 2)
  expect(decoded.facts).toEqual([
    { kind: 'self-joined', roomId: room },
    { kind: 'joined', roomId: room, userId: '@b:x', originTs: 1000, isNews: true },
    { kind: 'typing', roomId: room, userIds: ['@b:x'] },
    { kind: 'presence', userId: '@a:x', state: 'online' },
  ])
})
