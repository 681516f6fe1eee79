// What a row is to whoever plays it: a name, and a measurement at one of two lengths.
import type { Goal, NotRun, RowResult, Share } from '../core/result.ts'

/** `whole`: all peers and sizes, for the page. `quick`: what guards the ratios, within `make bench-quick`'s five minutes. */
export type Length = 'whole' | 'quick'

export type Row = {
  readonly id: string
  /** Left out of the quick run where false: nothing in it is a ratio. */
  readonly isQuick: boolean
  readonly measure: (length: Length) => Promise<RowResult>
  /** Played when a goal was missed: where ours spends its time. */
  readonly profile?: () => Promise<readonly Share[]>
}

export const least = (what: string, value: number, unit: string, bar: number, isRatio = false): Goal => ({
  what,
  value,
  unit,
  bar,
  bound: 'least',
  isRatio,
})

export const most = (what: string, value: number, unit: string, bar: number, isRatio = false): Goal => ({
  what,
  value,
  unit,
  bar,
  bound: 'most',
  isRatio,
})

export const notRun = (what: string, why: string): NotRun => ({ what, why })
