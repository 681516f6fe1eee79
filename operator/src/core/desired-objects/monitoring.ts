// What Prometheus and Grafana get, where it is asked for and the cluster knows the kinds: a PodMonitor for each part, the alerts that
// are about one city, a dashboard of it. For a whole cluster there is more in sight/. Every metric in here is one that services have.
import type { CityPresence } from '../city-presence.ts'
import type { KubeObject } from '../kube-object.ts'
import type { Context } from './context.ts'
import { childOf, nameOf, selectorOf, type Component } from './metadata.ts'

const monitoringVersion = 'monitoring.coreos.com/v1'

export function podMonitor(city: CityPresence, { cluster }: Context, component: Component): KubeObject | undefined {
  const { metrics } = city.spec.observability
  if (metrics.monitor === 'None' || !cluster.podMonitor) return undefined
  return childOf(city, {
    apiVersion: monitoringVersion,
    kind: 'PodMonitor',
    name: nameOf(city, component),
    component,
    labels: metrics.labels,
    spec: {
      selector: { matchLabels: selectorOf(city, component) },
      podMetricsEndpoints: [{ port: 'admin', path: '/metrics' }],
    },
  })
}

type Alert = {
  readonly name: string
  readonly expr: (where: string) => string
  readonly for: string
  readonly severity: 'warning' | 'critical'
  readonly summary: string
  /** The page of docs/runbooks; undefined: the one of its own name. */
  readonly runbook?: string
}

const alerts: readonly Alert[] = [
  {
    name: 'CityPresenceWithoutLeader',
    expr: (where) => `(sum(citypresence_aggregator_leads{${where},stream="rooms"}) or vector(0)) < 1`,
    // A failover takes ten seconds at most.
    for: '1m',
    severity: 'critical',
    summary: 'Nobody leads: counts stand still and are marked stale.',
  },
  {
    name: 'CityPresenceMatrixNotBelieved',
    expr: (where) => `max(citypresence_aggregator_source_stale{${where}}) > 0`,
    for: '2m',
    severity: 'critical',
    summary: 'The homeserver gives no good answers: counts are frozen and marked stale.',
  },
  {
    name: 'CityPresenceGatewayStale',
    expr: (where) => `max(citypresence_gateway_stale{${where}}) > 0`,
    for: '2m',
    severity: 'warning',
    summary: 'A gateway shows everything as stale.',
  },
  {
    name: 'CityPresenceRoomsNotCounted',
    expr: (where) => `max(sum by (pod) (citypresence_aggregator_rooms_without_matrix_room{${where}})) > 0`,
    for: '15m',
    severity: 'warning',
    summary: 'There are rooms that nobody counts: unknown to Matrix, or without the daemon.',
  },
  {
    name: 'CityPresenceLate',
    expr: (where) =>
      `histogram_quantile(0.99, sum by (le) (rate(citypresence_gateway_freshness_seconds_bucket{${where},marked="no"}[5m]))) > 5`,
    for: '10m',
    severity: 'warning',
    summary: 'One change in a hundred takes more than five seconds to the browser, and is not marked as stale.',
    runbook: 'CityPresenceFreshnessBurnsSlowly',
  },
]

export function alertRules(city: CityPresence, { cluster }: Context): KubeObject | undefined {
  const { rules, metrics } = city.spec.observability
  if (rules === 'Disabled' || !cluster.prometheusRule) return undefined
  const where = podsOf(city)
  return childOf(city, {
    apiVersion: monitoringVersion,
    kind: 'PrometheusRule',
    name: nameOf(city, 'alerts'),
    labels: metrics.labels,
    spec: {
      groups: [
        {
          name: nameOf(city, 'alerts'),
          rules: alerts.map(({ name, expr, severity, summary, for: since, runbook = name }) => ({
            alert: name,
            expr: expr(where),
            for: since,
            labels: { severity, city: city.metadata.name },
            annotations: { summary, runbook: `docs/runbooks/${runbook}.md` },
          })),
        },
      ],
    },
  })
}

/** As a PodMonitor labels them. */
const podsOf = ({ metadata: { namespace, name } }: CityPresence): string =>
  `namespace="${namespace}",pod=~"${name}-(aggregator|gateway)-.*"`

const panels: readonly { readonly title: string; readonly expr: (where: string) => string }[] = [
  { title: 'Connections', expr: (where) => `sum by (pod) (citypresence_gateway_connections{${where}})` },
  { title: 'Rooms on the map', expr: (where) => `max(citypresence_aggregator_rooms{${where}})` },
  { title: 'Who leads', expr: (where) => `citypresence_aggregator_leads{${where},stream="rooms"}` },
  { title: 'Age of the source, s', expr: (where) => `citypresence_aggregator_source_age_seconds{${where}}` },
  {
    title: 'From Matrix to the browser, s (p99)',
    expr: (where) =>
      `histogram_quantile(0.99, sum by (le) (rate(citypresence_gateway_freshness_seconds_bucket{${where}}[5m])))`,
  },
  {
    title: 'Stored messages a second',
    expr: (where) => `sum(rate(citypresence_aggregator_published_total{${where}}[5m]))`,
  },
  {
    title: 'Refused handshakes a second',
    expr: (where) => `sum by (reason) (rate(citypresence_gateway_refusals_total{${where}}[5m]))`,
  },
  {
    title: 'Errors a second, by their word',
    expr: (where) =>
      `sum by (code) (rate(citypresence_aggregator_errors_total{${where}}[5m]) or rate(citypresence_gateway_errors_total{${where}}[5m]))`,
  },
]

export function dashboard(city: CityPresence): KubeObject | undefined {
  if (city.spec.observability.dashboards === 'Disabled') return undefined
  const { name, namespace } = city.metadata
  const where = podsOf(city)
  const content = {
    title: `CityPresence ${namespace}/${name}`,
    uid: `citypresence-${city.metadata.uid.slice(0, 24)}`,
    schemaVersion: 39,
    tags: ['citypresence'],
    refresh: '10s',
    time: { from: 'now-1h', to: 'now' },
    panels: panels.map(({ title, expr }, index) => ({
      id: index + 1,
      title,
      type: 'timeseries',
      gridPos: { x: (index % 2) * 12, y: Math.floor(index / 2) * 8, w: 12, h: 8 },
      targets: [{ refId: 'A', expr: expr(where) }],
    })),
  }
  return childOf(city, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    name: nameOf(city, 'dashboard'),
    // By this label Grafana's sidecar finds it.
    labels: { grafana_dashboard: '1' },
    data: { [`${name}.json`]: `${JSON.stringify(content, undefined, 1)}\n` },
  })
}
