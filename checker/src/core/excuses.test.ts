import { expect, it } from 'vitest'
import { blindMsAt, excusesOf, isAsKnown } from './excuses.ts'
import type { Entry } from './history.ts'

const fault = (
  atMs: number,
  phase: 'begins' | 'ends',
  more: { blindMs?: number; breaksPolls?: boolean } = {},
): Entry => ({
  atMs,
  kind: 'fault',
  id: 'F0',
  phase,
  blindMs: 0,
  breaksPolls: false,
  ...more,
})

it('[K6] a fault that may go unnoticed excuses its own time and as long after it, and no more', () => {
  const excuses = excusesOf([
    fault(10, 'begins'),
    fault(20, 'ends'),
    fault(100, 'begins', { blindMs: 50 }),
    fault(200, 'ends', { blindMs: 50 }),
  ])
  expect([5, 15, 99, 100, 200, 250, 251].map((atMs) => blindMsAt(excuses, atMs))).toEqual([0, 0, 0, 50, 50, 50, 0])
})

it('[K6] after a broken poll nobody has to be known as typing; a wrong number, or wrong people, is not excused', () => {
  const excuses = excusesOf([
    fault(100, 'begins', { breaksPolls: true }),
    fault(150, 'begins', { breaksPolls: true }),
    fault(200, 'ends', { breaksPolls: true }),
    fault(300, 'ends', { breaksPolls: true }),
  ])
  const held = { online: 3, typing: 2 }
  const silent = { online: 3, typing: 0 }
  expect([99, 100, 300, 130_300, 130_301].map((atMs) => isAsKnown(excuses, atMs, held, silent))).toEqual([
    false,
    true,
    true,
    true,
    false,
  ])
  expect(isAsKnown(excuses, 150, held, held)).toBe(true)
  expect(isAsKnown(excuses, 150, held, { online: 3, typing: 1 })).toBe(false)
  expect(isAsKnown(excuses, 150, held, { online: 2, typing: 0 })).toBe(false)
  expect(() => excusesOf([fault(1, 'ends', { breaksPolls: true })])).toThrow(/never began/)
})
