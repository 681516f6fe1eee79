// The doubts between told and shown, at their edges. What they add up to is held by the twin of the city.
import { expect, it } from 'vitest'
import { user } from '../testing/cities.ts'
import { createPresenceState, isShown, joinRoom, onlineIn, openRoom, statusCode, tell } from './presence-state.ts'
import type { PresenceState } from './presence-state.ts'
import { wholly } from './pieces.ts'
import * as s from './shown-presence.ts'

const open: s.ShownRule = { held: false, graceMs: 0, nowMs: 1000 }

/** A room with so many people, of whom the first `online` are told to be online. */
function stateWith(people: number, online: number): PresenceState {
  const state = createPresenceState('@daemon:test.local', 10, undefined)
  openRoom(state, '!r')
  for (let index = 0; index < people; index++) joinRoom(state, '!r', user(index))
  for (let index = 0; index < online; index++) tell(state, user(index), statusCode.online, undefined)
  return state
}
function shownWith(people: number, online: number): PresenceState {
  const state = stateWith(people, online)
  s.settleShown(state, open)
  return state
}
const tellOffline = (state: PresenceState, from: number, to: number): void => {
  for (let index = from; index < to; index++) tell(state, user(index), statusCode.offline, undefined)
}

it.each([
  [20, 18, true],
  [20, 17, false],
  [19, 19, false],
  [30, 27, true],
  [30, 26, false],
])('[P9] of %i shown people %i at once: doubted %s', (online, gone, doubted) => {
  const state = shownWith(40, online)
  tellOffline(state, 0, gone)
  expect(s.takesMostOffline(state)).toBe(doubted)
})

it('[P9] who goes and comes back within the response, and who was offline before, is not gone', () => {
  const state = shownWith(60, 20)
  tellOffline(state, 0, 60)
  for (let index = 0; index < 5; index++) tell(state, user(index), statusCode.unavailable, undefined)
  expect(s.takesMostOffline(state)).toBe(false)
})

it('[P9] who is on the way out already is no part of the question', () => {
  const state = shownWith(40, 40)
  tellOffline(state, 0, 18)
  s.settleShown(state, { ...open, graceMs: 500 })
  tellOffline(state, 18, 37)
  // Back and gone again within the response: on the way out all the same, and no sooner or later than before.
  for (let index = 0; index < 18; index++) tell(state, user(index), statusCode.online, undefined)
  tellOffline(state, 0, 18)
  expect(s.takesMostOffline(state)).toBe(false)
  tellOffline(state, 37, 38)
  expect(s.takesMostOffline(state)).toBe(true)
})

it('[P9] held, nothing told is shown; settled afterwards, all of it', () => {
  const state = shownWith(10, 5)
  tellOffline(state, 0, 5)
  tell(state, user(9), statusCode.online, undefined)
  s.settleShown(state, { ...open, held: true })
  expect(onlineIn(state, '!r')).toBe(5)
  s.settleShown(state, open)
  expect(onlineIn(state, '!r')).toBe(5)
  s.settleEverybody(state, open)
  expect(onlineIn(state, '!r')).toBe(1)
})

it('[P7] graces end in their order, each at its own time', () => {
  const state = shownWith(3, 3)
  for (let index = 0; index < 3; index++) {
    tellOffline(state, index, index + 1)
    s.settleShown(state, { held: false, graceMs: 100, nowMs: 1000 + index })
  }
  expect(s.nextGraceEndMs(state)).toBe(1100)
  s.endGraces(state, 1101)
  expect([onlineIn(state, '!r'), s.nextGraceEndMs(state)]).toEqual([1, 1102])
})

it('[P7] going, coming and going again within one response does not begin the grace anew', () => {
  const state = shownWith(1, 1)
  tellOffline(state, 0, 1)
  s.settleShown(state, { ...open, graceMs: 100 })
  tell(state, user(0), statusCode.online, undefined)
  tellOffline(state, 0, 1)
  s.settleShown(state, { held: false, graceMs: 100, nowMs: 1050 })
  expect(s.nextGraceEndMs(state)).toBe(1100)
})

it('[P7] who is back in an initial sync is not on the way out any more', () => {
  const former = shownWith(2, 2)
  tellOffline(former, 0, 1)
  s.settleShown(former, { ...open, graceMs: 100 })
  const fresh = stateWith(2, 2)
  wholly(s.carryShown(former, fresh, { held: false, graceMs: 100, nowMs: 1050 }))
  expect([onlineIn(fresh, '!r'), fresh.leaving.size]).toEqual([2, 0])
})

it('[P7] who was told to be back while that could not be shown does not go when the grace ends', () => {
  const state = shownWith(1, 1)
  tellOffline(state, 0, 1)
  s.settleShown(state, { ...open, graceMs: 100 })
  tell(state, user(0), statusCode.online, undefined)
  s.settleShown(state, { held: true, graceMs: 100, nowMs: 1050 })
  s.endGraces(state, 2000)
  expect([isShown(state, 0), s.nextGraceEndMs(state)]).toEqual([true, undefined])
})

it.each([
  ['nobody listed, nobody shown before, presence not seen to work', 0, 0, false, true],
  ['nobody listed, nobody shown before, presence seen to work', 0, 0, true, false],
  ['nobody listed, one shown before', 1, 0, true, true],
  ['one of two listed', 2, 1, true, false],
  ['two of twenty listed', 20, 2, true, true],
  ['three of twenty listed', 20, 3, true, false],
])('[P11] an initial sync, %s', (_name, shownBefore, listed, worked, doubted) => {
  const doubt = { presenceWorked: worked, allListed: true }
  expect(wholly(s.emptiesCity(shownWith(25, shownBefore), stateWith(25, listed), doubt))).toBe(doubted)
})

it('[P11] an initial sync without any person is no doubt', () => {
  expect(wholly(s.emptiesCity(shownWith(0, 0), stateWith(0, 0), { presenceWorked: false, allListed: true }))).toBe(
    false,
  )
})

it.each([
  ['nobody listed, presence not seen to work', 0, 0, false, true],
  ['nobody listed, nobody shown before, presence seen to work', 0, 0, true, false],
  ['one of two listed', 2, 1, true, false],
  ['two of twenty listed', 20, 2, true, true],
  ['three of twenty listed', 20, 3, true, false],
])('[P11] an initial sync that leaves members out, %s', (_name, shownBefore, listed, worked, doubted) => {
  const fresh = stateWith(0, 0)
  for (let index = 0; index < listed; index++) tell(fresh, user(index), statusCode.online, undefined)
  expect(wholly(s.emptiesCity(shownWith(25, shownBefore), fresh, { presenceWorked: worked, allListed: false }))).toBe(
    doubted,
  )
})
