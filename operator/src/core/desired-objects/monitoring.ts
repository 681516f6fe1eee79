// What Prometheus and Grafana get, where it is asked for and the cluster knows the kinds: a PodMonitor for each part, the alerts and
// dashboards of the house, narrowed to this city.
import type { CityPresence } from '../city-presence.ts'
import type { KubeObject } from '../kube-object.ts'
import { dashboardsOf, ruleGroupsOf } from '../sight.ts'
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
      podMetricsEndpoints: [
        {
          port: 'admin',
          path: '/metrics',
          // Rules and dashboards tell cities apart by it.
          relabelings: [{ targetLabel: 'city', replacement: city.metadata.name }],
        },
      ],
    },
  })
}

export function alertRules(city: CityPresence, { cluster, sight }: Context): KubeObject | undefined {
  const { rules, metrics } = city.spec.observability
  if (rules === 'Disabled' || !cluster.prometheusRule) return undefined
  return childOf(city, {
    apiVersion: monitoringVersion,
    kind: 'PrometheusRule',
    name: nameOf(city, 'alerts'),
    labels: metrics.labels,
    spec: { groups: ruleGroupsOf(sight, city) },
  })
}

export function dashboard(city: CityPresence, { sight }: Context): KubeObject | undefined {
  if (city.spec.observability.dashboards === 'Disabled') return undefined
  return childOf(city, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    name: nameOf(city, 'dashboard'),
    // By this label Grafana's sidecar finds it.
    labels: { grafana_dashboard: '1' },
    data: dashboardsOf(sight, city),
  })
}
