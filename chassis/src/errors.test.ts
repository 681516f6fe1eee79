import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { CityError, errorCodes, toErrorCode } from './errors.ts'
import { errorsPage } from './print-errors.ts'

it('[C1] docs/ERRORS.md is what the table prints', () => {
  const page = readFileSync(new URL('../../docs/ERRORS.md', import.meta.url), 'utf8')
  const loose = (text: string) => text.replace(/[ -]+/g, ' ')
  expect(loose(page)).toBe(loose(errorsPage()))
})

it('[C1] an error of ours keeps its word and its cause, a foreign one is Unexpected', () => {
  const cause = new Error('inner')
  const error = new CityError('NatsTooOld', 'outer', { cause })
  expect(toErrorCode(error)).toBe('NatsTooOld')
  expect(error.cause).toBe(cause)
  for (const foreign of [cause, 'text', undefined, null, { code: 'NatsTooOld' }])
    expect(toErrorCode(foreign)).toBe('Unexpected')
})

it('[C1] every word is usable as a metric label and a condition reason, and has both sentences', () => {
  for (const [code, { means, doThis }] of Object.entries(errorCodes)) {
    expect(code).toMatch(/^[A-Z][A-Za-z]+$/)
    expect(means).toMatch(/\.$/)
    expect(doThis).toMatch(/\.$/)
  }
})
