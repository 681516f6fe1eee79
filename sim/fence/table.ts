// The table of variants: as lines on a terminal while they are checked, and as the table in docs/FENCE.md.
import type { Result } from './pan.ts'
import { variants, type Variant } from './variants.ts'

/** What docs/fence.json keeps of a variant: what does not depend on the machine. */
export type Kept = Pick<Result, 'outcome' | 'states' | 'depth' | 'broken'>
export type KeptRun = { readonly spin: string; readonly variants: Readonly<Record<string, Kept>> }

type Line = Result & { readonly variant: Variant; readonly seconds: number }

const columns = [-44, -8, -34, 11, 6, 8, 5] as const

const inColumns = (cells: readonly string[]): string =>
  cells
    .map((cell, index) => {
      const width = columns[index] ?? 0
      return width < 0 ? cell.padEnd(-width) : cell.padStart(width)
    })
    .join(' ')

export const heading = inColumns(['variant', 'expected', 'result', 'states', 'depth', 'seconds', 'MB'])

export const lineOf = ({ variant, outcome, broken, states, depth, seconds, megabytes }: Line): string =>
  inColumns([
    variant.id,
    variant.expected,
    said({ outcome, ...(broken !== undefined && { broken }) }),
    grouped(states),
    grouped(depth),
    seconds.toFixed(1),
    String(megabytes),
  ])

const said = ({ outcome, broken }: Pick<Result, 'outcome' | 'broken'>): string =>
  broken === undefined ? outcome : `${outcome}: ${broken}`

export function markdownTable({ spin, variants: kept }: KeptRun): string {
  const rows = variants.map(({ id, title, expected, settings }) => {
    const one = kept[id]
    const result = one === undefined ? 'not run yet' : said(one)
    const bounds = Object.entries(settings).map(([name, value]) => `${name}=${String(value)}`)
    return `| ${id} | ${title} | ${expected} | ${result} | ${grouped(one?.states ?? 0)} | ${grouped(one?.depth ?? 0)} | \`${bounds.join(' ')}\` |`
  })
  return [
    `Explored by ${spin}:`,
    '',
    '| variant | what it is | expected | result | states | depth | settings |',
    '| --- | --- | --- | --- | ---: | ---: | --- |',
    ...rows,
  ].join('\n')
}

/** 1234567 -> 1,234,567 */
const grouped = (count: number): string => String(count).replace(/\B(?=(?:\d{3})+$)/g, ',')
