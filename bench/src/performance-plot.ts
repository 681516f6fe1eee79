// The plots of docs/PERFORMANCE.md as SVG: how far each goal is met, and how each cost grows with its size.
import { growthOf, isMet, told, type Curve, type Goal, type KeptRun } from './core/result.ts'

const [ink, line, met, missed] = ['#1f2328', '#d8dee4', '#1a7f37', '#cf222e']
const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
const round = (value: number): number => Math.round(value * 10) / 10

type At = { readonly x: number; readonly y: number }
const textAt = ({ x, y }: At, text: string, more = ''): string =>
  `<text x="${round(x)}" y="${round(y)}" fill="${ink}"${more}>${escaped(text)}</text>`

const drawing = (width: number, height: number, title: string, parts: readonly string[]): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, 'DejaVu Sans', sans-serif" font-size="11" role="img">
<title>${escaped(title)}</title>
<rect width="${width}" height="${height}" fill="#ffffff"/>
${parts.join('\n')}
</svg>
`

// --- goals ---------------------------------------------------------------------------------------------------------------------------

const goals = { width: 860, left: 420, right: 80, top: 44, row: 18 }
// A quarter of what was wanted to thirty-two times it.
const [worst, best] = [1 / 4, 32]
const ticks = [0.25, 0.5, 1, 2, 4, 8, 16, 32]

/** Above 1 a goal is met, and by how much; of a bar of nothing only whether. */
export function headroomOf(goal: Goal): number {
  const { value, bar, bound } = goal
  if (bar === 0 || value === 0) return isMet(goal) ? best : worst
  return bound === 'least' ? value / bar : bar / value
}

export function goalsPlot({ rows }: KeptRun): string {
  const { width, left, right, top, row } = goals
  const xOf = (headroom: number): number => {
    const inside = Math.min(best, Math.max(worst, Number.isFinite(headroom) ? headroom : worst))
    return left + (Math.log(inside / worst) / Math.log(best / worst)) * (width - left - right)
  }
  const all = Object.values(rows).flatMap(({ id, goals: of }) => of.map((goal) => ({ id, goal })))
  const bottom = top + all.length * row
  const grid = ticks.flatMap((tick) => [
    `<line x1="${round(xOf(tick))}" y1="${top - 6}" x2="${round(xOf(tick))}" y2="${bottom}" stroke="${tick === 1 ? ink : line}"/>`,
    textAt({ x: xOf(tick), y: top - 12 }, `${tick}x`, ` text-anchor="middle" fill-opacity="0.7"`),
  ])
  const marks = all.flatMap(({ id, goal }, index) => {
    const y = top + index * row + 12
    const colour = isMet(goal) ? met : missed
    const at = round(xOf(headroomOf(goal)))
    return [
      textAt({ x: 12, y }, id, ` font-weight="600"`),
      textAt({ x: 48, y }, shortened(goal.what, 58)),
      `<line x1="${round(xOf(1))}" y1="${y - 4}" x2="${at}" y2="${y - 4}" stroke="${colour}" stroke-width="2"/>`,
      `<circle cx="${at}" cy="${y - 4}" r="4" fill="${colour}"/>`,
      textAt({ x: width - right + 12, y }, `${told(goal.value)} ${goal.unit}`.trim()),
    ]
  })
  return drawing(width, bottom + 16, 'How far each goal is met: right of 1x it is', [...grid, ...marks])
}

const shortened = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most - 1)}…` : text)

// --- curves --------------------------------------------------------------------------------------------------------------------------

const cell = { width: 280, height: 190, left: 52, right: 16, top: 34, bottom: 40 }
const columns = 3

/** Each curve in a field of its own, both scales logarithmic: a straight line that climbs a field's height a width grows in step. */
export function curvesPlot({ rows }: KeptRun): string {
  const all = Object.values(rows).flatMap(({ id, curves }) => curves.map((curve) => ({ id, curve })))
  const parts = all.flatMap(({ id, curve }, index) =>
    curveAt({ x: (index % columns) * cell.width, y: Math.floor(index / columns) * cell.height }, id, curve),
  )
  const height = Math.max(1, Math.ceil(all.length / columns)) * cell.height
  return drawing(columns * cell.width, height, 'How each cost grows with its size', parts)
}

function curveAt(corner: At, id: string, curve: Curve): string[] {
  const points = curve.points.filter(({ value }) => value > 0)
  const [ats, values] = [points.map(({ at }) => at), points.map(({ value }) => value)]
  const [x0, x1] = [corner.x + cell.left, corner.x + cell.width - cell.right]
  const [y0, y1] = [corner.y + cell.height - cell.bottom, corner.y + cell.top]
  const scale = (value: number, of: readonly number[], from: number, to: number): number => {
    const [least, most] = [Math.log(Math.min(...of) / 1.3), Math.log(Math.max(...of) * 1.3)]
    return from + ((Math.log(value) - least) / (most - least)) * (to - from)
  }
  const places = points.map(({ at, value }) => ({
    x: scale(at, ats, x0, x1),
    y: scale(value, values, y0, y1),
    at,
    value,
  }))
  const growth = growthOf(curve).at(-1)
  const tells = growth === undefined || Number.isNaN(growth) ? '' : `, doubling: x${told(2 ** growth)}`
  return [
    textAt({ x: corner.x + 12, y: corner.y + 16 }, `${id} ${shortened(curve.what, 40)}`, ` font-weight="600"`),
    `<path d="M${x0} ${y1}V${y0}H${x1}" fill="none" stroke="${line}"/>`,
    `<polyline points="${places.map(({ x, y }) => `${round(x)},${round(y)}`).join(' ')}" fill="none" stroke="${met}" stroke-width="2"/>`,
    ...places.flatMap(({ x, y, at, value }) => [
      `<circle cx="${round(x)}" cy="${round(y)}" r="3.5" fill="${met}"/>`,
      textAt({ x, y: y - 8 }, told(value), ` text-anchor="middle"`),
      textAt({ x, y: y0 + 14 }, told(at), ` text-anchor="middle" fill-opacity="0.7"`),
    ]),
    textAt({ x: x0, y: y0 + 30 }, `${curve.unit} by ${curve.across}${tells}`, ` fill-opacity="0.8"`),
  ]
}
