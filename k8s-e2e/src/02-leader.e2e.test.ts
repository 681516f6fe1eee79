// The leader goes: told to, killed, with its node. A crowd outside watches: whoever is connected must not be shown a number that is not true
// for longer than the bar, and nobody is sent away.
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { Crowd } from './crowd.ts'
import { tell } from './figures.ts'
import { podsReady } from './kube.ts'
import { leaderOf, pairStands } from './leader.ts'
import { keepTurning } from './lives.ts'
import { aggregatorSelector, gatewaySelector, namespace } from './names.ts'
import { nodesOf } from './nodes.ts'
import { leavesEvidence, timed } from './scenario.ts'
import { Truth } from './truth.ts'
import { cityStands, socketUrl, type World } from './world.ts'

let world: World
let truth: Truth
let crowd: Crowd | undefined

leavesEvidence()
beforeAll(async () => {
  world = await cityStands()
  truth = new Truth(world)
  await truth.empty()
  crowd = await Crowd.gather(await socketUrl(world), world.token, 50, () => truth.rooms())
}, 600_000)
afterAll(() => crowd?.stop())
beforeEach(() => crowd?.forget())

const watchers = (): Crowd => {
  if (crowd === undefined) throw new Error('the crowd did not gather')
  return crowd
}

/** A change right after the leader was taken, to the moment when everybody outside shows it. */
async function changeIsSeen(rule: string, what: string, barS: number): Promise<void> {
  const seconds = await timed(
    { rule, what: `${what}: a change right after it, to every browser`, bar: barS },
    async () => {
      await truth.turn(world.people.residents[1]?.localpart ?? '')
      await watchers().agrees(3 * barS * 1_000)
    },
  )
  const { refused, closes, longestWrongMs } = watchers().report()
  tell({
    rule,
    what: `${what}: longest time that a connected browser showed another number`,
    value: longestWrongMs / 1_000,
    unit: 's',
    bar: barS,
  })
  expect(seconds).toBeLessThan(barS)
  expect(longestWrongMs).toBeLessThan(barS * 1_000)
  expect({ refused, closes }).toEqual({ refused: [], closes: {} })
}

it('[KIND3] the leader pod is deleted, and its follower goes on at once', async () => {
  const leader = await pairStands(world.kube)
  await world.kube.remove('pod', leader.metadata.name, namespace)
  await changeIsSeen('KIND3', 'leader pod deleted', 5)
  expect((await leaderOf(world.kube)).metadata.name).not.toBe(leader.metadata.name)
})

it('[KIND3] the leader pod is killed, and its follower goes on when the Lease has run out', async () => {
  const leader = await pairStands(world.kube)
  const nodes = nodesOf(world.settings)
  if (nodes === undefined)
    await world.kube.remove('pod', leader.metadata.name, namespace, '--force', '--grace-period=0')
  else await nodes.kill(leader, 'main.ts')
  // The Lease of six seconds, and a look at it a second.
  await changeIsSeen('KIND3', 'leader pod killed', 10)
})

it('[KIND4] the node of the leader is drained: nothing is lost, and the pods come up elsewhere', async () => {
  const leader = await pairStands(world.kube)
  const node = leader.spec.nodeName ?? ''
  expect(node).not.toBe(world.stableNode)
  try {
    const drained = timed({ rule: 'KIND4', what: 'kubectl drain of the node of the leader', bar: 120 }, () =>
      world.kube.run(['drain', node, '--ignore-daemonsets', '--delete-emptydir-data', '--timeout=120s'], {
        deadlineMs: 130_000,
      }),
    )
    const lives = keepTurning(world, truth)
    expect(await drained).toBeLessThan(120)
    await lives.stop()
    await watchers().agrees(10_000)
    await podsReady(world.kube, namespace, aggregatorSelector, 2, 60_000)
    await podsReady(world.kube, namespace, gatewaySelector, 2, 60_000)
    const { refused, longestWrongMs, closes } = watchers().report()
    tell({
      rule: 'KIND4',
      what: 'drain: longest time that a connected browser showed another number',
      value: longestWrongMs / 1_000,
      unit: 's',
      bar: 5,
    })
    expect(refused).toEqual([])
    // Gateways on that node say "going away, come back", nothing else.
    expect(Object.keys(closes).filter((code) => code !== '1012')).toEqual([])
    expect(longestWrongMs).toBeLessThan(5_000)
  } finally {
    await world.kube.run(['uncordon', node])
  }
}, 300_000)
