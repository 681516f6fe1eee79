import fc from 'fast-check'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { anyCity, cityOf, contextOf, smallSpec } from '../../testing/cities.ts'
import { alertRules, dashboard, podMonitor } from './monitoring.ts'

it('[OD15] monitors, alerts and dashboards are made where they are asked for and their kinds are known', () => {
  fc.assert(
    fc.property(anyCity, fc.boolean(), fc.boolean(), (city, hasMonitors, hasRules) => {
      const cluster = { ...contextOf().cluster, podMonitor: hasMonitors, prometheusRule: hasRules }
      const context = contextOf({ cluster })
      const { metrics, rules, dashboards } = city.spec.observability
      expect(podMonitor(city, context, 'gateway') !== undefined).toBe(hasMonitors && metrics.monitor === 'PodMonitor')
      expect(alertRules(city, context) !== undefined).toBe(hasRules && rules === 'Enabled')
      expect(dashboard(city, context) !== undefined).toBe(dashboards === 'Enabled')
    }),
  )
})

it('[OD15] every alert names its page of docs/runbooks', () => {
  const city = cityOf({ ...smallSpec, observability: { rules: 'Enabled' } })
  const pages = [...JSON.stringify(alertRules(city, contextOf())).matchAll(/docs\/runbooks\/\w+\.md/g)].map(
    ([page]) => page,
  )
  expect(pages.length).toBeGreaterThan(20)
  for (const page of pages) expect(existsSync(join(import.meta.dirname, '../../../..', page)), page).toBe(true)
})
