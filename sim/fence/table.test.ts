import { describe, expect, it } from 'vitest'
import { heading, lineOf, markdownTable } from './table.ts'
import { definesOf, variants } from './variants.ts'

const [first] = variants
if (first === undefined) throw new Error('no variants')

describe('the table of variants', () => {
  it('[V2] has a line for each, with every figure under its heading', () => {
    const line = lineOf({
      variant: first,
      outcome: 'found',
      broken: 'half a city is shown',
      states: 1_234_567,
      depth: 1_000,
      seconds: 2.25,
      megabytes: 99,
    })
    expect(line).toContain('found: half a city is shown')
    expect(line).toContain('1,234,567')
    for (const [word, figure] of [
      ['states', '1,234,567'],
      ['depth', '1,000'],
      ['MB', '99'],
    ] as const)
      expect(line.indexOf(figure) + figure.length).toBe(heading.indexOf(word) + word.length)
  })

  it('[V2] says of a variant that was never run that it was not', () => {
    expect(markdownTable({ spin: 'Spin', variants: {} })).toContain('| not run yet | 0 | 0 |')
  })

  it('[V3] a variant that has to hold breaks no rule, and one that has to be found breaks one', () => {
    const rules =
      /-D(?:FENCED?|COMPARES|ACK_CHECK|LOOKS_AGAIN|NEW_TERM|SPACE|CLOCK|REMEMBERS|RAISES|WHOLE|COUNTS|JOINS|MEMORY)=/
    for (const variant of variants) {
      const broken = definesOf(variant).filter((define) => rules.test(define))
      expect([variant.id, broken.length]).toEqual([variant.id, variant.expected === 'held' ? 0 : 1])
    }
    expect(new Set(variants.map(({ id }) => id)).size).toBe(variants.length)
  })
})
