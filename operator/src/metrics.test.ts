import { expect, it } from 'vitest'
import { longestSilences } from './metrics.ts'

it('[OV10] of the watches of one kind in several namespaces the longest silence is told', () => {
  const watch = (plural: string, silentMs: number) => ({ kind: { plural }, silentMs: () => silentMs })
  const told = longestSilences([watch('leases', 5), watch('services', 1), watch('leases', 90_000), watch('leases', 7)])
  expect([...told]).toEqual([
    ['leases', 90_000],
    ['services', 1],
  ])
})
