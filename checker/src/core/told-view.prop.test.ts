import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { ClientMessage, RoomView } from '@citypresence/wire/client-messages'
import { createToldView, learn, loseLink } from './told-view.ts'

const room: fc.Arbitrary<RoomView> = fc.record(
  {
    room_slug: fc.constantFrom('a', 'b', 'c'),
    online_count: fc.nat(9),
    typing_count: fc.nat(9),
    removed: fc.boolean(),
  },
  { requiredKeys: ['room_slug', 'online_count', 'typing_count'] },
)
const message: fc.Arbitrary<ClientMessage> = fc.oneof(
  room.map((view): ClientMessage => ({ type: 'room.presence', ...view })),
  fc.array(room, { maxLength: 4 }).map((rooms): ClientMessage => ({ type: 'snapshot', rooms })),
  fc.boolean().map((stale): ClientMessage => ({ type: 'status', stale })),
)

// Dumb twin: everything said about a room since the last snapshot (that one included), the last word first.
function lastWord(said: readonly ClientMessage[], slug: string): RoomView | undefined {
  for (const one of said.toReversed()) {
    if (one.type === 'room.presence' && one.room_slug === slug) return one
    if (one.type === 'snapshot') return one.rooms.findLast((view) => view.room_slug === slug)
  }
  return undefined
}

it('a view shows the last word on each room, and none that was removed or is not in the snapshot', () => {
  fc.assert(
    fc.property(fc.array(message, { maxLength: 30 }), (said) => {
      const view = createToldView()
      for (const one of said) learn(view, one)
      for (const slug of ['a', 'b', 'c']) {
        const word = lastWord(said, slug)
        expect(view.rooms.get(slug)).toEqual(word?.removed === true ? undefined : word)
      }
      expect(view.isComplete).toBe(said.some(({ type }) => type === 'snapshot'))
      expect(view.stale).toBe(said.findLast((one) => one.type === 'status')?.stale)
    }),
  )
})

it('a lost link leaves what is shown and forgets what was known about it', () => {
  const view = createToldView()
  learn(view, { type: 'snapshot', rooms: [{ room_slug: 'a', online_count: 1, typing_count: 0 }] })
  learn(view, { type: 'status', stale: false })
  loseLink(view)
  expect([view.rooms.size, view.isComplete, view.stale]).toEqual([1, false, undefined])
})
