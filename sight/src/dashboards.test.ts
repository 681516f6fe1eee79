import { expect, it } from 'vitest'
import { dashboards, dashboardFiles, operatorDashboard } from './dashboards.ts'
import { grafanaDashboard, type Dashboard } from './dashboard.ts'
import { strangersIn } from './testing/strangers.ts'

const all = [...dashboards, operatorDashboard]
const panelsOf = (some: readonly Dashboard[]) => some.flatMap(({ rows }) => rows.flatMap((row) => row.panels))
const exprsOf = (some: readonly Dashboard[]) => panelsOf(some).flatMap(({ queries }) => queries.map(({ expr }) => expr))

it('[O2] panels ask for metrics and labels that services register', () => {
  expect(exprsOf(all).length).toBeGreaterThan(60)
  expect(exprsOf(all).flatMap(strangersIn)).toEqual([])
  // None looks at another city than the chosen one, or at another operator.
  expect(exprsOf([operatorDashboard]).filter((expr) => !expr.includes('namespace="$namespace"'))).toEqual([])
  expect(exprsOf(dashboards).filter((expr) => !expr.includes('namespace="$namespace",city="$city"'))).toEqual([])
})

it('[O9] each dashboard has ids of its own and a sentence behind each panel', () => {
  expect(new Set(all.map(({ uid }) => uid)).size).toBe(all.length)
  for (const { about, title } of panelsOf(all)) expect(about.length, title).toBeGreaterThan(10)
  const units = ['short', 's', 'ops', 'bytes', 'Bps', 'percentunit']
  expect(
    panelsOf(all)
      .filter(({ unit }) => !units.includes(unit))
      .map(({ title }) => title),
  ).toEqual([])
  for (const dashboard of all) {
    const printed = grafanaDashboard(dashboard)
    const ids = (printed.panels ?? []).map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
    expect((printed.panels ?? []).length).toBe(dashboard.rows.reduce((sum, row) => sum + 1 + row.panels.length, 0))
    expect(printed.templating.list?.map(({ name }) => name)).toEqual([
      ...['datasource', 'namespace'],
      ...(dashboard.of === 'city' ? ['city'] : []),
    ])
  }
  expect(dashboardFiles().map(({ path }) => path)).toEqual([
    ...dashboards.map(({ uid }) => `sight/dashboards/${uid}.json`),
    'helm/city-presence/files/operator-dashboard.json',
  ])
})
