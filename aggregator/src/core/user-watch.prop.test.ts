// The watch against three plain sets of names.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import {
  createUserWatch,
  forgetMarks,
  hasMarks,
  isReported,
  markChanged,
  markGone,
  markReported,
  takeMarks,
} from './user-watch.ts'

const anyUser = fc.nat(200)
const anyStep = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constantFrom('change', 'report', 'go'), user: anyUser }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('take'), user: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('forget'), user: fc.constant(0) }) },
)
const nameOf = (user: number): string => `@u${user}:x`

it('[P15] whatever happens in whatever order, each change and each end is taken once, and no end of whom nobody heard', () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 60, size: 'max' }), (steps) => {
      const watch = createUserWatch()
      const [changed, reported, gone] = [new Set<number>(), new Set<number>(), new Set<string>()]
      for (const { kind, user } of [...steps, { kind: 'take', user: 0 }]) {
        if (kind === 'change') {
          markChanged(watch, user)
          changed.add(user)
        } else if (kind === 'report') {
          markReported(watch, user)
          reported.add(user)
        } else if (kind === 'go') {
          markGone(watch, user, nameOf(user))
          changed.delete(user)
          if (reported.delete(user)) gone.add(nameOf(user))
        } else if (kind === 'forget') {
          forgetMarks(watch)
          expect(hasMarks(watch)).toBe(false)
          changed.clear()
          gone.clear()
        } else {
          // So many at a time: who is gone first, all of them before anybody who changed.
          const taken = takeMarks(watch, user + 1)
          expect(taken.gone.length).toBe(Math.min(gone.size, user + 1))
          expect(taken.changed.length).toBe(Math.min(changed.size, user + 1 - taken.gone.length))
          for (const one of taken.gone) expect(gone.delete(one)).toBe(true)
          for (const one of taken.changed) expect(changed.delete(one)).toBe(true)
          for (const one of taken.changed) reported.add(one)
          if (changed.size + gone.size > 0) expect(hasMarks(watch)).toBe(true)
        }
        expect(isReported(watch, user)).toBe(reported.has(user))
      }
    }),
  )
})
