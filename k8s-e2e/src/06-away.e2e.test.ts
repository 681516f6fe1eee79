// More than one city, and the ways in which one goes: with its object, with its namespace, and the chart at the very end.
import { beforeAll, expect, it } from 'vitest'
import { until } from '@citypresence/stack/until'
import { Crowd } from './crowd.ts'
import { cityObject } from './city-object.ts'
import type { KubeThing } from './kube.ts'
import { cityName, namespace, release } from './names.ts'
import { leavesEvidence, timed } from './scenario.ts'
import { Truth } from './truth.ts'
import {
  cityReady,
  cityStands,
  conditionOf,
  install,
  restrictedNamespace,
  secretOf,
  socketUrl,
  takeAway,
  type World,
} from './world.ts'

let world: World

leavesEvidence()
beforeAll(async () => {
  world = await cityStands()
}, 600_000)

const goneWithinS = 30
const kindsAll =
  'configmaps,deployments,replicasets,pods,services,leases,poddisruptionbudgets,networkpolicies,serviceaccounts,roles,rolebindings'
const labelled = (name: string): string => `app.kubernetes.io/name=citypresence,app.kubernetes.io/instance=${name}`

async function isGone(name: string, where: string): Promise<boolean> {
  const left = await world.kube.list(kindsAll, where, labelled(name))
  if (left.length > 0) throw new Error(left.map(({ kind, metadata }) => `${kind} ${metadata.name}`).join(', '))
  return true
}

it('[KIND13] a second city on the stream of the first is told so, and the first goes on as if nobody were there', async () => {
  const truth = new Truth(world)
  await truth.empty()
  const crowd = await Crowd.gather(await socketUrl(world), world.token, 20, () => truth.rooms())
  try {
    await world.kube.apply(namespace, cityObject(world.people, 'second'))
    await timed(
      { rule: 'KIND13', what: 'second city on a stream that is taken, to the condition that says so', bar: 90 },
      () =>
        until(async () => (await conditionOf(world.kube, 'second', 'StreamReady'))?.status === 'False', {
          deadlineMs: 120_000,
          everyMs: 1_000,
          what: 'StreamReady to be False',
        }),
    )
    await truth.turn(world.people.residents[0]?.localpart ?? '')
    await crowd.agrees(15_000)
    await cityReady(world, 10_000)
    expect(crowd.report()).toMatchObject({ refused: [], closes: {} })
  } finally {
    crowd.stop()
    await world.kube.remove('citypresence', 'second', namespace)
  }
  await until(() => isGone('second', namespace), {
    deadlineMs: 120_000,
    everyMs: 500,
    what: 'the second city to be gone',
  })
}, 300_000)

it('[KIND15] a namespace with a living city is deleted, and goes', async () => {
  const { kube, people } = world
  const where = `${namespace}-other`
  await kube.apply('default', restrictedNamespace(where))
  await kube.apply(
    where,
    secretOf('citypresence-matrix', { access_token: people.daemon.accessToken }),
    secretOf('citypresence-jwt', { jwt_secret: world.jwtSecret }),
    ...(await natsSecrets()),
  )
  await kube.apply(where, cityObject(people, 'other'))
  // It cannot lead, for the stream is another city's; that it is worked on is what matters here.
  await until(async () => (await kube.list('pods', where)).length >= 4, {
    deadlineMs: 90_000,
    everyMs: 1_000,
    what: 'its pods',
  })
  await timed({ rule: 'KIND15', what: 'kubectl delete namespace, to nothing left', bar: 90 }, () =>
    kube.run(['delete', 'namespace', where, '--timeout=90s'], { deadlineMs: 100_000 }),
  )
}, 300_000)

it('[KIND14] the city is deleted, and nothing that was made for it is left', async () => {
  await world.kube.remove('citypresence', cityName, namespace)
  const seconds = await timed({ rule: 'KIND14', what: 'kubectl delete cpres, to nothing left', bar: goneWithinS }, () =>
    until(() => isGone(cityName, namespace), {
      deadlineMs: 4 * goneWithinS * 1_000,
      everyMs: 250,
      what: 'nothing to be left',
    }),
  )
  expect(seconds).toBeLessThan(goneWithinS)
  // What was there before is there still: it was somebody else's.
  const secrets = await world.kube.list('secrets', namespace)
  expect(secrets.map(({ metadata }) => metadata.name)).toEqual(
    expect.arrayContaining(['citypresence-matrix', 'citypresence-jwt']),
  )
}, 200_000)

it('[KIND20] helm uninstall leaves the resource and the cities, and says so', async () => {
  // The stream is that of the city that was deleted, and refuses another one: so all of it is made anew, with a disk of its own.
  await takeAway(world)
  await install(world)
  await cityReady(world, 180_000)
  const said = await world.helm(['uninstall', release, '--namespace', namespace, '--wait'])
  expect(said).toContain('kept due to the resource policy')
  expect(said).toContain('citypresences.presence.daarion.city')
  expect(await world.kube.get('citypresence', cityName, namespace)).toBeDefined()
  // NATS was the chart's and has gone; the pods of the city stay, and wait for it.
  expect((await world.kube.list('deployments', namespace, labelled(cityName))).length).toBe(2)
}, 400_000)

async function natsSecrets(): Promise<readonly KubeThing[]> {
  const names = ['aggregator', 'gateway'].map((user) => `${release}-citypresence-nats-${user}`)
  return Promise.all(
    names.map(async (name) => {
      const found = await world.kube.get<KubeThing & { data: Record<string, string> }>('secret', name, namespace)
      return { apiVersion: 'v1', kind: 'Secret', metadata: { name }, data: found?.data ?? {} }
    }),
  )
}
