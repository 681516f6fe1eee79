// What is told of single users against a list of what everybody was last told about each.
import { userPresence } from '@citypresence/wire/user-presence'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { takeUsers, usersOf } from './city-users.ts'
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
import { createUserWatch } from './user-watch.ts'

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
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('take' as const) }) },
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
      for (const step of [...steps, { kind: 'take' as const }]) {
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
          for (const [who, change] of takeUsers(state, scope)) {
            if (change === 'erased') {
              expect(known.has(who)).toBe(true)
              known.delete(who)
            } else {
              expect(userPresence.decode(change)).toEqual({ ok: true, value: change })
              known.set(who, change.status)
            }
          }
          for (const who of people) {
            const word = words[inRoom.has(who) ? (status.get(who) ?? 0) : 0]
            // Of who never came online nobody has to hear.
            if (isTold(who) && (inRoom.has(who) || known.has(who))) expect(known.get(who) ?? 'offline').toBe(word)
            else expect(known.has(who)).toBe(false)
            if (!inRoom.has(who)) expect(known.has(who)).toBe(false)
          }
          // A leader that begins says everybody who is not offline, and whoever was told of.
          const all = new Map([...usersOf(state, scope)].map((one) => [one.matrix_user_id, one.status]))
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
      expect([takeUsers(state, scope).size, [...usersOf(state, scope)]]).toEqual([0, []])
    }),
  )
})
