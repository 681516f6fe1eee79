// The numbers of a service, on prom-client: `citypresence_<service>_<name>`, with the usual process metrics beside them.
// Label values from outside cannot grow a metric without end: past a bound, new combinations are counted under 'other'.
import {
  Counter as PromCounter,
  Gauge as PromGauge,
  Histogram as PromHistogram,
  Registry,
  collectDefaultMetrics,
} from 'prom-client'
import { codesOf, errorCodes, type ErrorCode, toErrorCode } from './errors.ts'

export type Labels<L extends string> = Partial<Record<L, string | number>>

type Named = {
  /** In full, as a scrape shows it: dashboards and alerts take it from here. */
  readonly name: string
}

export interface Counter<L extends string = never> extends Named {
  inc(labels?: Labels<L> | number, by?: number): void
}
export interface Gauge<L extends string = never> extends Named {
  set(value: number): void
  set(labels: Labels<L>, value: number): void
  remove(labels: Labels<L>): void
}
export interface Histogram<L extends string = never> extends Named {
  observe(value: number): void
  observe(labels: Labels<L>, value: number): void
}

export interface Metrics {
  readonly registry: Registry
  /** `known`: series that are there from the start, at zero. To Prometheus a series that begins at one never increased. */
  counter<const L extends string = never>(
    name: string,
    help: string,
    labels?: readonly L[],
    known?: readonly Labels<L>[],
  ): Counter<L>
  gauge<const L extends string = never>(name: string, help: string, labels?: readonly L[]): Gauge<L>
  histogram<const L extends string = never>(
    name: string,
    help: string,
    labels: readonly L[],
    buckets: readonly number[],
  ): Histogram<L>
  /** leader_election_master_status{name}: 1 while this process leads, under the name that client-go's leaders have. */
  readonly masterStatus: Gauge<'name'>
  /** errors_total{code}: every error that reaches a border is counted here under its word, and under those of its causes. */
  readonly errors: Counter<'code'>
  countError(error: unknown): ErrorCode
}

/** Rooms are the largest label we have, a city of 5,000 fits; Prometheus suffers from more. */
const combinationsMax = 6000

/** Answers labels as they are while there is room, and 'other' for every value after. */
export function createLabelBound(max: number): <L extends string>(labels: Labels<L>) => Labels<L> {
  const seen = new Set<string>()
  return (labels) => {
    const key = JSON.stringify(Object.entries(labels).sort())
    if (seen.has(key)) return labels
    if (seen.size >= max) return overflowLabels(labels)
    seen.add(key)
    return labels
  }
}

function overflowLabels<L extends string>(labels: Labels<L>): Labels<L> {
  const others: Labels<L> = {}
  for (const name in labels) others[name] = 'other'
  return others
}

/** Shared with every leader that is elected by client-go, so that one panel shows them all. */
const masterStatusName = 'leader_election_master_status'

export function createMetrics(service: string): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const fullName = (name: string): string => `citypresence_${service.replaceAll('-', '_')}_${name}`
  const common = (name: string, help: string, labels: readonly string[] = []) => ({
    name: fullName(name),
    help,
    labelNames: [...labels],
    registers: [registry],
  })
  const counter: Metrics['counter'] = (name, help, labels, known = []) => {
    const counted = boundCounter<(typeof labels & {})[number]>(
      fullName(name),
      new PromCounter(common(name, help, labels)),
    )
    for (const series of known) counted.inc(series, 0)
    return counted
  }
  const codes = Object.keys(errorCodes).map((code) => ({ code }))
  const errors = counter(
    'errors_total',
    'Errors by their word in docs/ERRORS.md, each also under those of its causes.',
    ['code'],
    codes,
  )
  return {
    registry,
    counter,
    gauge: (name, help, labels) => boundGauge(fullName(name), new PromGauge(common(name, help, labels))),
    histogram: (name, help, labels, buckets) =>
      boundHistogram(fullName(name), new PromHistogram({ ...common(name, help, labels), buckets: [...buckets] })),
    masterStatus: boundGauge(
      masterStatusName,
      new PromGauge({
        name: masterStatusName,
        help: 'Whether this process leads (1) or stands by (0), by the name of the election.',
        labelNames: ['name'],
        registers: [registry],
      }),
    ),
    errors,
    countError(error) {
      for (const code of codesOf(error)) errors.inc({ code })
      return toErrorCode(error)
    },
  }
}

function boundCounter<L extends string>(name: string, prom: PromCounter): Counter<L> {
  const bound = createLabelBound(combinationsMax)
  return {
    name,
    inc(labels, by = 1) {
      if (typeof labels === 'object') prom.inc(bound(labels), by)
      else prom.inc(labels ?? by)
    },
  }
}

function boundGauge<L extends string>(name: string, prom: PromGauge): Gauge<L> {
  const bound = createLabelBound(combinationsMax)
  return {
    name,
    set(...args: [number] | [Labels<L>, number]) {
      if (args.length === 1) prom.set(args[0])
      else prom.set(bound(args[0]), args[1])
    },
    remove: (labels) => prom.remove(labels),
  }
}

function boundHistogram<L extends string>(name: string, prom: PromHistogram): Histogram<L> {
  const bound = createLabelBound(combinationsMax)
  return {
    name,
    observe(...args: [number] | [Labels<L>, number]) {
      if (args.length === 1) prom.observe(args[0])
      else prom.observe(bound(args[0]), args[1])
    },
  }
}
