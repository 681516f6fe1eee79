import { userPresence } from '@citypresence/wire/user-presence'
import { expect, it } from 'vitest'
import { takeUsers, tellUsersAnew } from './city-users.ts'
import { createPresenceState, dropOrphans, joinRoom, leaveRoom, openRoom, statusCode, tell } from './presence-state.ts'
import { settleShown } from './shown-presence.ts'
import { createUserWatch } from './user-watch.ts'

const scope = { homeServer: 'test.local:8448', remoteUsers: false }

function stateWith(...userIds: string[]) {
  const state = createPresenceState('@daemon:test.local:8448', 10, createUserWatch())
  openRoom(state, '!r')
  for (const userId of userIds) joinRoom(state, '!r', userId)
  return state
}

it('[P15] the four states are told in the three words of the contract', () => {
  const codes = [statusCode.online, statusCode.unavailable, statusCode.busy]
  const userIds = codes.map((code) => `@u${code}:test.local:8448`)
  const state = stateWith(...userIds)
  for (const [index, userId] of userIds.entries()) tell(state, userId, codes[index] ?? 0, 50)
  settleShown(state, { held: false, graceMs: 0, nowMs: 1 })
  const told = [...takeUsers(state, scope, Infinity).values()]
  expect(told.map((value) => (value === 'erased' ? value : [value.status, value.busy]))).toEqual([
    ['online', undefined],
    ['unavailable', undefined],
    ['online', true],
  ])
  for (const value of told) expect(userPresence.decode(value)).toEqual({ ok: true, value })
})

it('[P15] a server name is compared whole, port included', () => {
  const userIds = ['@a:test.local:8448', '@b:test.local', '@c:evil.test.local:8448']
  const state = stateWith(...userIds)
  for (const userId of userIds) tell(state, userId, statusCode.online, undefined)
  settleShown(state, { held: false, graceMs: 0, nowMs: 1 })
  expect([...takeUsers(state, scope, Infinity).keys()]).toEqual(['@a:test.local:8448'])
  tellUsersAnew(state)
  expect([...takeUsers(state, { ...scope, remoteUsers: true }, Infinity).keys()]).toEqual(userIds)
})

it('[P15] a new leader hears of all who are not offline, and of those who were told of before', () => {
  const state = stateWith('@a:test.local:8448', '@b:test.local:8448')
  tell(state, '@a:test.local:8448', statusCode.online, undefined)
  settleShown(state, { held: false, graceMs: 0, nowMs: 1 })
  takeUsers(state, scope, Infinity)
  tell(state, '@a:test.local:8448', statusCode.offline, undefined)
  settleShown(state, { held: false, graceMs: 0, nowMs: 2 })
  tellUsersAnew(state)
  expect([...takeUsers(state, scope, Infinity).values()]).toEqual([expect.objectContaining({ status: 'offline' })])
})

it('[P15] who comes in after somebody left for good has nothing of theirs', () => {
  const [gone, fresh] = ['@gone:test.local:8448', '@fresh:test.local:8448']
  const state = stateWith(gone)
  tell(state, gone, statusCode.online, 50)
  settleShown(state, { held: false, graceMs: 0, nowMs: 1 })
  takeUsers(state, scope, Infinity)
  leaveRoom(state, '!r', gone)
  dropOrphans(state, { allListed: true })
  joinRoom(state, '!r', fresh)
  tell(state, fresh, statusCode.online, undefined)
  settleShown(state, { held: false, graceMs: 0, nowMs: 2 })
  const told = takeUsers(state, scope, Infinity)
  expect(told.get(gone)).toBe('erased')
  expect(told.get(fresh)).toMatchObject({ status: 'online', last_active_ts: 0 })
})
