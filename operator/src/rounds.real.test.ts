// What the operator makes, on a real API server: it takes every object as it is, gives back what reads as the same, and two writers
// share one status. No controllers run here: nothing is rolled out, and nothing is collected.
import { stopAll } from '@citypresence/stack/stop-all'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openKubeStatus } from '@citypresence/aggregator/edge/kube-status'
import { openKubeDoor } from '@citypresence/chassis/edge/kube-door'
import { startKubeApiServer, type KubeApiServer } from '@citypresence/stack/kube-apiserver'
import type { CityPresence, WrittenCityPresence } from './core/city-presence.ts'
import { apiVersion, kind } from './core/city-presence.ts'
import type { ConditionType } from './core/conditions.ts'
import { firstCity } from './core/example-city.ts'
import { isFields } from './core/kube-object.ts'
import { createReconcile } from './reconcile.ts'
import { installCrd } from './testing/api-of.ts'
import { contextOf } from './testing/cities.ts'
import { fourthCity, fullCity, otherCity, thirdCity } from './testing/full-city.ts'
import { pathOf, RealCluster, why } from './testing/real-cluster.ts'

let server: KubeApiServer
beforeAll(async () => {
  server = await startKubeApiServer()
  await installCrd(server)
})
afterAll(() => stopAll(server))

// Kinds of others are not known here.
const context = contextOf({
  secretNames: 'any',
  cluster: { httpRoute: false, podMonitor: false, prometheusRule: false, customMetrics: true },
})

let namespaces = 0
async function start(city: WrittenCityPresence) {
  const namespace = `city-${++namespaces}`
  await server.ask('POST', '/api/v1/namespaces', { metadata: { name: namespace } })
  const cluster = new RealCluster(server, namespace)
  let laterMs = 0
  const clock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() + laterMs }
  let reconcile = createReconcile({ cluster, context: () => context, clock })
  const { name } = city.metadata
  const path = pathOf({ apiVersion, kind, namespace, name })
  const read = async () => (await server.ask('GET', path)).body as unknown as CityPresence
  const made = await server.ask('POST', pathOf({ apiVersion, kind, namespace, name: '' }), {
    ...city,
    metadata: { name, namespace },
  })
  if (made.status !== 201) throw new Error(why(made))
  const round = async () => {
    await cluster.refresh()
    return await reconcile.round(await read())
  }
  return {
    ...{ cluster, namespace, name, path, read, round },
    restart: () => (reconcile = createReconcile({ cluster, context: () => context, clock })),
    pass: (ms: number) => (laterMs += ms),
    child: async (what: string, part: string, version = 'apps/v1') => {
      const found = await cluster.read({ apiVersion: version, kind: what, namespace, name: `${name}-${part}` })
      if (found === undefined) throw new Error(`there is no ${what} ${name}-${part}`)
      return found
    },
    condition: async (type: ConditionType) => {
      const found = (await read()).status?.conditions?.find((one) => one.type === type)
      return `${found?.status ?? '-'}/${found?.reason ?? '-'}`
    },
    settle: async () => {
      for (let rounds = 0; rounds < 6; rounds++) {
        const before = cluster.applies.length + cluster.statuses
        await round()
        if (cluster.applies.length + cluster.statuses === before) return
      }
      throw new Error(`not settled: ${cluster.applies.slice(-20).join(' ')}`)
    },
  }
}

it('[OD17] a real API server takes every object of every kind of city, to the letter, and gives back what reads as the same', async () => {
  for (const city of [firstCity, fullCity, otherCity, thirdCity, fourthCity]) {
    const { cluster, settle, round, restart, condition } = await start(city)
    await round()
    const made = cluster.applies.length
    expect(made).toBeGreaterThan(11)
    await settle()
    // What was remembered helps with amounts in another spelling; without it at most these are applied once more.
    expect(cluster.applies.length).toBe(made)
    restart()
    const before = (
      await Promise.all(
        cluster
          .objectsOf()
          .map((one) => cluster.read({ ...one, name: one.metadata.name, namespace: cluster.namespace })),
      )
    ).map((one) => one?.metadata.resourceVersion)
    await settle()
    const after = (
      await Promise.all(
        cluster
          .objectsOf()
          .map((one) => cluster.read({ ...one, name: one.metadata.name, namespace: cluster.namespace })),
      )
    ).map((one) => one?.metadata.resourceVersion)
    expect(after).toEqual(before)
    expect(await condition('Accepted')).toBe('True/SpecAccepted')
  }
})

it('[OP5] [OP4] on a real API server: drift is put right, and an autoscaler takes over without a fall to one', async () => {
  const gateway = { ...firstCity.spec.gateway, replicas: 4 }
  const { cluster, settle, child, path, namespace, read } = await start({
    ...firstCity,
    spec: { ...firstCity.spec, gateway },
  })
  await settle()
  const replicas = async () => ((await child('Deployment', 'gateway'))['spec'] as { replicas: number }).replicas
  const deployment = pathOf({ apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: 'first-gateway' })
  const json = { 'content-type': 'application/merge-patch+json' }
  await server.ask(
    'PATCH',
    deployment,
    { spec: { replicas: 1, template: { spec: { enableServiceLinks: true } } } },
    json,
  )
  await server.ask(
    'DELETE',
    pathOf({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace, name: 'first-aggregator' }),
  )
  const before = cluster.applies.length
  await settle()
  expect(cluster.applies.slice(before).sort()).toEqual(['Deployment/first-gateway', 'Lease/first-aggregator'])
  expect(await replicas()).toBe(4)
  const change = async (spec: object) => {
    await server.ask('PATCH', path, { spec: { gateway: spec } }, json)
    await settle()
  }
  await change({ autoscaling: { maxReplicas: 8 } })
  expect(await replicas()).toBe(4)
  const scaled = await server.ask(
    'PATCH',
    `${deployment}/scale?fieldManager=kube-controller-manager`,
    { spec: { replicas: 6 } },
    json,
  )
  expect(scaled.status).toBe(200)
  await settle()
  expect(await replicas()).toBe(6)
  const owners = (await child('Deployment', 'gateway')).metadata.managedFields ?? []
  const named = owners.filter(({ fieldsV1 }) => isFields(fieldsV1?.['f:spec']) && 'f:replicas' in fieldsV1['f:spec'])
  expect(named.map(({ manager }) => manager)).toEqual(['kube-controller-manager'])
  await change({ autoscaling: null })
  expect(await replicas()).toBe(4)
  expect((await read()).status?.observedGeneration).toBe((await read()).metadata.generation)
})

it('[LS6] [OS4] operator and leader share one status on a real API server, each with the rights that it has', async () => {
  const { settle, round, pass, namespace, name, condition, read, cluster } = await start(firstCity)
  await settle()
  expect(await condition('MatrixSynced')).toBe('Unknown/Pending')
  const lease = pathOf({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace, name: `${name}-aggregator` })
  const json = { 'content-type': 'application/merge-patch+json' }
  const hold = (renewTime: string) =>
    server.ask(
      'PATCH',
      lease,
      { spec: { holderIdentity: 'pod_1', leaseDurationSeconds: 6, leaseTransitions: 7, renewTime } },
      json,
    )
  await hold('2026-01-01T00:00:00.000000Z')
  await settle()
  expect(await condition('AggregatorAvailable')).toBe('True/LeaderElected')

  const issued = await server.ask('POST', `/api/v1/namespaces/${namespace}/serviceaccounts/${name}-aggregator/token`, {
    spec: { expirationSeconds: 3_600 },
  })
  const token = String((issued.body['status'] as Record<string, unknown>)['token'])
  const access = {
    server: server.url,
    namespace,
    ca: { file: server.caFile },
    client: undefined,
    token: { text: token },
  }
  const port = openKubeStatus({ door: openKubeDoor({ access, userAgent: 'test' }), namespace, name })
  const known = await port.read()
  expect(known.generation).toBe(1)
  const say = (reason: string) => ({
    ...({ type: 'MatrixSynced', status: 'True', reason, message: 'm' } as const),
    ...{ observedGeneration: known.generation, lastTransitionTime: '2026-01-01T00:00:00Z' },
  })
  const status = {
    aggregator: { leader: 'pod-1' },
    rooms: { count: 1, unresolved: 0, online: 120 },
    conditions: [
      say('Synced') as never,
      { ...say('AllResolved'), type: 'RoomsResolved' } as never,
      { ...say('StreamWritable'), type: 'StreamReady' } as never,
    ],
  }
  await port.write(status)
  await settle()
  const { status: told } = await read()
  expect(told?.aggregator).toMatchObject({ leader: 'pod-1', leaseTransitions: 7 })
  expect(told?.rooms).toMatchObject({ source: 'Inline', count: 1, online: 120 })
  expect(told?.conditions).toHaveLength(12)
  expect(await condition('MatrixSynced')).toBe('True/Synced')

  // Nobody renews the Lease any more.
  for (let looks = 0; looks < 3; looks++) {
    const { requeueAfterMs } = await round()
    pass(requeueAfterMs)
  }
  expect(await condition('AggregatorAvailable')).toBe('False/NoLeader')
  expect(await condition('MatrixSynced')).toBe('Unknown/LeaderLost')
  expect((await read()).status?.aggregator?.leader).toBe('')
  await hold('2026-01-01T00:00:09.000000Z')
  await settle()
  expect(await condition('MatrixSynced')).toBe('Unknown/LeaderLost')
  await port.write({ ...status, aggregator: { leader: 'pod-2' } })
  const statuses = cluster.statuses
  await settle()
  expect(await condition('MatrixSynced')).toBe('True/Synced')
  expect((await read()).status?.aggregator?.leader).toBe('pod-2')
  expect(cluster.statuses - statuses).toBeLessThanOrEqual(1)
  await port.close()

  // Nothing else may be read or written with these rights.
  const other = openKubeStatus({ door: openKubeDoor({ access, userAgent: 'test' }), namespace, name: 'another' })
  await expect(other.read()).rejects.toThrow('answered 403')
  await expect(other.write(status)).rejects.toThrow('answered 403')
  await other.close()
})
