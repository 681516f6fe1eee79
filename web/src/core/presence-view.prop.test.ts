// The page's view against a twin that writes it anew each time; and that what did not change is the very same object.
import { createBoard, liveRooms, putRoom, replaceRooms } from '@citypresence/wire/board'
import type { RoomView } from '@citypresence/wire/client-messages'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { GlobalPresence, RoomPresenceUI } from './global-presence.ts'
import { createPresence, nextPresence, type Standing } from './presence-view.ts'

// `constructor` is a possible slug, and the name of something every ordinary object has.
const slug = fc.constantFrom('general', 'energy', 'constructor', 'valueof', 'a')
const view: fc.Arbitrary<RoomView> = fc.record(
  {
    room_slug: slug,
    online_count: fc.nat(3),
    typing_count: fc.nat(1),
    active: fc.boolean(),
    stale: fc.boolean(),
    removed: fc.boolean(),
    below: fc.constantFrom(2, 3),
  },
  { requiredKeys: ['room_slug', 'online_count', 'typing_count'] },
)
const standing: fc.Arbitrary<Standing> = fc.record({
  status: fc.constantFrom('connecting', 'live', 'down', 'stopped'),
  stopReason: fc.constantFrom(undefined, 'refused'),
  loaded: fc.boolean(),
  saidStale: fc.constantFrom(undefined, 'source', 'no-beat', 'incomplete'),
})
const step = fc.tuple(
  fc.oneof(
    view.map((one) => ({ kind: 'put', one }) as const),
    fc.uniqueArray(view, { selector: ({ room_slug }) => room_slug }).map((all) => ({ kind: 'replace', all }) as const),
    fc.constant({ kind: 'nothing' } as const),
  ),
  standing,
)

function dumbRooms(views: readonly RoomView[], allStale: boolean): Record<string, RoomPresenceUI> {
  return Object.fromEntries(
    views.map(({ room_slug, online_count, typing_count, active = false, stale = false, below }) => [
      room_slug,
      {
        onlineCount: online_count,
        typingCount: typing_count,
        active,
        stale: allStale || stale,
        ...(below !== undefined && { below }),
      },
    ]),
  )
}

it('[B12] the view equals one written from scratch; unchanged rooms and an unchanged view are the same objects', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const board = createBoard()
      let presence = createPresence()
      for (const [change, at] of steps) {
        if (change.kind === 'put') putRoom(board, change.one)
        if (change.kind === 'replace') replaceRooms(board, change.all)
        const before = presence
        presence = nextPresence(before, liveRooms(board), at, 1)
        const linkStale = at.loaded && at.status !== 'live'
        const stale = at.loaded && (linkStale || at.saidStale !== undefined)
        expect({ ...presence.presenceBySlug }).toEqual(dumbRooms(liveRooms(board), stale))
        expect(presence).toMatchObject({ status: at.status, stopReason: at.stopReason, loaded: at.loaded, stale })
        expect(presence.staleReason).toBe(stale ? (linkStale ? 'link' : at.saidStale) : undefined)
        expectSharing(before, presence)
      }
    }),
  )
})

function expectSharing(before: GlobalPresence, after: GlobalPresence): void {
  for (const [name, room] of Object.entries(after.presenceBySlug)) {
    const known = before.presenceBySlug[name]
    if (JSON.stringify(known) === JSON.stringify(room)) expect(room).toBe(known)
  }
  if (JSON.stringify({ ...before }) === JSON.stringify({ ...after })) expect(after).toBe(before)
}

const [inherited] = Object.getOwnPropertyNames(Object.prototype) as [string]

it('[B12] nothing is known of a room that is not there, whatever its name', () => {
  expect(createPresence().presenceBySlug[inherited]).toBeUndefined()
  const live = { status: 'live', stopReason: undefined, loaded: true, saidStale: undefined } as const
  const presence = nextPresence(createPresence(), [], live, 1)
  expect(presence.presenceBySlug[inherited]).toBeUndefined()
})

it('[B13] before the first snapshot nothing is stale and nothing is zero; afterwards it is stale since the moment it became so', () => {
  const at = { stopReason: undefined, saidStale: undefined } as const
  const waiting = nextPresence(createPresence(), [], { ...at, status: 'connecting', loaded: false }, 1)
  expect([waiting.loaded, waiting.stale, Object.keys(waiting.presenceBySlug)]).toEqual([false, false, []])
  const rooms = [{ room_slug: 'a', online_count: 1, typing_count: 0 }]
  const live = nextPresence(waiting, rooms, { ...at, status: 'live', loaded: true }, 2)
  const down = nextPresence(live, rooms, { ...at, status: 'down', loaded: true }, 3)
  const still = nextPresence(down, rooms, { ...at, status: 'live', loaded: true, saidStale: 'source' }, 4)
  expect([live.staleSinceMs, down.staleSinceMs, still.staleSinceMs]).toEqual([undefined, 3, 3])
  expect(nextPresence(still, rooms, { ...at, status: 'live', loaded: true }, 5).staleSinceMs).toBeUndefined()
})
