import { expect, it } from 'vitest'
import { at } from '../testing/cities.ts'
import {
  carryLife,
  createLife,
  endLife,
  hasMovedSince,
  lifeDueMs,
  noteActivity,
  noteMove,
  setTyping,
  stopTyping,
} from './room-life.ts'

const windowMs = 300_000

it('[P5] the later list ends later; an empty one has no end to wait for', () => {
  const life = createLife()
  setTyping(life, ['@a:x'], at(1000), 130_000)
  setTyping(life, ['@b:x'], at(2000), 130_000)
  expect([life.typing, lifeDueMs(life)]).toEqual([['@b:x'], 132_000])
  setTyping(life, [], at(3000), 130_000)
  expect(lifeDueMs(life)).toBe(Infinity)
  expect(stopTyping(life)).toBe(false)
})

it('[P6] of several messages the newest counts, whatever order they are heard in', () => {
  const life = createLife()
  noteActivity(life, at(5000).wallMs, at(9000), windowMs)
  noteActivity(life, at(2000).wallMs, at(9500), windowMs)
  expect([life.lastActivityTs, lifeDueMs(life)]).toEqual([at(5000).wallMs, 305_000])
})

it('[P6] a message older than the window leaves its stamp and makes nothing active', () => {
  const life = createLife()
  noteActivity(life, at(0).wallMs, at(windowMs), windowMs)
  expect([life.lastActivityTs, life.activeUntilMs]).toEqual([at(0).wallMs, 0])
})

it('[P6] a stamp before all time is none', () => {
  const life = createLife()
  noteActivity(life, -5, at(1), windowMs)
  expect([life.lastActivityTs, life.activeUntilMs]).toEqual([0, 0])
})

it('[P6] typing and activity end each at its own time', () => {
  const life = createLife()
  setTyping(life, ['@a:x'], at(0), 100)
  noteActivity(life, undefined, at(0), 200)
  expect([endLife(life, 99), lifeDueMs(life)]).toEqual([false, 100])
  expect([endLife(life, 100), lifeDueMs(life), life.typing]).toEqual([true, 200, []])
  expect([endLife(life, 200), lifeDueMs(life)]).toEqual([true, Infinity])
  expect(endLife(life, 1000)).toBe(false)
})

it('[P12] a replacement keeps the newer activity of the two', () => {
  const [former, fresh] = [createLife(), createLife()]
  noteActivity(former, undefined, at(500), 100)
  noteActivity(fresh, undefined, at(400), 900)
  carryLife(former, fresh)
  expect([fresh.lastActivityTs, fresh.activeUntilMs]).toEqual([at(500).wallMs, 1300])
})

it('[M13] a replacement keeps what news told of who came and went, newest last: older state may still come after it', () => {
  const [former, fresh] = [createLife(), createLife()]
  noteMove(former, '@ada:x', 900)
  noteMove(former, '@ben:x', 901)
  noteMove(fresh, '@ada:x', 950)
  carryLife(former, fresh)
  expect([...fresh.moves]).toEqual([
    ['@ben:x', 901],
    ['@ada:x', 950],
  ])
  expect(hasMovedSince(fresh, '@ben:x', 800)).toBe(true)
})
