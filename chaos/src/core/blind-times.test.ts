import { expect, it } from 'vitest'
import type { Entry } from './history.ts'
import { blindMsAt, blindTimesOf } from './blind-times.ts'

const fault = (atMs: number, phase: 'begins' | 'ends', blindMs: number): Entry => ({
  atMs,
  kind: 'fault',
  id: 'F0',
  phase,
  blindMs,
})

it('[K6] a fault that may go unnoticed excuses its own time and as long after it, and no more', () => {
  const times = blindTimesOf([
    fault(10, 'begins', 0),
    fault(20, 'ends', 0),
    fault(100, 'begins', 50),
    fault(200, 'ends', 50),
  ])
  expect([5, 15, 99, 100, 200, 250, 251].map((atMs) => blindMsAt(times, atMs))).toEqual([0, 0, 0, 50, 50, 50, 0])
})
