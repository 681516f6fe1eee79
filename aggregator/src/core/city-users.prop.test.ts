// What is told of single users against a list of what everybody was last told about each.
import { userPresence } from '@citypresence/wire/user-presence'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { isInTheDark, takeUsers, tellUsersAnew } from './city-users.ts'
import {
  createPresenceState,
  dropOrphans,
  joinRoom,
  leaveRoom,
  openRoom,
  tell,
  type StatusCode,
} from './presence-state.ts'
import { settleShown } from './shown-presence.ts'
import { createUserWatch, hasMarks } from './user-watch.ts'

const people = ['@a:home', '@b:home', '@c:home', '@d:elsewhere', '@e:home:8448']
const anyPerson = fc.constantFrom(...people)
const anyStep = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('come' as const), who: anyPerson }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('go' as const), who: anyPerson }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('tell' as const),
      who: anyPerson,
      status: fc.constantFrom<StatusCode>(0, 1, 2, 3),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('take' as const), max: fc.integer({ min: 1, max: 6 }) }) },
)
const words = ['offline', 'online', 'unavailable', 'online'] as const

it('[P15] who follows all that is told knows everybody in a room, and nobody else', () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 40, size: 'max' }), fc.boolean(), (steps, remoteUsers) => {
      const scope = { homeServer: 'home', remoteUsers }
      const state = createPresenceState('@daemon:home', 10, createUserWatch())
      openRoom(state, '!r')
      const inRoom = new Set<string>()
      const status = new Map<string, StatusCode>()
      const known = new Map<string, string>()
      const isTold = (who: string): boolean => remoteUsers || who.endsWith(':home')
      for (const step of [...steps, { kind: 'take' as const, max: 2 }]) {
        if (step.kind === 'come') {
          joinRoom(state, '!r', step.who)
          inRoom.add(step.who)
        } else if (step.kind === 'go') {
          leaveRoom(state, '!r', step.who)
          dropOrphans(state, { allListed: true })
          if (inRoom.delete(step.who)) status.delete(step.who)
        } else if (step.kind === 'tell') {
          tell(state, step.who, step.status, 50)
          status.set(step.who, step.status)
        } else {
          settleShown(state, { held: false, graceMs: 0, nowMs: 1 })
          const take = (): Map<string, string> => {
            const news = new Map<string, string>()
            while (state.watch !== undefined && hasMarks(state.watch)) {
              const taken = takeUsers(state, scope, step.max)
              expect(taken.size).toBeLessThanOrEqual(step.max)
              for (const [who, change] of taken) news.set(who, change === 'erased' ? change : change.status)
              for (const change of taken.values())
                if (change !== 'erased') expect(userPresence.decode(change)).toEqual({ ok: true, value: change })
            }
            return news
          }
          for (const [who, word] of take())
            if (word === 'erased') expect(known.delete(who)).toBe(true)
            else known.set(who, word)
          for (const who of people) {
            const word = words[inRoom.has(who) ? (status.get(who) ?? 0) : 0]
            // Of who never came online nobody has to hear.
            if (isTold(who) && (inRoom.has(who) || known.has(who))) expect(known.get(who) ?? 'offline').toBe(word)
            else expect(known.has(who)).toBe(false)
            if (!inRoom.has(who)) expect(known.has(who)).toBe(false)
          }
          // A leader that begins says everybody who is not offline, and whoever was told of.
          tellUsersAnew(state)
          const all = take()
          expect(all).toEqual(new Map([...all.keys()].map((who) => [who, known.get(who) ?? 'offline'])))
          for (const who of known.keys()) expect(all.has(who)).toBe(true)
        }
      }
    }),
  )
})

it('[P15] switched off nothing is told, whatever happens', () => {
  fc.assert(
    fc.property(fc.array(anyStep), (steps) => {
      const state = createPresenceState('@daemon:home', 10, undefined)
      openRoom(state, '!r')
      for (const step of steps) {
        if (step.kind === 'come') joinRoom(state, '!r', step.who)
        if (step.kind === 'tell') tell(state, step.who, step.status, undefined)
        settleShown(state, { held: false, graceMs: 0, nowMs: 1 })
      }
      const scope = { homeServer: 'home', remoteUsers: true }
      tellUsersAnew(state)
      expect(takeUsers(state, scope, Infinity).size).toBe(0)
    }),
  )
})

it('[L57] in the dark is who is there, and is in no room that is shown', () => {
  const rooms = ['!a', '!b', '!c']
  fc.assert(
    fc.property(fc.subarray(rooms), fc.subarray(rooms), anyPerson, (inRooms, dark, who) => {
      const state = createPresenceState('@daemon:home', 10, createUserWatch())
      for (const roomId of rooms) openRoom(state, roomId)
      for (const roomId of inRooms) joinRoom(state, roomId, who)
      const isThere = inRooms.length > 0 && inRooms.every((roomId) => dark.includes(roomId))
      expect(isInTheDark(state, new Set(dark), who)).toBe(isThere)
    }),
  )
})
