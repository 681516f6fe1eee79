// What a row of the benchmark is: figures of ours, of peers and of a floor from one run on one machine, the goals they are held
// against, and curves over sizes. The page is printed from this, and it is what docs/performance.json holds.
import { spreadOf, summaryOf, type Summary } from './statistics.ts'

export type Role = 'ours' | 'peer' | 'floor'

export type Figure = Summary & {
  readonly role: Role
  readonly what: string
  readonly unit: string
  /** What else was seen of it: CPU time a unit, memory, errors. */
  readonly beside?: string | undefined
}

/** `median` of ours against a bar: `least` must be reached, `most` must not be passed. */
export type Goal = {
  readonly what: string
  readonly value: number
  readonly unit: string
  readonly bar: number
  readonly bound: 'least' | 'most'
  /** By ratio, so that it means the same on another machine: these are what `make bench-quick` guards. */
  readonly isRatio?: boolean | undefined
}

export type Curve = {
  readonly what: string
  readonly across: string
  readonly unit: string
  readonly points: readonly { readonly at: number; readonly value: number }[]
}

export type NotRun = { readonly what: string; readonly why: string }

export type RowResult = {
  readonly id: string
  readonly title: string
  readonly workload: string
  readonly boundBy: string
  readonly figures: readonly Figure[]
  readonly goals: readonly Goal[]
  readonly curves: readonly Curve[]
  readonly notRun: readonly NotRun[]
  /** What else was seen, in a sentence each. */
  readonly notes: readonly string[]
}

/** Where the time went, of the busiest functions, where a goal was missed. */
export type Share = { readonly what: string; readonly percent: number }

/** With when and beside what it was measured. */
export type KeptRow = RowResult & {
  readonly day: string
  readonly tookS: number
  /** Of the whole machine over the minute before and at the end. */
  readonly load: string
  readonly profile?: readonly Share[] | undefined
}

export type KeptRun = {
  readonly machine: string
  readonly rows: Readonly<Record<string, KeptRow>>
}

export const isMet = ({ value, bar, bound }: Goal): boolean => (bound === 'least' ? value >= bar : value <= bar)

export function figure(role: Role, what: string, unit: string, values: readonly number[], beside?: string): Figure {
  return { role, what, unit, ...summaryOf(values), ...(beside !== undefined && { beside }) }
}

export const spreadText = (one: Summary): string => (one.runs < 2 ? '' : `±${Math.round(spreadOf(one) * 50)} %`)

/** What doubles when the size doubles: the exponent between neighbours of a curve; 1 is in step, 0 stands still. */
export function growthOf({ points }: Curve): readonly number[] {
  return points.slice(1).map(({ at, value }, index) => {
    const before = points[index]
    if (before === undefined || before.value <= 0 || value <= 0) return Number.NaN
    return Math.log(value / before.value) / Math.log(at / before.at)
  })
}

/** Three digits that count, and thousands told as such. */
export function told(value: number): string {
  if (!Number.isFinite(value)) return 'none'
  const size = Math.abs(value)
  if (size >= 1e6) return `${digits(value / 1e6)} M`
  if (size >= 1e4) return `${digits(value / 1e3)} k`
  return digits(value)
}

const digits = (value: number): string =>
  Math.abs(value) >= 1_000 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(3)))
