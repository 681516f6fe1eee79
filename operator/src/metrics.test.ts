import { expect, it } from 'vitest'
import { countByReadiness, longestSilences } from './metrics.ts'

it('[OV10] of the watches of one kind in several namespaces the longest silence is told', () => {
  const watch = (plural: string, silentMs: number) => ({ kind: { plural }, silentMs: () => silentMs })
  const told = longestSilences([watch('leases', 5), watch('services', 1), watch('leases', 90_000), watch('leases', 7)])
  expect([...told]).toEqual([
    ['leases', 90_000],
    ['services', 1],
  ])
})

it('[OM1] each city counts once, by its condition Ready; one that nobody has judged is Unknown', () => {
  const city = (...statuses: string[]) => ({
    status: { conditions: statuses.map((status, index) => ({ type: index === 0 ? 'Ready' : 'Accepted', status })) },
  })
  const cities = [city('True', 'False'), city('False'), city('Unknown'), city('Perhaps'), city(), { status: {} }, {}]
  expect(countByReadiness(cities)).toEqual({ True: 1, False: 1, Unknown: 5 })
})
