// The model, checked by a real Spin: every variant, as `make model` does it.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { repositoryRoot } from '@citypresence/stack/machine'
import { check, checkAll, spinVersion, type Checked } from './check.ts'
import type { KeptRun } from './table.ts'
import { variants } from './variants.ts'

// Half a minute on two free cores; ten times that while others compile on them.
const hookTimeoutMs = 600_000

const kept = JSON.parse(readFileSync(join(repositoryRoot, 'docs', 'fence.json'), 'utf8')) as KeptRun

let results: readonly Checked[] = []
beforeAll(async () => {
  results = await checkAll(variants, () => undefined)
}, hookTimeoutMs)

const resultOf = (id: string): Checked | undefined => results.find(({ variant }) => variant.id === id)
const idsOf = (expected: 'held' | 'found'): string[] =>
  variants.filter((one) => one.expected === expected).map(({ id }) => id)

describe('the model of the protocol', () => {
  it.each(idsOf('held'))('[V4] the protocol holds in every order of events: %s', (id) => {
    expect(resultOf(id)).toMatchObject({ outcome: 'held' })
  })

  it.each(idsOf('found'))('[V5] the protocol without one of its rules is found wrong: %s', (id) => {
    expect(resultOf(id)).toMatchObject({ outcome: 'found' })
  })

  it('[V6] docs/FENCE.md tells what is explored, to the state (`make model KEEP=1 docs` writes it)', async () => {
    const explored = Object.fromEntries(
      results.map(({ variant, outcome, states, depth, broken }) => [variant.id, { outcome, states, depth, broken }]),
    )
    // Another Spin may count otherwise; what holds and what is found was compared above.
    const said = (await spinVersion()) === kept.spin ? kept.variants : explored
    expect(explored).toEqual(said)
  })

  it('[V1] a model that does not compile is an error, not a verdict', async () => {
    const nonsense = { id: 'nonsense', title: '', expected: 'held', settings: { TAKES: Number.NaN } } as const
    await expect(check(nonsense)).rejects.toThrow(/spin/)
  })
})
