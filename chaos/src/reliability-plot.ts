// docs/reliability.svg: one line a row of the table, a dot for how long it took until all was well again, a mark for how long it
// may take. Drawn from the figures of the last run, so that it cannot show something else than the page says.
import type { Section } from './all-faults.ts'
import { recoveryMsOf, type Measured } from './reliability-page.ts'

const [width, left, right] = [860, 350, 60]
const [top, rowHeight, headHeight] = [40, 16, 26]
// A tenth of a second to five minutes: quicker is as good, slower is away.
const [leastMs, mostMs] = [100, 300_000]
const ticksMs = [100, 300, 1_000, 3_000, 10_000, 30_000, 100_000, 300_000]
const titleLengthMax = 46

const colours = { held: '#1a7f37', missed: '#cf222e', 'not run': '#8c959f' } as const
const [ink, faint, line] = ['#1f2328', '#656d76', '#d8dee4']

const xOf = (ms: number): number => {
  const share = Math.log(Math.min(mostMs, Math.max(leastMs, ms)) / leastMs) / Math.log(mostMs / leastMs)
  return Math.round((left + share * (width - left - right)) * 10) / 10
}

const secondsOf = (ms: number): string =>
  ms >= 10_000 ? `${Math.round(ms / 1_000)} s` : `${Number((ms / 1_000).toFixed(1))} s`

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

const shortened = (text: string): string =>
  text.length > titleLengthMax ? `${text.slice(0, titleLengthMax - 1).trimEnd()}…` : text

type Text = { readonly x: number; readonly y: number; readonly fill?: string; readonly more?: string }
const textAt = ({ x, y, fill = ink, more = '' }: Text, text: string): string =>
  `<text x="${x}" y="${y}" fill="${fill}"${more}>${escaped(text)}</text>`

export function reliabilityPlot(sections: readonly Section[], measured: Readonly<Record<string, Measured>>): string {
  const parts: string[] = []
  let y = top
  for (const { title, faults } of sections) {
    y += headHeight
    parts.push(textAt({ x: 12, y: y - 6, more: ' font-weight="600"' }, title))
    for (const { id, title: what } of faults) {
      y += rowHeight
      parts.push(...rowAt(y, { id, what, last: measured[id] }))
    }
  }
  const height = y + 24
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, 'DejaVu Sans', sans-serif" font-size="11" role="img">
<title>How long each fault took until all was well again, and how long it may take</title>
<rect width="${width}" height="${height}" fill="#ffffff"/>
${[...gridTo(height - 18), ...parts].join('\n')}
</svg>
`
}

const gridTo = (bottom: number): string[] =>
  ticksMs.flatMap((ms) => [
    `<line x1="${xOf(ms)}" y1="${top}" x2="${xOf(ms)}" y2="${bottom}" stroke="${line}"/>`,
    textAt({ x: xOf(ms), y: top - 8, fill: faint, more: ' text-anchor="middle"' }, secondsOf(ms)),
  ])

type Row = { readonly id: string; readonly what: string; readonly last: Measured | undefined }

function rowAt(y: number, { id, what, last }: Row): string[] {
  const middle = y - 4
  const name = [textAt({ x: 12, y, fill: faint }, id), textAt({ x: 58, y }, shortened(what))]
  const ms = recoveryMsOf(last)
  if (last === undefined || ms === undefined) {
    const why = last?.result ?? 'not played yet'
    return [...name, textAt({ x: left + 6, y, fill: last === undefined ? faint : colours[last.result] }, why)]
  }
  const colour = colours[last.result]
  const [x, barMs] = [xOf(ms), last.recovery?.barMs]
  const figure = textAt({ x: width - right + 12, y, fill: colour }, secondsOf(ms))
  if (barMs === undefined)
    return [
      ...name,
      `<circle cx="${x}" cy="${middle}" r="3.5" fill="#ffffff" stroke="${colour}" stroke-width="1.5"/>`,
      figure,
    ]
  const bar = xOf(barMs)
  return [
    ...name,
    `<line x1="${left}" y1="${middle}" x2="${bar}" y2="${middle}" stroke="${faint}" stroke-opacity="0.5"/>`,
    `<line x1="${bar}" y1="${middle - 5}" x2="${bar}" y2="${middle + 5}" stroke="${ink}" stroke-width="2"/>`,
    `<circle cx="${x}" cy="${middle}" r="4" fill="${colour}"/>`,
    figure,
  ]
}
