// All dashboards, and the files into which they are printed.
import { grafanaDashboard, type Dashboard } from './dashboard.ts'
import { aggregatorDashboard } from './dashboards/aggregator.ts'
import { cityDashboard } from './dashboards/city.ts'
import { gatewayDashboard } from './dashboards/gateway.ts'

export const dashboards: readonly Dashboard[] = [cityDashboard, gatewayDashboard, aggregatorDashboard]

export const dashboardFiles = (): readonly { readonly path: string; readonly text: string }[] =>
  dashboards.map((dashboard) => ({
    path: `sight/dashboards/${dashboard.uid}.json`,
    text: `${JSON.stringify(grafanaDashboard(dashboard), null, 2)}\n`,
  }))
