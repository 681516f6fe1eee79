import { expect, it } from 'vitest'
import { dashboards, dashboardFiles } from './dashboards.ts'
import { grafanaDashboard } from './dashboard.ts'
import { strangersIn } from './testing/strangers.ts'

const panels = dashboards.flatMap(({ rows }) => rows.flatMap((row) => row.panels))

it('[O2] panels ask for metrics and labels that services register', () => {
  const exprs = panels.flatMap(({ queries }) => queries.map(({ expr }) => expr))
  expect(exprs.length).toBeGreaterThan(40)
  expect(exprs.flatMap(strangersIn)).toEqual([])
  // None looks at another city than the chosen one.
  expect(exprs.filter((expr) => !expr.includes('namespace="$namespace",city="$city"'))).toEqual([])
})

it('[O9] each dashboard has ids of its own and a sentence behind each panel', () => {
  expect(new Set(dashboards.map(({ uid }) => uid)).size).toBe(dashboards.length)
  for (const { about, title } of panels) expect(about.length, title).toBeGreaterThan(10)
  const units = ['short', 's', 'ops', 'bytes', 'Bps', 'percentunit']
  expect(panels.filter(({ unit }) => !units.includes(unit)).map(({ title }) => title)).toEqual([])
  for (const dashboard of dashboards) {
    const printed = grafanaDashboard(dashboard)
    const ids = (printed.panels ?? []).map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
    expect((printed.panels ?? []).length).toBe(dashboard.rows.reduce((sum, row) => sum + 1 + row.panels.length, 0))
    expect(printed.templating.list?.map(({ name }) => name)).toEqual(['datasource', 'namespace', 'city'])
  }
  expect(dashboardFiles().map(({ path }) => path)).toEqual(dashboards.map(({ uid }) => `sight/dashboards/${uid}.json`))
})
