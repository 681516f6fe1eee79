// The one objective of the city: 99.9 % of what is told to browsers was told within five seconds, or was marked stale.
//
//   told, unmarked, later than that = error        errors / all = what the alerts below burn
//
// Five seconds: the seed's throttle lets a change wait for three, and the way itself takes well below one. What is counted is a sweep
// with its oldest change, so one late change among a hundred counts for all of them: stricter than counting changes.
import { gateway } from './metric-families.ts'
import { bucketOf, countOf, perCity, rateOf } from './promql.ts'

export const objective = { target: 0.999, budgetSeconds: 5 } as const

/** Share of sweeps that were late without a mark, recorded over the windows that the alerts compare. */
export const errorRatioName = (range: string): string => `citypresence:freshness_errors:ratio_rate${range}`

export const windows = ['5m', '30m', '1h', '2h', '6h', '1d', '3d'] as const
export type Window = (typeof windows)[number]

const all = (range: string): string => `sum ${perCity} (${rateOf(countOf(gateway.freshnessSeconds), range)})`
const lateUnmarked = (range: string): string => {
  const unmarked = rateOf(countOf(gateway.freshnessSeconds), range, 'marked="no"')
  const inTime = rateOf(bucketOf(gateway.freshnessSeconds), range, `marked="no",le="${objective.budgetSeconds}"`)
  return `sum ${perCity} (${unmarked}) - sum ${perCity} (${inTime})`
}

export const recordingRules = windows.map((range) => ({
  record: errorRatioName(range),
  // Where nothing was told nothing was late: a quiet city has no ratio, and burns nothing.
  expr: `(${lateUnmarked(range)}) / (${all(range)} > 0)`,
}))

/** Burning `factor` times as fast as the objective allows, over a long window and still now. */
export const burns = (factor: number, long: Window, short: Window): string => {
  const limit = `${factor} * ${(1 - objective.target).toFixed(3)}`
  return `${errorRatioName(long)} > ${limit} and ${errorRatioName(short)} > ${limit}`
}
