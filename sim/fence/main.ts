// `make model`: checks every variant of the model, prints the table as they are done, and ends with 1 when one is not as expected.
// With KEEP=1 it writes docs/fence.json, from which `make docs` prints the table of docs/FENCE.md.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { repositoryRoot } from '@citypresence/stack/machine'
import { checkAll, isAsExpected, spinVersion } from './check.ts'
import { heading, lineOf, type Kept } from './table.ts'
import { variants } from './variants.ts'

const startedMs = performance.now()
console.log(heading)
const all = await checkAll(variants, (one) => {
  console.log(lineOf(one))
})
const wrong = all.filter((one) => !isAsExpected(one))
const states = all.reduce((sum, one) => sum + one.states, 0)
const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1)
console.log(`${all.length - wrong.length} as expected, ${wrong.length} not; ${states} states in ${seconds} s`)
process.exitCode = wrong.length > 0 ? 1 : 0

if (process.env['KEEP'] === '1') {
  const kept = Object.fromEntries(
    all.map(({ variant, outcome, states: explored, depth, broken }): [string, Kept] => [
      variant.id,
      { outcome, states: explored, depth, ...(broken !== undefined && { broken }) },
    ]),
  )
  const run = { spin: await spinVersion(), variants: kept }
  writeFileSync(join(repositoryRoot, 'docs', 'fence.json'), `${JSON.stringify(run, null, 2)}\n`)
}
