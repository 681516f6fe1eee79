import fc from 'fast-check'
import { expect, it } from 'vitest'
import { whyTooOld } from './nats-version.ts'

it('[C22] a server will do exactly when its API level is 2 or more and its version 2.12 or more', () => {
  const number = fc.integer({ min: 0, max: 30 })
  fc.assert(
    fc.property(number, number, number, fc.integer({ min: 0, max: 4 }), (major, minor, patch, level) => {
      const willDo = level >= 2 && major * 1000 + minor >= 2012
      const answer = whyTooOld({ version: `${major}.${minor}.${patch}`, api_lvl: level })
      expect(answer === undefined).toBe(willDo)
      if (answer !== undefined) expect(answer).toContain(`${major}.${minor}.${patch}`)
    }),
  )
})

it('[C22] a server that names no API level is too old, a build of its own is judged by the level', () => {
  expect(whyTooOld({ version: '2.15.1' })).toContain('API level 0')
  expect(whyTooOld({ version: 'main', api_lvl: 3 })).toBeUndefined()
  expect(whyTooOld({ version: '2.12.0-RC.1', api_lvl: 2 })).toBeUndefined()
})
