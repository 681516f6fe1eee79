// Rollouts and scaling with five hundred browsers outside, while people come and go.
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { closePeriodSeconds, preStopSleepSeconds } from './city-object.ts'
import { Crowd } from './crowd.ts'
import { tell } from './figures.ts'
import { podsReady } from './kube.ts'
import { keepTurning } from './lives.ts'
import { aggregatorSelector, cityName, gatewaySelector, namespace } from './names.ts'
import { leavesEvidence, timed } from './scenario.ts'
import { Truth } from './truth.ts'
import { cityStands, socketUrl, type World } from './world.ts'

const sockets = 500
// Nobody may be shown a number that is not true for longer.
const wrongWithinS = 5
// A gateway closes its sockets over its drain window; who was closed comes back within a second or two.
const backWithinS = closePeriodSeconds + preStopSleepSeconds

let world: World
let truth: Truth
let crowd: Crowd

leavesEvidence()
beforeAll(async () => {
  world = await cityStands()
  truth = new Truth(world)
  await truth.empty()
  await podsReady(world.kube, namespace, gatewaySelector, 2, 120_000)
  crowd = await Crowd.gather(await socketUrl(world), world.token, sockets, () => truth.rooms())
}, 600_000)
afterAll(() => crowd.stop())
beforeEach(() => crowd.forget())

/** Everybody shows the truth in the end, and on the way nobody was refused, away or wrong for longer than the bars. */
async function held(rule: string, what: string, act: () => Promise<unknown>): Promise<void> {
  const lives = keepTurning(world, truth)
  try {
    await timed({ rule, what }, act)
  } finally {
    await lives.stop()
  }
  await crowd.agrees(20_000)
  const { refused, closes, longestAwayMs, longestWrongMs, reconnects } = crowd.report()
  tell({
    rule,
    what: `${what}: sockets that were closed and came back, of ${sockets}`,
    value: reconnects,
    unit: 'count',
  })
  tell({ rule, what: `${what}: upgrades refused`, value: refused.length, unit: 'count', bar: 0 })
  tell({
    rule,
    what: `${what}: longest time without a connection`,
    value: longestAwayMs / 1_000,
    unit: 's',
    bar: backWithinS,
  })
  tell({
    rule,
    what: `${what}: longest time a connected browser was wrong`,
    value: longestWrongMs / 1_000,
    unit: 's',
    bar: wrongWithinS,
  })
  expect(refused).toEqual([])
  expect(Object.keys(closes).filter((code) => code !== '1012')).toEqual([])
  expect(longestAwayMs).toBeLessThan(backWithinS * 1_000)
  expect(longestWrongMs).toBeLessThan(wrongWithinS * 1_000)
}

it('[KIND5] a rollout of the aggregators: nobody outside is sent away or shown what is not true', async () => {
  await held('KIND5', 'rollout of the aggregators', async () => {
    await rolls('aggregator')
  })
  expect(crowd.report().reconnects).toBe(0)
}, 300_000)

it('[KIND5] a rollout of the gateways: no upgrade is refused, everybody is back inside the drain window', async () => {
  await held('KIND5', 'rollout of the gateways', async () => {
    await rolls('gateway')
  })
  expect(crowd.report().reconnects).toBeGreaterThanOrEqual(sockets)
}, 300_000)

it('[KIND6] gateways 2 -> 3 -> 1 -> 2 by kubectl scale: who has to move moves, and nobody else', async () => {
  await held('KIND6', 'gateways 2 -> 3 -> 1 -> 2', async () => {
    for (const replicas of [3, 1, 2]) {
      await world.kube.run(['scale', `citypresence/${cityName}`, '--namespace', namespace, `--replicas=${replicas}`])
      await podsReady(world.kube, namespace, gatewaySelector, replicas, 120_000)
    }
  })
}, 400_000)

/** Another annotation on its pods is another generation of them. The operator has to have passed it on before a rollout can be waited for. */
async function rolls(part: 'aggregator' | 'gateway'): Promise<void> {
  const round = String(Date.now())
  const deployment = `deployment/${cityName}-${part}`
  const patch = { spec: { [part]: { podAnnotations: { 'example.org/round': round } } } }
  await world.kube.patch('citypresence', cityName, namespace, patch)
  const told = `jsonpath={.spec.template.metadata.annotations.example\\.org/round}=${round}`
  await world.kube.run(['wait', deployment, '--namespace', namespace, `--for=${told}`, '--timeout=30s'])
  await world.kube.rolledOut(deployment, namespace, 180_000)
  await podsReady(world.kube, namespace, part === 'gateway' ? gatewaySelector : aggregatorSelector, 2, 120_000)
}
