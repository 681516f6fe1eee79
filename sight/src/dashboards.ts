// All dashboards, and the files into which they are printed.
import { grafanaDashboard, type Dashboard } from './dashboard.ts'
import { aggregatorDashboard } from './dashboards/aggregator.ts'
import { cityDashboard } from './dashboards/city.ts'
import { gatewayDashboard } from './dashboards/gateway.ts'
import { operatorDashboard } from './dashboards/operator.ts'

/** Of a city: the operator hands them to each. */
export const dashboards: readonly Dashboard[] = [cityDashboard, gatewayDashboard, aggregatorDashboard]

export { operatorDashboard }

export const dashboardFiles = (): readonly { readonly path: string; readonly text: string }[] => [
  ...dashboards.map((dashboard) => ({ path: `sight/dashboards/${dashboard.uid}.json`, text: textOf(dashboard) })),
  // In the chart, which can read only what lies in it.
  { path: 'helm/city-presence/files/operator-dashboard.json', text: textOf(operatorDashboard) },
]

const textOf = (dashboard: Dashboard): string => `${JSON.stringify(grafanaDashboard(dashboard), null, 2)}\n`
