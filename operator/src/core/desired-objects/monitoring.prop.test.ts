import { existsSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createAggregatorMetrics } from '@citypresence/aggregator/metrics'
import { createMetrics } from '@citypresence/chassis/metrics'
import { createGatewayMetrics } from '@citypresence/gateway/metrics'
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
      expect(dashboard(city) !== undefined).toBe(dashboards === 'Enabled')
    }),
  )
})

it('[OD15] every metric that an alert or a panel asks for is one that the services have', async () => {
  const city = cityOf({ ...smallSpec, observability: { rules: 'Enabled', dashboards: 'Enabled' } })
  const text = JSON.stringify([alertRules(city, contextOf()), dashboard(city)])
  const asked = new Set([...text.matchAll(/citypresence_(?:aggregator|gateway)_[a-z_]+/g)].map(([name]) => name))
  expect(asked.size).toBeGreaterThan(8)
  const services = [createMetrics('aggregator'), createMetrics('gateway')] as const
  createAggregatorMetrics(services[0])
  createGatewayMetrics(services[1])
  const there = (await Promise.all(services.map(({ registry }) => registry.metrics()))).join('\n')
  const known = new Set([...there.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name))
  expect([...asked].filter((name) => !known.has(name.replace(/_bucket$/, '')))).toEqual([])
})

it('[OD15] every alert names a page of docs/runbooks', () => {
  const city = cityOf({ ...smallSpec, observability: { rules: 'Enabled' } })
  const pages = [...JSON.stringify(alertRules(city, contextOf())).matchAll(/docs\/runbooks\/\w+\.md/g)].map(
    ([page]) => page,
  )
  expect(pages.length).toBeGreaterThan(4)
  for (const page of pages) expect(existsSync(join(import.meta.dirname, '../../../..', page)), page).toBe(true)
})
