// The table of threats names tests that there are, and misses no threat.
import { expect, it } from 'vitest'
import { sections } from '../chaos/src/all-faults.ts'
import { isTest, readSource, readSources } from './sources.ts'
import { idsInTests } from './spec-rules.ts'
import { invariants, threats } from './threats.ts'

const rows = [...threats, ...invariants]

it('[H23] each test that docs/SECURITY.md names stands in the file it names, or in the table of faults', () => {
  const tested = idsInTests(readSources().filter(({ path }) => isTest(path)))
  const faults = new Set(sections.flatMap((section) => section.faults.map(({ id }) => id)))
  const missing = rows.flatMap(({ id, tests }) =>
    tests
      .filter((test) => {
        const [rule = '', where = ''] = test.split(' ')
        return rule === 'fault' ? !faults.has(where) : tested.get(rule)?.includes(where) !== true
      })
      .map((test) => `${id}: ${test}`),
  )
  expect(missing).toEqual([])
})

it('[H23] every threat of the public ports, NATS, Matrix and the supply is there once, and each is held by a test or says why not', () => {
  const wanted = [...Array.from({ length: 22 }, (_, index) => `S${index + 1}`), 'S29', 'S30', 'S31', 'S32']
  expect(threats.map(({ id }) => id)).toEqual(wanted)
  expect(invariants.map(({ id }) => id)).toEqual(['INV-09', 'INV-10', 'INV-11', 'INV-12', 'INV-13'])
  expect(rows.filter(({ tests, notShown }) => tests.length === 0 && notShown === undefined)).toEqual([])
  expect(readSource('SECURITY.md').text).toContain('docs/SECURITY.md')
})
