// One room's part of an answer.
import { expect, it } from 'vitest'
import { inRoom, member, message, room } from '../testing/sync-answers.ts'

it('[M2] a lone join stands in the timeline, with an empty state', () => {
  expect(inRoom({ state: { events: [] }, timeline: { events: [member('@a:x', 'join')], limited: true } })).toEqual([
    { kind: 'joined', roomId: room, userId: '@a:x', originTs: 1000, isNews: true },
  ])
})

it('[M2] of three joins the last stands in the timeline, the others in the state: state first, then timeline', () => {
  const facts = inRoom({
    timeline: { events: [member('@c:x', 'join')], limited: true },
    state: { events: [member('@a:x', 'join'), member('@b:x', 'join')] },
  })
  expect(facts.map((fact) => ('userId' in fact ? fact.userId : ''))).toEqual(['@a:x', '@b:x', '@c:x'])
})

it('[M2] a leave and a return end as a return, whatever list they come in', () => {
  const facts = inRoom({
    timeline: { events: [member('@a:x', 'join', 2)] },
    state: { events: [member('@a:x', 'leave', 1)] },
  })
  expect(facts.map(({ kind }) => kind)).toEqual(['left', 'joined'])
})

it('[M2] with state_after the state of the timeline is not applied a second time, its messages are read', () => {
  for (const key of ['state_after', 'org.matrix.msc4222.state_after']) {
    const facts = inRoom({
      [key]: { events: [member('@a:x', 'leave')] },
      timeline: { events: [member('@a:x', 'join'), message('@b:x', 5)] },
    })
    expect(facts.map(({ kind }) => kind)).toEqual(['left', 'activity'])
  }
})

it('[M13] the timeline and state_after are news; old may be what somebody did, as the state beside a whole timeline says it', () => {
  const kick = { ...member('@k:x', 'leave', 3), sender: '@moderator:x' }
  const facts = (more: object) =>
    inRoom({
      state: { events: [member('@a:x', 'join', 1), kick] },
      timeline: { events: [member('@b:x', 'leave', 2)], ...more },
    })
  const marks = (all: readonly object[]) =>
    all.map((fact) => ['isNews', 'mayBeOld'].filter((mark) => mark in fact).join())
  expect(marks(facts({}))).toEqual(['mayBeOld', '', 'isNews'])
  expect(marks(facts({ limited: true }))).toEqual(['', '', 'isNews'])
  expect(marks(inRoom({ state_after: { events: [member('@a:x', 'join', 1)] } }))).toEqual(['isNews'])
})

it('[M3] leave, ban, invite and knock are all "not in the room"', () => {
  const events = ['leave', 'ban', 'invite', 'knock', 'somethingNew'].map((word, index) => member(`@u${index}:x`, word))
  expect(inRoom({ state: { events } }).map(({ kind }) => kind)).toEqual(['left', 'left', 'left', 'left', 'left'])
})

it('[M8] typing is the whole list, each name once; an empty list is a fact too', () => {
  const typing = (...ids: unknown[]) =>
    inRoom({ ephemeral: { events: [{ type: 'm.typing', content: { user_ids: ids } }] } })
  expect(typing('@b:x', '@a:x', '@b:x')).toEqual([{ kind: 'typing', roomId: room, userIds: ['@b:x', '@a:x'] }])
  expect(typing()).toEqual([{ kind: 'typing', roomId: room, userIds: [] }])
})

it('[M8] receipts and private data are passed over', () => {
  expect(
    inRoom({ ephemeral: { events: [{ type: 'm.receipt', content: {} }] }, account_data: { events: [{}] } }),
  ).toEqual([])
})

it('[M9] the newest message stands for all of an answer; one without a stamp was written when it was received', () => {
  expect(inRoom({ timeline: { events: [message('@a:x', 7), message('@b:x', 9), message('@a:x', 8)] } })).toEqual([
    { kind: 'activity', roomId: room, originTs: 9 },
  ])
  expect(inRoom({ timeline: { events: [message('@a:x', 7), message('@b:x')] } })).toEqual([
    { kind: 'activity', roomId: room },
  ])
})

it('[M9] the stamps of a very long timeline do not overflow the stack', () => {
  const events = Array.from({ length: 300_000 }, (_, index) => message('@a:x', index))
  expect(inRoom({ timeline: { events } })).toEqual([{ kind: 'activity', roomId: room, originTs: 299_999 }])
})

it('[M10] a tombstone tells the replacement and the server to join by, port included', () => {
  const tombstone = {
    type: 'm.room.tombstone',
    state_key: '',
    sender: '@admin:example.org:8448',
    content: { replacement_room: '!new' },
  }
  expect(inRoom({ timeline: { events: [tombstone] } })).toEqual([
    { kind: 'tombstone', roomId: room, replacement: '!new', viaServer: 'example.org:8448' },
  ])
})

it('[M10] an alias that was taken away comes without content and is told all the same', () => {
  expect(inRoom({ timeline: { events: [{ type: 'm.room.canonical_alias', state_key: '' }] } })).toEqual([
    { kind: 'alias-changed', roomId: room },
  ])
})
