import fc from 'fast-check'
import { expect, it } from 'vitest'
import { cityOf, smallSpec } from '../testing/cities.ts'
import { readSight } from '../edge/read-sight.ts'
import { dashboardsOf, narrowed, ruleGroupsOf } from './sight.ts'

const sight = readSight()
const anyName = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/)
const anyCity = fc.tuple(anyName, anyName).map(([name, namespace]) => cityOf(smallSpec, { name, namespace }))

it('[OD15] every series that a rule asks for is of its own city', () => {
  fc.assert(
    fc.property(anyCity, (city) => {
      const where = `{namespace="${city.metadata.namespace}",city="${city.metadata.name}"`
      const rules = ruleGroupsOf(sight, city).flatMap((group) => group.rules)
      expect(rules.length).toBeGreaterThan(20)
      for (const { expr } of rules) {
        const asked = expr.match(/(?<![\w"])(?:citypresence|nodejs_|process_|up\b)[\w:]*/g) ?? []
        expect(asked.length, expr).toBeGreaterThan(0)
        expect(expr.split(where).length - 1, expr).toBe(asked.length)
      }
    }),
  )
})

it('[OD15] a query keeps the labels it had', () => {
  const city = cityOf(smallSpec, { name: 'a', namespace: 'b' })
  expect(narrowed('rate(citypresence_gateway_closes_total{code="4401"}[5m]) > up', city)).toBe(
    'rate(citypresence_gateway_closes_total{namespace="b",city="a",code="4401"}[5m]) > up{namespace="b",city="a"}',
  )
  expect(narrowed('sum by (namespace, city) (citypresence:freshness_errors:ratio_rate5m)', city)).toBe(
    'sum by (namespace, city) (citypresence:freshness_errors:ratio_rate5m{namespace="b",city="a"})',
  )
})

it('[OD15] dashboards of two cities have names and ids of their own, and leave nothing to choose but the source', () => {
  const uids = ['11111111-1', '22222222-2']
  const cities = uids.map((uid, index) => cityOf(smallSpec, { name: `city-${index}`, uid }))
  const printed = cities.map((city) => dashboardsOf(sight, city))
  const all = printed.flatMap((files) => Object.values(files)).map((text) => JSON.parse(text) as { uid: string })
  expect(all.length).toBe(2 * sight.dashboards.length)
  expect(new Set(all.map(({ uid }) => uid)).size).toBe(all.length)
  expect(new Set(printed.flatMap((files) => Object.keys(files))).size).toBe(all.length)
  for (const text of printed.flatMap((files) => Object.values(files))) {
    expect(text).not.toMatch(/\$namespace|\$city/)
    expect(text).toContain('$__rate_interval')
    expect(Buffer.byteLength(text)).toBeLessThan(64 * 1024)
  }
})
