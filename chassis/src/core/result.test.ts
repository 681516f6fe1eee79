// An answer is a value or a problem, and a caller cannot take one for the other.
import { expect, it } from 'vitest'
import { accept, refuse } from './result.ts'

it('[C1] an accepted value carries itself, a refusal its sentence', () => {
  expect(accept(7)).toEqual({ ok: true, value: 7 })
  expect(refuse('must be a number')).toEqual({ ok: false, problem: 'must be a number' })
})
