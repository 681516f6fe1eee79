// The few shapes of PromQL that rules and panels are made of. A metric comes in as what the services registered, never as text.
export type Metric = { readonly name: string }

/** What tells one city from another: the namespace it lives in, and the name of its custom resource. */
export const perCity = 'by (namespace, city)'

/** `selector({ name: 'up' }, 'code="4401"')` -> `up{code="4401"}` */
export const selector = ({ name }: Metric, labels = ''): string => (labels === '' ? name : `${name}{${labels}}`)

export const rateOf = (metric: Metric, range: string, labels = ''): string =>
  `rate(${selector(metric, labels)}[${range}])`

export const increaseOf = (metric: Metric, range: string, labels = ''): string =>
  `increase(${selector(metric, labels)}[${range}])`

export const bucketOf = ({ name }: Metric): Metric => ({ name: `${name}_bucket` })
export const countOf = ({ name }: Metric): Metric => ({ name: `${name}_count` })
export const sumOf = ({ name }: Metric): Metric => ({ name: `${name}_sum` })

/** A quantile over all processes. */
export const quantileOf = (q: number, metric: Metric, range: string, labels = ''): string =>
  `histogram_quantile(${q}, sum by (le) (${rateOf(bucketOf(metric), range, labels)}))`
