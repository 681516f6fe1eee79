import { afterEach, expect, it } from 'vitest'
import { turnUntil } from './testing/api-double.ts'
import { openOperatorWorld, smallSpec, type OperatorWorld } from './testing/operator-on-double.ts'

const worlds: OperatorWorld[] = []
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.stop()
})
async function open(): Promise<OperatorWorld> {
  const world = await openOperatorWorld('http')
  worlds.push(world)
  return world
}

it('[OC2] a city is made whole, and when it is nothing is written any more, for ten minutes', async () => {
  const world = await open()
  world.writeCity(smallSpec)
  world.start()
  await world.settle()
  expect(Object.keys(world.picture()).sort()).toMatchInlineSnapshot(`
    [
      "CityPresence daarion",
      "ConfigMap daarion-aggregator",
      "ConfigMap daarion-gateway",
      "Deployment daarion-aggregator",
      "Deployment daarion-gateway",
      "Lease daarion-aggregator",
      "PodDisruptionBudget daarion-aggregator",
      "PodDisruptionBudget daarion-gateway",
      "Role daarion-aggregator",
      "RoleBinding daarion-aggregator",
      "Service daarion-gateway",
      "ServiceAccount daarion-aggregator",
      "ServiceAccount daarion-gateway",
    ]
  `)
  const writes = world.writes().length
  await world.pass(10)
  await world.settle()
  expect(world.writes().slice(writes)).toEqual([])
  expect(world.errors).toEqual([])
})

it('[OQ7] at the stop no timer is left, neither of a round nor of a watch nor of a look at what the cluster serves', async () => {
  const world = await open()
  world.writeCity(smallSpec)
  const operator = world.start()
  await world.settle()
  expect(world.clock.pendingTimers()).toBeGreaterThan(0)
  await operator.stop()
  await turnUntil('the last answers', world.clock, () => world.clock.pendingTimers() === 0, {
    stepMs: 0,
    turnsMax: 500,
  })
})

it('[OC3] what somebody deletes or edits is back as it was within ten seconds', async () => {
  const world = await open()
  world.writeCity(smallSpec)
  world.start()
  await world.settle()
  const before = world.picture()
  for (const act of ['remove', 'edit'] as const)
    for (const child of world.children()) {
      child[act]()
      const untilMs = world.clock.monotonicMs() + 10_000
      await turnUntil(
        `${child.kind} ${child.name}`,
        world.clock,
        () => world.clock.monotonicMs() > untilMs || isEqual(world.picture(), before),
        { stepMs: 250 },
      )
      expect(world.picture()).toEqual(before)
    }
  expect(world.errors).toEqual([])
})

const isEqual = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)
