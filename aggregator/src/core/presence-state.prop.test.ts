// The arrays against plain lists: every relation that is kept twice says the same both times, after any changes.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { user } from '../testing/cities.ts'
import { nameOf } from './id-table.ts'
import { wholly } from './pieces.ts'
import * as p from './presence-state.ts'

const rooms = ['!a', '!b', '!c']
const anyRoom = fc.constantFrom(...rooms)
const anyUser = fc.nat({ max: 6 }).map(user)
const anyChange = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constantFrom('join' as const, 'leave' as const), room: anyRoom, id: anyUser }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('show' as const), id: anyUser, code: fc.constantFrom(0, 1, 2, 3) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('open' as const, 'close' as const), room: anyRoom }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('audit' as const), room: anyRoom, ids: fc.uniqueArray(anyUser) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('drop' as const), allListed: fc.boolean() }) },
)
type Change = typeof anyChange extends fc.Arbitrary<infer C> ? C : never

function change(state: p.PresenceState, step: Change): void {
  if (step.kind === 'drop') p.dropOrphans(state, { allListed: step.allListed })
  else if (step.kind === 'audit') wholly(p.auditMembers(state, step.room, step.ids))
  else if ('code' in step) {
    const index = state.users.indexOf.get(step.id)
    if (index !== undefined) p.show(state, index, step.code)
  } else if ('id' in step) (step.kind === 'join' ? p.joinRoom : p.leaveRoom)(state, step.room, step.id)
  else (step.kind === 'open' ? p.openRoom : p.closeRoom)(state, step.room)
}

/** All that is kept, recounted from who is a member of what. */
function expectSound(state: p.PresenceState): void {
  let shown = 0
  for (const [userId, index] of state.users.indexOf) {
    const inRooms = rooms.filter((room) => p.isMember(state, room, userId))
    expect((state.roomsOf[index] ?? []).map((room) => nameOf(state.rooms, room)).toSorted()).toEqual(inRooms)
    if (inRooms.length === 0) expect(state.orphans).toContain(index)
    if (p.isShown(state, index)) shown++
  }
  expect(state.shownCount).toBe(shown)
  for (const room of rooms) {
    const members = [...(state.members[state.rooms.indexOf.get(room) ?? -1] ?? [])]
    expect(p.onlineIn(state, room) ?? 0).toBe(members.filter((index) => p.isShown(state, index)).length)
  }
}

function takeDirty(state: p.PresenceState): Set<string> {
  const dirty = new Set<string>()
  p.takeDirtyRooms(state, dirty)
  return dirty
}

it('[P2] counts, memberships and numbers agree after any changes, and memory is that of the most people at one time', () => {
  fc.assert(
    fc.property(fc.array(anyChange, { size: 'max', maxLength: 80 }), (steps) => {
      const state = p.createPresenceState('@daemon:test.local', 10, undefined)
      for (const room of ['!a', '!b']) p.openRoom(state, room)
      for (const step of steps) {
        change(state, step)
        expectSound(state)
      }
      p.dropOrphans(state, { allListed: true })
      expect(state.users.names.length).toBeLessThanOrEqual(7)
      expect(state.rooms.names.length).toBeLessThanOrEqual(3)
    }),
    { numRuns: 300 },
  )
})

it('[P2] a room whose count or people changed is dirty, also when it is closed; one that did not is not', () => {
  fc.assert(
    fc.property(fc.array(anyChange, { size: 'max', maxLength: 40 }), anyChange, (steps, last) => {
      const state = p.createPresenceState('@daemon:test.local', 10, undefined)
      for (const step of steps) change(state, step)
      p.dropOrphans(state, { allListed: true })
      takeDirty(state)
      const before = rooms.map((room) => pictureOf(state, room))
      change(state, last)
      const dirty = takeDirty(state)
      const changed = rooms.filter((room, index) => pictureOf(state, room) !== before[index])
      expect(changed.filter((room) => !dirty.has(room))).toEqual([])
      expect(takeDirty(state).size).toBe(0)
      if (last.kind === 'join' || last.kind === 'leave') expect([...dirty]).toEqual(changed)
    }),
    { numRuns: 500 },
  )
})

const pictureOf = (state: p.PresenceState, room: string): string => {
  const index = state.rooms.indexOf.get(room)
  return index === undefined
    ? 'closed'
    : JSON.stringify([p.onlineIn(state, room), [...(state.members[index] ?? [])].toSorted()])
}

it('[P3] people of whom no room is known: the oldest goes first, and nobody is kept twice', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(anyUser, fc.constantFrom<p.StatusCode>(0, 1, 2, 3)), { maxLength: 40, size: 'max' }),
      (told) => {
        const state = p.createPresenceState('@daemon:test.local', 3, undefined)
        let twin: string[] = []
        for (const [id, code] of told) {
          p.tell(state, id, code, undefined)
          twin = [...twin.filter((known) => known !== id), ...(code === 0 ? [] : [id])].slice(-3)
          expect([...state.outsiders.keys()]).toEqual(twin)
        }
      },
    ),
  )
})

it('[P8] a room that changed and was then closed is told once, by its name', () => {
  const state = p.createPresenceState('@daemon:test.local', 3, undefined)
  p.openRoom(state, '!a')
  p.joinRoom(state, '!a', user(0))
  p.closeRoom(state, '!a')
  expect(takeDirty(state)).toEqual(new Set(['!a']))
})

it('[P1] the daemon takes no place among those of whom no room is known', () => {
  const state = p.createPresenceState('@daemon:test.local', 3, undefined)
  p.tell(state, '@daemon:test.local', p.statusCode.online, undefined)
  expect(state.outsiders.size).toBe(0)
})

it('[P3] who comes in is taken over with status and last activity, and is no stranger any more', () => {
  const state = p.createPresenceState('@daemon:test.local', 3, undefined)
  p.openRoom(state, '!a')
  p.tell(state, user(0), p.statusCode.busy, 77)
  p.joinRoom(state, '!a', user(0))
  expect([state.told[0], state.lastActiveTs[0], state.outsiders.size]).toEqual([p.statusCode.busy, 77, 0])
})
