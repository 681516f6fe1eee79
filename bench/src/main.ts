// The benchmark: plays its rows one after the other, prints each with its goals, and ends with 1 when one was missed.
//
//   make bench [ROWS="P1 P4"]     all peers and sizes; writes docs/performance.json, from which `make docs` prints the page
//   make bench-quick              five minutes; judges the goals that are ratios, writes nothing
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { repositoryRoot } from '@citypresence/stack/machine'
import { isMet, type Goal, type KeptRow, type KeptRun, type RowResult } from './core/result.ts'
import { rowText } from './core/report.ts'
import { compiled } from './harness/compiled.ts'
import { describeMachine, loadNow } from './harness/machine.ts'
import { allRows } from './rows/all-rows.ts'
import type { Length, Row } from './rows/row.ts'

const [first, ...others] = process.argv.slice(2)
const length: Length = first === 'quick' ? 'quick' : 'whole'
const wanted = new Set((length === 'quick' ? others : [first, ...others]).filter((id) => id !== undefined))
const file = join(repositoryRoot, 'docs/performance.json')

// The longest takes three minutes where nothing else runs.
const rowMsMax = 600_000

const say = (text: string): void => void process.stdout.write(`${text}\n`)

const rows = allRows.filter(({ id, isQuick }) => (wanted.size === 0 ? length === 'whole' || isQuick : wanted.has(id)))
if (rows.length === 0)
  throw new Error(`none of ${[...wanted].join(', ')} is a row: ${allRows.map(({ id }) => id).join(', ')}`)

say(describeMachine())
if (compiled('sink') === undefined)
  say('NO C COMPILER: the readers are plain Node, which bounds the figures before the servers do; there is no floor')

const judged = ({ goals }: RowResult): readonly Goal[] =>
  length === 'quick' ? goals.filter(({ isRatio }) => isRatio === true) : goals

const missed = rows.length === 1 && rows[0] !== undefined ? await playHere(rows[0]) : playApart()
say(missed === 0 ? 'all goals met' : `${missed} missed`)
process.exit(missed === 0 ? 0 : 1)

/** Each row in a process of its own: what one leaves behind, in memory or as a server that did not end, is no part of the next. */
function playApart(): number {
  let rowsMissed = 0
  for (const { id } of rows) {
    const args = [import.meta.filename, ...(length === 'quick' ? ['quick'] : []), id]
    const { status } = spawnSync(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'], timeout: rowMsMax })
    if (status === null) say(`${id}  was ended after ${rowMsMax / 1_000} s`)
    if (status !== 0) rowsMissed++
  }
  return rowsMissed
}

/** How many of its goals were missed; one that could not be played missed one. */
async function playHere(row: Row): Promise<number> {
  try {
    const kept = await play(row)
    say(rowText({ ...kept, goals: judged(kept) }))
    for (const { what, percent } of kept.profile ?? []) say(`    ${percent.toFixed(1).padStart(5)} % ${what}`)
    if (length === 'whole') keep(kept)
    return judged(kept).filter((goal) => !isMet(goal)).length
  } catch (error) {
    say(`${row.id}  could not be played: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
    return 1
  }
}

async function play(row: Row): Promise<KeptRow> {
  const [before, fromMs] = [loadNow(), performance.now()]
  const result = await row.measure(length)
  const isMissed = judged(result).some((goal) => !isMet(goal))
  const profile = isMissed && length === 'whole' ? await row.profile?.() : undefined
  return {
    ...result,
    ...(profile !== undefined && { profile }),
    day: new Date().toISOString().slice(0, 10),
    tookS: Math.round((performance.now() - fromMs) / 1_000),
    load: `${before} to ${loadNow()}`,
  }
}

/** At once, so that a run that is ended early leaves what it has. */
function keep(row: KeptRow): void {
  const run = JSON.parse(readFileSync(file, 'utf8')) as KeptRun
  const all = { ...run.rows, [row.id]: row }
  const sorted = Object.fromEntries(allRows.flatMap(({ id }) => (all[id] === undefined ? [] : [[id, all[id]]])))
  writeFileSync(file, `${JSON.stringify({ machine: describeMachine(), rows: sorted }, null, 2)}\n`)
}
