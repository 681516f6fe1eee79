// Every number the services register, by the same functions with which they do: what a rule or a panel asks for is a name that a
// scrape has, or it does not compile.
//
//   chassis/metrics, aggregator/metrics, gateway/metrics, operator/metrics -> families -> rules, alerts, dashboards, docs/METRICS.md
import { createAggregatorMetrics } from '@citypresence/aggregator/metrics'
import { createMetrics } from '@citypresence/chassis/metrics'
import { createFeedMetrics } from '@citypresence/gateway/feed-metrics'
import { createGatewayMetrics } from '@citypresence/gateway/metrics'
import { createOperatorMetrics } from '@citypresence/operator/metrics'

const aggregatorRegister = createMetrics('aggregator')
const gatewayRegister = createMetrics('gateway')
const operatorRegister = createMetrics('operator')

export const aggregator = {
  ...createAggregatorMetrics(aggregatorRegister),
  errors: aggregatorRegister.errors,
}

export const gateway = {
  ...createGatewayMetrics(gatewayRegister),
  ...createFeedMetrics(gatewayRegister),
  errors: gatewayRegister.errors,
}

export const operator = {
  ...createOperatorMetrics(operatorRegister),
  masterStatus: operatorRegister.masterStatus,
  errors: operatorRegister.errors,
}

/** What the library of metrics tells of every Node process. */
export const nodeProcess = {
  cpuSeconds: { name: 'process_cpu_seconds_total' },
  residentBytes: { name: 'process_resident_memory_bytes' },
  openDescriptors: { name: 'process_open_fds' },
  loopLagP99Seconds: { name: 'nodejs_eventloop_lag_p99_seconds' },
  gcSeconds: { name: 'nodejs_gc_duration_seconds' },
} as const

export type Family = {
  readonly name: string
  readonly type: string
  readonly help: string
  readonly labels: readonly string[]
}

type Registered = {
  readonly name: string
  readonly help: string
  readonly type: unknown
  readonly labelNames?: readonly string[]
}

const familiesOf = ({ registry }: { readonly registry: { getMetricsAsArray(): readonly unknown[] } }): Family[] =>
  // The library keeps labels and type in fields that its types do not name.
  (registry.getMetricsAsArray() as readonly Registered[]).map(({ name, help, type, labelNames = [] }) => ({
    name,
    type: String(type),
    help,
    labels: labelNames,
  }))

const isOwn = ({ name }: Family): boolean => name.startsWith('citypresence_')

export const aggregatorFamilies: readonly Family[] = familiesOf(aggregatorRegister).filter(isOwn)
export const gatewayFamilies: readonly Family[] = familiesOf(gatewayRegister).filter(isOwn)
export const operatorFamilies: readonly Family[] = familiesOf(operatorRegister).filter(isOwn)
/** What all have. */
export const sharedFamilies: readonly Family[] = familiesOf(gatewayRegister).filter((family) => !isOwn(family))
