// Puts the figures of the last run of the suite beside those of runs before it, in docs/cluster.json.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { repositoryRoot } from '@citypresence/stack/machine'
import type { KeptFigure, KeptFigures } from '../cluster-page.ts'
import { resultsFolder, type Figure } from '../figures.ts'

const kept = join(repositoryRoot, 'docs', 'cluster.json')
// Spread is told by five runs; older ones were another program.
const runsMax = 5

type Line = Figure | { readonly rule: string; readonly what: string; readonly notRun: string }

const lines = readFileSync(join(resultsFolder, 'figures.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Line)
const before = existsSync(kept) ? (JSON.parse(readFileSync(kept, 'utf8')) as KeptFigures).figures : {}
const figures: Record<string, KeptFigure> = { ...before }
for (const line of lines) {
  const name = `${line.rule}: ${line.what}`
  if ('notRun' in line) figures[name] = { unit: '', notRun: line.notRun }
  else {
    const values = [...(figures[name]?.values ?? []), line.value].slice(-runsMax)
    figures[name] = { unit: line.unit, ...(line.bar !== undefined && { bar: line.bar }), values }
  }
}
const sorted = Object.fromEntries(Object.entries(figures).sort(([one], [other]) => (one < other ? -1 : 1)))
const day = new Date().toISOString().slice(0, 10)
const machine = `Last on ${day}: ${cpus().length} cores, Node ${process.versions.node}; the suite, its browsers and the whole cluster on the one machine.`
writeFileSync(kept, `${JSON.stringify({ machine, figures: sorted }, undefined, 2)}\n`)
process.stdout.write('docs/cluster.json\n')
