import fc from 'fast-check'
import { expect, it } from 'vitest'
import { barText, rowText } from './report.ts'
import { figure, isMet, type Goal, type RowResult } from './result.ts'

const word = fc.stringMatching(/^[a-z]{3,12}$/)
const goals = fc.array(
  fc.record({
    what: word,
    value: fc.double({ min: 0.1, max: 1e7, noNaN: true }),
    unit: word,
    bar: fc.double({ min: 0.1, max: 1e7, noNaN: true }),
    bound: fc.constantFrom<Goal['bound']>('least', 'most'),
  }),
  { maxLength: 5 },
)

it('[BN3] a row as text has a line for each figure and each goal, says of each goal whether it is met, and names what was not run', () => {
  fc.assert(
    fc.property(goals, fc.uniqueArray(word, { maxLength: 4 }), word, (wanted, whats, absent) => {
      const row: RowResult = {
        id: 'P0',
        title: 'a row',
        workload: 'work',
        boundBy: 'nothing',
        figures: whats.map((what) => figure('peer', what, 's', [1, 2, 3])),
        goals: wanted,
        curves: [],
        notRun: [{ what: absent, why: 'not to be had' }],
        notes: [],
      }
      const lines = rowText(row).split('\n')
      expect(lines).toHaveLength(2 + whats.length + wanted.length + 1)
      expect(lines.filter((text) => text.includes('MISSED'))).toHaveLength(wanted.filter((one) => !isMet(one)).length)
      expect(lines.at(-1)).toContain(`${absent} (not to be had)`)
    }),
  )
})

it('[BN3] a bar says on which side of it one has to be', () => {
  const bar = { what: '', value: 0, unit: 'ms', bar: 500 }
  expect([barText({ ...bar, bound: 'most' }), barText({ ...bar, bound: 'least', unit: '' })]).toEqual([
    '<= 500 ms',
    '>= 500',
  ])
})
