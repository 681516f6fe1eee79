// What the city leans on goes away: a node, the API server, NATS. Who looks at it must not be told what is not true, and everything comes back.
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { until } from '@citypresence/stack/until'
import { Crowd } from './crowd.ts'
import { notRun, tell } from './figures.ts'
import { isReady, podsReady, type Pod } from './kube.ts'
import { leaderOf, pairStands } from './leader.ts'
import { keepTurning } from './lives.ts'
import { aggregatorSelector, gatewaySelector, namespace, natsName, natsSelector } from './names.ts'
import { nodesOf, type Nodes } from './nodes.ts'
import { leavesEvidence, timed } from './scenario.ts'
import { Truth } from './truth.ts'
import { cityReady, cityStands, socketUrl, type World } from './world.ts'

let world: World
let truth: Truth
let crowd: Crowd
let nodes: Nodes | undefined

leavesEvidence()
beforeAll(async () => {
  world = await cityStands()
  nodes = nodesOf(world.settings)
  truth = new Truth(world)
  await truth.empty()
  await podsReady(world.kube, namespace, gatewaySelector, 2, 120_000)
  crowd = await Crowd.gather(await socketUrl(world), world.token, 50, () => truth.rooms())
}, 600_000)
afterAll(() => crowd.stop())
beforeEach(() => crowd.forget())

const notOurs = 'the nodes of this cluster are not ours to stop (E2E_CLUSTER names a kind cluster)'

it('[KIND8] the API server is away for a minute: presence goes on, and nobody takes over', async () => {
  if (nodes === undefined) {
    notRun('KIND8', 'API server away for 60 s', notOurs)
    return
  }
  const leader = (await pairStands(world.kube)).metadata.name
  const lives = keepTurning(world, truth)
  try {
    await nodes.stopApiServer(world.stableNode)
    await until(async () => !(await answers()), { deadlineMs: 30_000, what: 'the API server to be away' })
    await delay(60_000)
  } finally {
    await nodes.startApiServer(world.stableNode)
    await lives.stop()
  }
  const { refused, closes, longestWrongMs } = crowd.report()
  tell({
    rule: 'KIND8',
    what: 'API server away 60 s: longest time a connected browser was wrong',
    value: longestWrongMs / 1_000,
    unit: 's',
    bar: 5,
  })
  expect({ refused, closes }).toEqual({ refused: [], closes: {} })
  expect(longestWrongMs).toBeLessThan(5_000)
  await timed({ rule: 'KIND8', what: 'API server back, to answering' }, () =>
    until(answers, { deadlineMs: 120_000, everyMs: 500, what: 'the API server' }),
  )
  await cityReady(world, 60_000)
  expect((await leaderOf(world.kube)).metadata.name).toBe(leader)
}, 400_000)

it('[KIND9] the pod of NATS is deleted: the sockets stay, and everything is true again soon after it is back', async () => {
  const before = await world.kube.list<Pod>('pods', namespace, natsSelector)
  await world.kube.remove('pod', `${natsName}-0`, namespace)
  await truth.turn(world.people.residents[2]?.localpart ?? '')
  await timed({ rule: 'KIND9', what: 'NATS deleted, to its pod ready again' }, () =>
    until(
      async () => {
        const [pod] = await world.kube.list<Pod>('pods', namespace, natsSelector)
        return pod !== undefined && isReady(pod) && pod.metadata.uid !== before[0]?.metadata.uid
      },
      { deadlineMs: 120_000, everyMs: 250, what: 'NATS to be ready' },
    ),
  )
  const seconds = await timed({ rule: 'KIND9', what: 'NATS ready again, to every browser true', bar: 5 }, () =>
    crowd.agrees(30_000),
  )
  expect(seconds).toBeLessThan(5)
  expect(crowd.report()).toMatchObject({ refused: [], closes: {} })
  await cityReady(world, 60_000)
}, 300_000)

it('[KIND7] a worker is switched off without a word: its browsers come back elsewhere, its pods too', async () => {
  if (nodes === undefined) {
    notRun('KIND7', 'worker switched off', notOurs)
    return
  }
  const node = (await pairStands(world.kube)).spec.nodeName ?? ''
  expect(node).not.toBe(world.stableNode)
  await nodes.stop(node)
  try {
    // Its sockets are half open, which their pings find out; and for the 40 s until Kubernetes calls the node lost, every other way in
    // leads to it.
    const seconds = await timed(
      { rule: 'KIND7', what: 'worker with the leader off: a change, to every browser', bar: 75 },
      async () => {
        await truth.turn(world.people.residents[3]?.localpart ?? '')
        await crowd.agrees(120_000)
      },
    )
    expect(seconds).toBeLessThan(75)
    // 40 s until Kubernetes calls the node lost, 10 s of toleration, and the start of a pod.
    await timed({ rule: 'KIND7', what: 'worker off, to two ready pods of each part on the other', bar: 120 }, () =>
      until(
        async () => {
          const pods = await world.kube.list<Pod>('pods', namespace)
          const living = (selector: string): number =>
            pods.filter((pod) => isReady(pod) && pod.spec.nodeName !== node && has(pod, selector)).length
          return living('aggregator') === 2 && living('gateway') === 2
        },
        { deadlineMs: 180_000, everyMs: 1_000, what: 'two aggregators and two gateways elsewhere' },
      ),
    )
  } finally {
    await nodes.start(node)
  }
  await world.kube.run(['wait', `node/${node}`, '--for=condition=Ready', '--timeout=120s'], { deadlineMs: 130_000 })
  await podsReady(world.kube, namespace, aggregatorSelector, 2, 120_000)
  await podsReady(world.kube, namespace, gatewaySelector, 2, 120_000)
}, 500_000)

const has = ({ metadata }: Pod, component: string): boolean =>
  metadata.labels?.['app.kubernetes.io/component'] === component

async function answers(): Promise<boolean> {
  return world.kube.run(['get', '--raw', '/readyz'], { deadlineMs: 5_000 }).then(
    () => true,
    () => false,
  )
}
