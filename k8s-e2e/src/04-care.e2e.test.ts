// What the operator does for a city that lives: puts right what somebody changed, hands on a new secret, survives its own end.
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { makeToken, randomSecret } from '@citypresence/stack/tokens'
import { until } from '@citypresence/stack/until'
import { Crowd } from './crowd.ts'
import { tell } from './figures.ts'
import { podsReady, type KubeThing } from './kube.ts'
import { aggregatorSelector, cityName, gatewaySelector, namespace, operatorSelector } from './names.ts'
import { leavesEvidence, timed } from './scenario.ts'
import { Truth } from './truth.ts'
import { cityReady, cityStands, secretOf, socketUrl, type World } from './world.ts'

let world: World
let truth: Truth
let crowd: Crowd

leavesEvidence()
beforeAll(async () => {
  world = await cityStands()
  truth = new Truth(world)
  await truth.empty()
  await podsReady(world.kube, namespace, gatewaySelector, 2, 120_000)
  crowd = await Crowd.gather(await socketUrl(world), world.token, 50, () => truth.rooms())
}, 600_000)
afterAll(() => crowd.stop())
beforeEach(() => crowd.forget())

const childrenKinds =
  'configmaps,deployments,services,leases,poddisruptionbudgets,networkpolicies,serviceaccounts,roles,rolebindings'
const ownedBy = (uid: string | undefined) => (one: KubeThing) =>
  (one.metadata as { ownerReferences?: readonly { uid: string }[] }).ownerReferences?.some(
    (owner) => owner.uid === uid,
  ) === true

/** Everything that the operator made for the city, and nothing that something else made of that. */
async function children(): Promise<readonly KubeThing[]> {
  const city = await world.kube.get('citypresence', cityName, namespace)
  return (await world.kube.list(childrenKinds, namespace)).filter(ownedBy(city?.metadata.uid))
}

const backWithinS = 10
// A Deployment takes its pods along. A ServiceAccount takes the tokens of its pods along, for another one of its name is another one to the
// API server: they cannot renew the Lease until they are replaced, which is among the open risks of docs/ROADMAP.md.
const untouched = new Set(['Deployment', 'ServiceAccount'])

it('[KIND11] each child that somebody deletes is there again within ten seconds, the sockets stay where they are', async () => {
  const all = await children()
  expect(all.length).toBeGreaterThan(10)
  let slowest = 0
  for (const child of all.filter(({ kind }) => !untouched.has(kind))) {
    const { kind, metadata } = child
    const startMs = performance.now()
    await world.kube.run(['delete', kind, metadata.name, '--namespace', namespace, '--wait=false'])
    await until(
      async () => {
        const found = await world.kube.get(kind, metadata.name, namespace)
        return (
          found !== undefined && found.metadata.uid !== metadata.uid && found.metadata.deletionTimestamp === undefined
        )
      },
      { deadlineMs: 3 * backWithinS * 1_000, everyMs: 200, what: `${kind} ${metadata.name} to be there again` },
    )
    slowest = Math.max(slowest, (performance.now() - startMs) / 1_000)
  }
  tell({
    rule: 'KIND11',
    what: 'slowest of all deleted children to be back',
    value: slowest,
    unit: 's',
    bar: backWithinS,
  })
  expect(slowest).toBeLessThan(backWithinS)
  await cityReady(world, 30_000)
  await crowd.agrees(20_000)
  expect(crowd.report()).toMatchObject({ refused: [], closes: {} })
}, 400_000)

it('[KIND11] what somebody writes into a child is put right within ten seconds, and what is not ours is left alone', async () => {
  const { kube } = world
  const replicas = async (): Promise<unknown> =>
    ((await kube.get(`deployment`, `${cityName}-gateway`, namespace))?.['spec'] as { replicas?: number }).replicas
  await kube.patch('deployment', `${cityName}-gateway`, namespace, {
    metadata: { annotations: { 'example.org/mine': 'stays' } },
    spec: { replicas: 5 },
  })
  const seconds = await timed(
    { rule: 'KIND11', what: 'replicas written into the Deployment by hand, put right', bar: backWithinS },
    () => until(async () => (await replicas()) === 2, { deadlineMs: 60_000, everyMs: 200, what: 'two replicas' }),
  )
  expect(seconds).toBeLessThan(backWithinS)
  const port = async (): Promise<unknown> =>
    ((await kube.get('service', `${cityName}-gateway`, namespace))?.['spec'] as { ports: readonly { port: number }[] })
      .ports[0]?.port
  await kube.run([
    'patch',
    'service',
    `${cityName}-gateway`,
    '--namespace',
    namespace,
    '--type',
    'json',
    '--patch',
    '[{"op":"replace","path":"/spec/ports/0/port","value":8123}]',
  ])
  await until(async () => (await port()) === 80, { deadlineMs: 60_000, everyMs: 200, what: 'the port of the Service' })
  const deployment = await kube.get('deployment', `${cityName}-gateway`, namespace)
  expect(deployment?.metadata.annotations?.['example.org/mine']).toBe('stays')
  await podsReady(kube, namespace, gatewaySelector, 2, 120_000)
})

it('[KIND12] a new secret for tokens counts without a rollout: the old opens no door any more, the new one does', async () => {
  const before = await podsReady(world.kube, namespace, gatewaySelector, 2, 60_000)
  const secret = randomSecret()
  await world.kube.apply(namespace, secretOf('citypresence-jwt', { jwt_secret: secret }))
  const answer = async (of: string): Promise<number> =>
    (
      await fetch(`${await world.gatewayUrl()}/api/city/presence`, {
        headers: { authorization: `Bearer ${makeToken({ secret: of })}` },
        signal: AbortSignal.timeout(5_000),
      })
    ).status
  try {
    // The kubelet brings a Secret to its pods within a minute or so; the services read it again within seconds.
    await timed({ rule: 'KIND12', what: 'a new Secret, to both gateways taking it', bar: 150 }, () =>
      untilSteady(async () => (await answer(secret)) === 200 && (await answer(world.jwtSecret)) === 401, 150_000),
    )
  } finally {
    await world.kube.apply(namespace, secretOf('citypresence-jwt', { jwt_secret: world.jwtSecret }))
  }
  await untilSteady(async () => (await answer(world.jwtSecret)) === 200, 150_000)
  const after = await podsReady(world.kube, namespace, gatewaySelector, 2, 60_000)
  expect(after.map(({ metadata }) => metadata.uid).sort()).toEqual(before.map(({ metadata }) => metadata.uid).sort())
}, 400_000)

it('[KIND10] the operators are deleted in the middle of a change: the city goes on, and gets there', async () => {
  const { kube } = world
  const round = String(Date.now())
  await kube.patch('citypresence', cityName, namespace, {
    spec: { publishing: { activeWindowSeconds: 120 }, aggregator: { podAnnotations: { 'example.org/round': round } } },
  })
  await kube.run([
    'delete',
    'pods',
    '--namespace',
    namespace,
    '--selector',
    operatorSelector,
    '--force',
    '--grace-period=0',
    '--wait=false',
  ])
  await timed(
    { rule: 'KIND10', what: 'operators deleted in a change, to the change everywhere', bar: 120 },
    async () => {
      await until(
        async () => {
          const pods = await podsReady(kube, namespace, aggregatorSelector, 2, 60_000)
          return pods.every(({ metadata }) => metadata.annotations?.['example.org/round'] === round)
        },
        { deadlineMs: 120_000, everyMs: 1_000, what: 'both aggregators of the new round' },
      )
      await cityReady(world, 60_000)
    },
  )
  const settings = await kube.get('configmap', `${cityName}-aggregator`, namespace)
  expect((settings?.['data'] as Record<string, string>)['ACTIVE_WINDOW_MS']).toBe('120000')
  await crowd.agrees(20_000)
  expect(crowd.report()).toMatchObject({ refused: [], closes: {} })
}, 300_000)

/** Two gateways take turns in answering: the answer counts when it came ten times in a row. */
async function untilSteady(isSo: () => Promise<boolean>, deadlineMs: number): Promise<void> {
  let row = 0
  await until(
    async () => {
      row = (await isSo()) ? row + 1 : 0
      return row >= 10
    },
    { deadlineMs, everyMs: 200, what: 'ten answers in a row' },
  )
}
