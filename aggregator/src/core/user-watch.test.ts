import { expect, it } from 'vitest'
import { createUserWatch, isReported, markChanged, markGone, markReported, takeMarks } from './user-watch.ts'

it('[P15] a change is taken once and makes the user one who was told of', () => {
  const watch = createUserWatch()
  markChanged(watch, 3)
  markChanged(watch, 3)
  expect(takeMarks(watch, Infinity)).toEqual({ changed: [3], gone: [] })
  expect([isReported(watch, 3), isReported(watch, 4)]).toEqual([true, false])
  expect(takeMarks(watch, Infinity)).toEqual({ changed: [], gone: [] })
})

it('[P15] who goes before anybody was told leaves no trace, also where the number is used again', () => {
  const watch = createUserWatch()
  markChanged(watch, 0)
  markGone(watch, 0, '@a:x')
  expect(takeMarks(watch, Infinity)).toEqual({ changed: [], gone: [] })
  markChanged(watch, 0)
  expect(takeMarks(watch, Infinity)).toEqual({ changed: [0], gone: [] })
})

it('[P15] who was told of and goes is told as gone, once', () => {
  const watch = createUserWatch()
  markReported(watch, 70)
  markGone(watch, 70, '@a:x')
  markGone(watch, 70, '@a:x')
  expect(takeMarks(watch, Infinity)).toEqual({ changed: [], gone: ['@a:x'] })
  expect(isReported(watch, 70)).toBe(false)
})

it('[P15] switched off, nothing is marked', () => {
  markChanged(undefined, 1)
  markGone(undefined, 1, '@a:x')
})
