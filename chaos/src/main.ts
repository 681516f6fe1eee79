// `make chaos`: plays all faults, or those whose ids are given, on real processes (CYCLES=500: as often as that, where they come in
// cycles); tells each as it ends, and writes what was
// measured into docs/reliability.json, from which docs/RELIABILITY.md is printed.
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { repositoryRoot } from '@citypresence/stack/machine'
import { sections } from './all-faults.ts'
import type { Fault } from './fault.ts'
import type { Entry } from '@citypresence/checker/core/history'
import type { Measured } from './reliability-page.ts'
import { runFault, type Outcome } from './run-fault.ts'
import { startStage } from './stage.ts'

const file = join(repositoryRoot, 'docs', 'reliability.json')
const wanted = process.argv.slice(2)
const isWanted = ({ id }: Fault): boolean => wanted.length === 0 || wanted.includes(id)

// A number that is none is no wish.
const cycles = Number(process.env['CYCLES']) || 20
const machine = `${cpus().length} cores, Node ${process.versions.node}`
const day = new Date().toISOString().slice(0, 10)
const known = readKnown()
const outcomes: Outcome[] = []
for (const { title, faults, stage: options } of sections) {
  const chosen = faults.filter(isWanted)
  if (chosen.length === 0) continue
  console.log(`\n${title}`)
  const stage = await startStage({ ...options, cycles })
  try {
    for (const fault of chosen) {
      const { id, ...outcome } = await runFault(stage, fault)
      outcomes.push({ id, ...outcome })
      known[id] = { ...outcome, day, machine }
      console.log(`  ${id.padEnd(6)} ${outcome.result.padEnd(7)} ${fault.title}: ${outcome.figure}`)
      if (outcome.result === 'missed') console.log(`         its history: ${keepHistory(id, stage.recorder.history)}`)
    }
  } finally {
    await stage.stop()
  }
}
writeFileSync(file, `${JSON.stringify(known, null, 2)}\n`)
const of = (result: Outcome['result']): number => outcomes.filter((one) => one.result === result).length
console.log(`\n${of('held')} held, ${of('missed')} missed, ${of('not run')} not run`)
process.exitCode = of('missed') > 0 ? 1 : 0
// All is told: what still holds the process then is a mistake of a row, which is named and left.
setTimeout(() => {
  console.error(`held by ${process.getActiveResourcesInfo().join(', ')}`)
  process.exit()
}, 5_000).unref()

/** One entry a line, for whoever wants to know how it came to that. */
function keepHistory(id: string, history: readonly Entry[]): string {
  const path = join(tmpdir(), `city-presence-${id}.jsonl`)
  writeFileSync(path, history.map((entry) => JSON.stringify(entry)).join('\n'))
  return path
}

function readKnown(): Record<string, Measured> {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Record<string, Measured>
  } catch {
    return {} // nothing was measured yet
  }
}
