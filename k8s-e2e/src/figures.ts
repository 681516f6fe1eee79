// What was measured, scenario by scenario: a line each while the suite runs, all of them in test-results/e2e/figures.jsonl. With KEEP=1
// they go into docs/cluster.json (keep/main.ts), of which docs/CLUSTER.md is printed.
import { appendFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { repositoryRoot } from '@citypresence/stack/machine'

export type Figure = {
  /** The rule it belongs to, e.g. KIND3. */
  readonly rule: string
  readonly what: string
  readonly value: number
  readonly unit: 's' | 'ms' | 'MB' | 'MiB' | 'count'
  /** What it must not be above; undefined where it is only told. */
  readonly bar?: number
}

export const resultsFolder = join(repositoryRoot, 'test-results', 'e2e')
const file = join(resultsFolder, 'figures.jsonl')

export function tell(figure: Figure): void {
  mkdirSync(resultsFolder, { recursive: true })
  appendFileSync(file, `${JSON.stringify({ ...figure, value: Math.round(figure.value * 100) / 100 })}\n`)
  const bar = figure.bar === undefined ? '' : ` (bar ${figure.bar} ${figure.unit})`
  process.stderr.write(`  [${figure.rule}] ${figure.what}: ${figure.value.toFixed(2)} ${figure.unit}${bar}\n`)
}

/** Where not every part of a scenario can be had here, that is said as loudly as a figure. */
export function notRun(rule: string, what: string, why: string): void {
  mkdirSync(resultsFolder, { recursive: true })
  appendFileSync(file, `${JSON.stringify({ rule, what, notRun: why })}\n`)
  process.stderr.write(`  [${rule}] ${what}: NOT RUN: ${why}\n`)
}
