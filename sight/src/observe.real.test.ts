// A real Prometheus looks at a living city: every query of every dashboard and every rule has something to show.
import { startPrometheus, type Prometheus, type ScrapeTarget } from '@citypresence/stack/prometheus'
import { stopAll } from '@citypresence/stack/stop-all'
import { makeTemporaryFolder } from '@citypresence/stack/temporary-folder'
import { until } from '@citypresence/stack/until'
import { startViewer, type Viewer } from '@citypresence/stack/viewer'
import { startWholeCity, type WholeCity } from '@citypresence/stack/whole-city'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { dashboards } from './dashboards.ts'
import { ruleGroups } from './rules.ts'

// A second between two looks: rates have something to show after two of them.
const everyMs = 1_000
const folder = makeTemporaryFolder('observe')
let city: WholeCity
let prometheus: Prometheus
let viewer: Viewer
let isOver = false
let living: Promise<void>

beforeAll(async () => {
  city = await startWholeCity({ size: 'small', gateways: 2, throttleMs: 100, quiet: true })
  const [first, second] = city.gateways
  if (first === undefined || second === undefined) throw new Error('two gateways were asked for')
  viewer = startViewer('observer', first.webSocketUrl, city.token)
  const rulesFile = join(folder.path, 'rules.json')
  writeFileSync(rulesFile, JSON.stringify(ruleGroups()))
  const target = (service: { adminUrl: string }, pod: string): ScrapeTarget => ({
    url: service.adminUrl,
    labels: { namespace: 'demo', city: 'demo', pod },
  })
  const targets = [target(city.aggregator, 'aggregator-1'), target(first, 'gateway-1'), target(second, 'gateway-2')]
  prometheus = await startPrometheus({ targets, rulesFile, everyMs })
  living = live()
})

afterAll(async () => {
  isOver = true
  await stopAll({ stop: () => living }, viewer, prometheus, city, folder)
})

/** Somebody comes and goes, so that there is something to tell. */
async function live(): Promise<void> {
  const ada = city.city.clientOf('ada')
  for (let turn = 0; !isOver; turn++) {
    await ada.setPresence(turn % 2 === 0 ? 'online' : 'offline')
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
}

const asGrafana = (expr: string): string =>
  expr.replaceAll('$namespace', 'demo').replaceAll('$city', 'demo').replaceAll('$__rate_interval', '30s')

it('[O7] no panel of any dashboard is empty', async () => {
  const panels = dashboards.flatMap(({ title, rows }) =>
    rows.flatMap((row) =>
      row.panels.flatMap((panel) =>
        panel.queries.map(({ expr }) => ({ where: `${title}: ${panel.title}`, expr: asGrafana(expr) })),
      ),
    ),
  )
  const empty = new Map(panels.map((panel) => [panel.expr, panel.where]))
  const look = async (): Promise<boolean> => {
    for (const [expr] of empty) if ((await prometheus.ask(expr)).length > 0) empty.delete(expr)
    return empty.size === 0
  }
  await until(look, { deadlineMs: 60_000, everyMs, what: 'data for every query' }).catch((error: unknown) => {
    // Which ones are empty says more than that some are; an error of a query says more still.
    if (String(error).includes('parse error')) throw error
  })
  expect([...empty.values()]).toEqual([])
  console.log(`${panels.length} queries of ${dashboards.length} dashboards returned data`)
})

it('[O8] a city that lives sets off no alert, and one whose leader is gone the right one', async () => {
  expect(await prometheus.alerts()).toEqual([])
  await city.aggregator.kill()
  const burning = async (): Promise<string[]> => (await prometheus.alerts()).map(({ name }) => name).toSorted()
  // About to burn: how long it has to hold is played by the stories.
  await until(
    async () => (await burning()).includes('CityPresenceTargetDown') && (await burning()).includes('CityPresenceStale'),
    {
      deadlineMs: 60_000,
      everyMs,
      what: 'the alerts of a leader that is gone',
    },
  )
  await until(async () => (await burning()).includes('CityPresenceWithoutLeader'), {
    deadlineMs: 60_000,
    everyMs,
    what: 'that nobody leads',
  })
  expect(await burning()).toEqual(['CityPresenceStale', 'CityPresenceTargetDown', 'CityPresenceWithoutLeader'])
})
