// docs/PERFORMANCE.md: what the last run of the benchmark measured. Printed from the file that the run wrote, so that no figure stands
// there which nobody measured.
import { barText } from './core/report.ts'
import {
  growthOf,
  isMet,
  spreadText,
  told,
  type Curve,
  type Figure,
  type KeptRow,
  type KeptRun,
} from './core/result.ts'
import { sizeOf, slopesOf, type CityNeed, type Slopes } from './core/sizing.ts'

const giga = 2 ** 30

export function performancePage(run: KeptRun): string {
  const rows = Object.values(run.rows)
  const slopes = slopesOf(run)
  return `# Performance

Each figure is measured beside its peers and a physical floor, on one machine in one run: what counts are the ratios. \`make bench\` plays
all rows, writes the figures and ends with 1 when a goal is missed by the median; \`make bench ROWS="P1 P4"\` plays some;
\`make bench-quick\` guards the ratios within five minutes. The gateway that is measured is the one that is shipped: its own process, with
tokens, pings and metrics, fed through a real nats-server by fenced batches. It has one core, readers and nats-server have the other, and
the readers are a small C program, so that they are not what bounds a figure. A rate "a CPU second" is taken over the processor time of
the server, so that other work on the machine is no part of it. The number after a median is half the way from the least to the most run.

${run.machine === '' ? 'No run is kept yet.' : `Machine: ${run.machine}.`}

## Overview

![How far each goal is met](performance.svg)

${goalsTable(rows)}

${rows.map(section).join('\n\n')}

The operator (P10) has a measurement of its own, \`make bench-operator\`, on a real kube-apiserver with 1, 100 and 1,000 cities; it takes an
hour.

## What doubles when the city doubles

![How each cost grows with its size](performance-curves.svg)

${curvesTable(rows)}

## Sizing

${slopes === undefined ? 'Printed once the rows P1, P3 and P11 are measured.' : sizing(slopes)}
`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

const goalsTable = (rows: readonly KeptRow[]): string =>
  table(
    ['row', 'goal', 'measured', 'bar', ''],
    rows.flatMap(({ id, goals }) =>
      goals.map((goal) => [
        id,
        goal.what,
        `${told(goal.value)} ${goal.unit}`.trim(),
        barText(goal),
        isMet(goal) ? 'met' : '**missed**',
      ]),
    ),
  )

const roles = { ours: 'ours', peer: 'peer', floor: 'floor' } as const

function section(row: KeptRow): string {
  const { id, title, workload, figures, boundBy, notRun, notes, profile, day, load, tookS } = row
  const missing = notRun.map(({ what, why }) => `Not run: ${what} (${why}).`)
  const also = notes.map((note) => `${note.slice(0, 1).toUpperCase()}${note.slice(1)}.`)
  return [
    `## ${id} ${title}`,
    `${workload.slice(0, 1).toUpperCase()}${workload.slice(1)}. Bound by ${boundBy}.`,
    table(['', 'what', 'median', 'spread', 'beside'], figures.map(figureCells)),
    ...(profile === undefined
      ? []
      : [`Where the time goes: ${profile.map(({ what, percent }) => `${what} ${percent} %`).join('; ')}.`]),
    [...also, ...missing, `Measured on ${day} in ${tookS} s, load of the machine ${load}.`].join(' '),
  ].join('\n\n')
}

const figureCells = (one: Figure): string[] => [
  roles[one.role],
  one.what,
  `${told(one.median)} ${one.unit}`,
  one.runs < 2 ? '' : `${spreadText(one)} of ${one.runs}`,
  one.beside ?? '',
]

const curvesTable = (rows: readonly KeptRow[]): string =>
  table(
    ['row', 'what', 'sizes', 'measured', 'when the size doubles'],
    rows.flatMap(({ id, curves }) => curves.map((curve) => curveCells(id, curve))),
  )

const curveCells = (id: string, curve: Curve): string[] => [
  id,
  `${curve.what} (${curve.unit})`,
  `${curve.points.map(({ at }) => told(at)).join(', ')} ${curve.across}`,
  curve.points.map(({ value }) => told(value)).join(', '),
  growthOf(curve)
    .map((exponent) => (Number.isNaN(exponent) ? '' : `x${told(2 ** exponent)}`))
    .join(', '),
]

const needs: readonly CityNeed[] = [
  { browsers: 1_000, changesPerS: 20 },
  { browsers: 10_000, changesPerS: 20 },
  { browsers: 10_000, changesPerS: 200 },
  { browsers: 50_000, changesPerS: 50 },
  { browsers: 100_000, changesPerS: 100 },
  { browsers: 1_000_000, changesPerS: 100 },
]
const onPaper: CityNeed = { browsers: 10_000_000, changesPerS: 100 }

function sizing(slopes: Slopes): string {
  const rows = needs.map((need) => {
    const size = sizeOf(need, slopes)
    return [
      told(need.browsers),
      String(need.changesPerS),
      String(size.gateways),
      told(size.browsersEach),
      told(size.cores),
      `${Math.round(size.memoryBytes / 1e6)} MB`,
      `${Math.round(size.ageMs)} ms`,
      `${told((size.bytesPerS * 8) / 1e6)} Mbit/s`,
    ]
  })
  const large = sizeOf(onPaper, slopes)
  return `From the slopes above: a write with ten rooms costs ${told(slopes.writeMicros)} us, an idle connection ${told(slopes.idleMicrosPerS)} us a second and ${told(slopes.connectionBytes / 1_024)} KiB, a gateway without browsers ${Math.round(slopes.gatewayBytes / 1e6)} MB. Changes a second are counted over all rooms, after the throttle: a room changes at most once in ROOM_PRESENCE_THROTTLE_MS (3 s). Rooms cost memory in the stream and a snapshot at each connect; what a gateway pays for are changes and browsers. From a change rate at which sweeps fill a core on, several changes share a sweep, and more of them cost freshness and nothing else.

${table(['browsers', 'changes/s', 'gateways', 'browsers each', 'cores in all', 'memory each', 'age of a change, most', 'to browsers'], rows)}

The defaults of a CityPresence follow it: at most 10,000 connections a gateway, and an autoscaler that aims at 5,000, so that half of them may go and the others still have room.

### Ten million browsers, on paper

With ${onPaper.changesPerS} changes a second: ${told(large.gateways)} gateways with ${told(large.browsersEach)} browsers each, ${told(large.cores)} cores and ${told((large.gateways * large.memoryBytes) / giga)} GiB for them (the kernel wants 5 KiB a socket beside it, ${told((onPaper.browsers * 5_120) / giga)} GiB); a change is at most ${Math.round(large.ageMs)} ms old at the last of them. nats-server copies each change once for each gateway: ${told(large.gateways * onPaper.changesPerS)} messages a second, which a few leaf nodes carry. The aggregator does not notice: it counts people, not browsers. What bounds such a city is the way out: ${told((large.bytesPerS * 8) / 1e12)} Tbit/s, ${told((large.bytesPerS * 8) / onPaper.browsers / 1e3)} kbit/s for each browser. A longer throttle divides it, rooms that a browser did not ask for would too (there is no such request yet), and one compressed copy of each flush for all would take two thirds off.`
}
