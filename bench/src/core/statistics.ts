// What several runs of one measurement say: the median, because one run may meet a collection of garbage or a machine that did
// something else, and how far the others lie from it.

export type Summary = { readonly median: number; readonly least: number; readonly most: number; readonly runs: number }

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

export const summaryOf = (values: readonly number[]): Summary => ({
  median: median(values),
  least: Math.min(...values),
  most: Math.max(...values),
  runs: values.length,
})

/** The way from the least to the most, as a share of the median: 0.1 is ten in a hundred. */
export const spreadOf = ({ median: middle, least, most }: Summary): number =>
  middle === 0 ? 0 : (most - least) / middle

/** The slope of the line through these points that lies nearest to them; 0 where there is no line. */
export function slopeOf(points: readonly (readonly [number, number])[]): number {
  const n = points.length
  const meanOf = (at: 0 | 1): number => points.reduce((sum, point) => sum + point[at], 0) / n
  const [meanX, meanY] = [meanOf(0), meanOf(1)]
  const across = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0)
  if (n < 2 || across === 0) return 0
  return points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / across
}
