// Any recording replayed, against a screen that is made anew from all its frames each time.
import { anyView } from '@citypresence/wire/testing/any-message'
import type { ClientMessage, RoomView } from '@citypresence/wire/client-messages'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { replay, type Connection } from './connections.ts'
import type { Entry } from './history.ts'

const anySlug = fc.constantFrom('a', 'b', 'c')
const anyMessage: fc.Arbitrary<ClientMessage> = fc.oneof(
  fc
    .uniqueArray(anyView(anySlug), { selector: (view) => view.room_slug })
    .map((rooms) => ({ type: 'snapshot' as const, rooms })),
  anyView(anySlug).map((view) => ({ type: 'room.presence' as const, ...view })),
  fc.boolean().map((stale) => ({ type: 'status' as const, stale })),
)
const anyWho = fc.record({ witness: fc.constantFrom('ada', 'bob'), connection: fc.integer({ min: 1, max: 2 }) })
const anyEntry: fc.Arbitrary<Entry> = fc.oneof(
  { weight: 2, arbitrary: anyWho.map((who) => ({ atMs: 0, kind: 'opened' as const, ...who })) },
  {
    weight: 8,
    arbitrary: fc
      .tuple(anyWho, anyMessage)
      .map(([who, message]) => ({ atMs: 0, kind: 'frame' as const, message, ...who })),
  },
  { weight: 1, arbitrary: anyWho.map((who) => ({ atMs: 0, kind: 'closed' as const, code: 1000, ...who })) },
  { weight: 1, arbitrary: fc.constant({ atMs: 0, kind: 'settled' as const, tookMs: 1 }) },
)
const anyHistory = fc
  .array(anyEntry, { maxLength: 40, size: 'max' })
  .map((entries) => entries.map((entry, index): Entry => ({ ...entry, atMs: index })))

type Who = { readonly witness: string; readonly connection: number }
const isOf = (entry: Entry, who: Who): boolean =>
  'witness' in entry && entry.witness === who.witness && entry.connection === who.connection

/** The screen after the first `count` entries, or undefined where this connection is not open then. */
function screen(history: readonly Entry[], count: number, who: Who) {
  const past = history.slice(0, count)
  const openedAt = past.findLastIndex((entry) => entry.kind === 'opened' && isOf(entry, who))
  const closedAt = past.findLastIndex((entry) => entry.kind === 'closed' && isOf(entry, who))
  if (openedAt < 0 || closedAt > openedAt) return undefined
  const messages = past
    .slice(openedAt)
    .flatMap((entry) => (entry.kind === 'frame' && isOf(entry, who) ? [entry.message] : []))
  const from = messages.findLastIndex(({ type }) => type === 'snapshot')
  const rooms = new Map<string, RoomView>()
  for (const message of messages.slice(Math.max(from, 0)))
    for (const view of message.type === 'snapshot' ? message.rooms : message.type === 'status' ? [] : [message])
      if (view.removed === true) rooms.delete(view.room_slug)
      else rooms.set(view.room_slug, view)
  const marks = messages.filter((message) => message.type === 'status')
  return { rooms: [...rooms].sort(), stale: marks.at(-1)?.stale, hasSnapshot: from >= 0 }
}

const shownBy = ({ rooms, stale, hasSnapshot }: Connection) => ({ rooms: [...rooms].sort(), stale, hasSnapshot })

it('[K6] before and after each frame, at each moment and at the end, a connection shows what its frames say', () => {
  fc.assert(
    fc.property(anyHistory, (history) => {
      const over: string[] = []
      const whoOf = ({ witness, number }: Connection): Who => ({ witness, connection: number })
      replay(history, [
        {
          frame: (one, _, atMs) => expect(shownBy(one)).toEqual(screen(history, atMs, whoOf(one))),
          shown: (one, _, atMs) => expect(shownBy(one)).toEqual(screen(history, atMs + 1, whoOf(one))),
          over: ({ witness, number }) => over.push(`${witness} ${number}`),
          moment: ({ atMs }, open) => {
            for (const one of open) expect(shownBy(one)).toEqual(screen(history, atMs, whoOf(one)))
          },
        },
      ])
      // Each opening ends once, save one that was opened over before it was closed.
      const keys = [1, 2].flatMap((connection) => ['ada', 'bob'].map((witness) => ({ witness, connection })))
      for (const who of keys) {
        const life = history.filter((entry) => isOf(entry, who) && entry.kind !== 'frame').map(({ kind }) => kind)
        const ends = life.filter((kind, index) => kind === 'opened' && life[index + 1] !== 'opened').length
        expect(over.filter((key) => key === `${who.witness} ${who.connection}`)).toHaveLength(ends)
      }
    }),
  )
})
