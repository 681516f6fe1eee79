// docs/RELIABILITY.md: the table of faults with what the last run of each measured. Printed from the table that is played, so
// that no row can be there which nobody plays.
import { sections, type Section } from './all-faults.ts'
import type { Fault } from './fault.ts'

export type Measured = {
  readonly result: 'held' | 'missed' | 'not run'
  readonly figure: string
  readonly settledMs?: number | undefined
  readonly recovery?: { readonly tookMs: number; readonly barMs: number } | undefined
  readonly day: string
  readonly machine: string
}

export function reliabilityPage(measured: Readonly<Record<string, Measured>>): string {
  return `# Reliability

What happens to the counts in browsers when something fails, lies or comes back changed. Every row is played on real processes:
a nats-server, our services as in production with something like a kubelet that starts them again, and a homeserver that can be told
to fail. People come, go, type and move meanwhile. Nobody helps. A row holds when its bar is met, every witness settles on the
truth afterwards, and the history of all stored messages and all frames breaks none of the invariants below.

\`make chaos\` plays all rows and writes the figures; \`make chaos FAULTS="F12 F15a"\` plays some. Rows marked · are long and not part
of \`make test\`. A row that could not be played says so. Other work may have run on the same cores beside a row: its figure is an upper
bound, what counts is the bar.

## Overview

${overviewOf(measured)}

![How long each fault took until all was well again, beside its bar](reliability.svg)

A dot is how long it took after the fault until all was well again, green where the row held; the line before it ends at the bar. A
ring has no bar of its own: it is the time in which every witness settled on the truth afterwards. The scale is logarithmic.

${sections.map(({ title, faults }) => `## ${title}\n\n${tableOf(faults, measured)}`).join('\n\n')}

## Broken on purpose

What each of these rows said when the guard that it watches was taken out of the product once.

${guardsOf(sections.flatMap(({ faults }) => faults))}

## Invariants

\`checker/src/core/check-history.ts\` reads the history of a run afterwards and knows nothing of how it came about. Its rules stand in
\`docs/spec/chaos.md\`.
`
}

function tableOf(faults: readonly Fault[], measured: Readonly<Record<string, Measured>>): string {
  const rows = faults.map((fault) => rowOf(fault, measured[fault.id]))
  return ['| # | Fault | Bar | Last run |', '| --- | --- | --- | --- |', ...rows].join('\n')
}

const guardsOf = (faults: readonly Fault[]): string =>
  faults.flatMap(({ id, guard }) => (guard === undefined ? [] : [`- **${id}**: ${guard}`])).join('\n')

function overviewOf(measured: Readonly<Record<string, Measured>>): string {
  const whole: Section = { title: '**all**', faults: sections.flatMap(({ faults }) => faults) }
  const rows = [...sections, whole].map((section) => {
    const results = section.faults.map(({ id }) => measured[id]?.result ?? 'not played yet')
    const of = (result: string): number => results.filter((one) => one === result).length
    const counts = ['held', 'missed', 'not run', 'not played yet'].map((result) => String(of(result)))
    return `| ${[section.title, ...counts, worstOf(section, measured)].join(' | ')} |`
  })
  return ['| | held | missed | not run | not played yet | slowest recovery |', '| --- | --: | --: | --: | --: | --- |']
    .concat(rows)
    .join('\n')
}

/** The longest that anything took until all was well again, whatever was allowed. */
function worstOf({ faults }: Section, measured: Readonly<Record<string, Measured>>): string {
  const times = faults.flatMap(({ id }) => {
    const tookMs = recoveryMsOf(measured[id])
    return tookMs === undefined ? [] : [{ id, tookMs }]
  })
  const [worst] = times.toSorted((one, other) => other.tookMs - one.tookMs)
  return worst === undefined ? '' : `${(worst.tookMs / 1_000).toFixed(1)} s (${worst.id})`
}

export const recoveryMsOf = (last: Measured | undefined): number | undefined =>
  last?.recovery?.tookMs ?? last?.settledMs

function rowOf({ id, title, bar, length }: Fault, last: Measured | undefined): string {
  const cells = [length === 'long' ? `${id} ·` : id, title, bar, last === undefined ? 'not run yet' : told(last)]
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`
}

function told({ result, figure, settledMs, day, machine }: Measured): string {
  const settled = settledMs === undefined ? '' : `; settled in ${(settledMs / 1_000).toFixed(1)} s`
  return `**${result}**: ${figure}${result === 'held' ? settled : ''} (${day}, ${machine})`
}
