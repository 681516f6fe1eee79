// The watch against three plain sets of names.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createUserWatch, isReported, markChanged, markGone, markReported, takeMarks } from './user-watch.ts'

const anyUser = fc.nat(200)
const anyStep = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constantFrom('change', 'report', 'go'), user: anyUser }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('take'), user: fc.constant(0) }) },
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
        } else {
          const taken = takeMarks(watch)
          expect([new Set(taken.changed), new Set(taken.gone)]).toEqual([changed, gone])
          expect(taken.changed).toHaveLength(changed.size)
          for (const one of changed) reported.add(one)
          changed.clear()
          gone.clear()
        }
        expect(isReported(watch, user)).toBe(reported.has(user))
      }
    }),
  )
})
