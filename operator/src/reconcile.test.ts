// Rounds of work on a cluster in memory: what is written, how often, and what happens to what somebody else does.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { CityError } from '@citypresence/chassis/errors'
import { apiVersion, kind, type CityStatus } from './core/city-presence.ts'
import type { ConditionType } from './core/conditions.ts'
import { isFields, keyOf } from './core/kube-object.ts'
import { createReconcile } from './reconcile.ts'
import { anySpec, contextOf, smallSpec, type WrittenSpec } from './testing/cities.ts'
import { LittleCluster } from './testing/little-cluster.ts'

const goodSecrets = { 'citypresence-matrix': ['access_token'], 'citypresence-jwt': ['jwt_secret'] }

/** As the edge to the API server gives it. */
const kubeError = (code: string, message: string): Error =>
  Object.assign(new CityError('Unexpected', message), { code })

function start(spec: WrittenSpec = smallSpec, given: Partial<ReturnType<typeof contextOf>> = {}) {
  const cluster = new LittleCluster()
  cluster.secrets = goodSecrets
  let nowMs = 1_000_000
  const clock = { wallMs: () => 1_800_000_000_000 + nowMs, monotonicMs: () => nowMs }
  const write = (next: WrittenSpec, name = 'daarion') =>
    cluster.put({
      ...(cluster.objects.get(keyOf({ apiVersion, kind, namespace: 'city', name })) ?? { apiVersion, kind }),
      apiVersion,
      kind,
      metadata: { name, namespace: 'city' },
      spec: next,
    })
  write(spec)
  let reconcile = createReconcile({ cluster, context: () => contextOf(given), clock })
  return {
    cluster,
    write,
    sleep: (ms: number) => (nowMs += ms),
    /** Everything that it remembered is gone. */
    restart: () => (reconcile = createReconcile({ cluster, context: () => contextOf(given), clock })),
    round: (name = 'daarion') => reconcile.round(cluster.city(name)),
    /** Rounds until nothing is written any more; at most five. */
    settle: async () => {
      for (let rounds = 0; rounds < 5; rounds++) {
        const before = cluster.writes.length + cluster.statuses
        await reconcile.round(cluster.city())
        if (cluster.writes.length + cluster.statuses === before) return rounds
      }
      throw new Error(`not settled: ${cluster.writes.slice(-20).join(' ')}`)
    },
    condition: (type: ConditionType) => {
      const status = cluster.city()['status'] as CityStatus | undefined
      const found = status?.conditions?.find((one) => one.type === type)
      return `${found?.status ?? '-'}/${found?.reason ?? '-'}`
    },
  }
}

it('[OP1] the first round makes everything, the next ones write nothing, also after a restart that forgot all', async () => {
  const { cluster, round, restart, settle } = start()
  await round()
  expect(cluster.writes).toHaveLength(12)
  await settle()
  const [writes, statuses] = [cluster.writes.length, cluster.statuses]
  for (let rounds = 0; rounds < 10; rounds++) await round()
  restart()
  await settle()
  expect([cluster.writes.length, cluster.statuses]).toEqual([writes, statuses])
})

it('[OP1] while the cache is behind, nothing is written twice', async () => {
  const { cluster, round, settle } = start()
  cluster.holdCache(true)
  for (let rounds = 0; rounds < 4; rounds++) await round()
  // The second status tells of what the first round made.
  expect([cluster.writes.length, cluster.statuses]).toEqual([12, 2])
  cluster.holdCache(false)
  await settle()
  expect(cluster.writes).toHaveLength(12)
})

it('[OP1] whatever a city becomes, one after the other, it settles', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anySpec, { minLength: 1, maxLength: 6 }), async (specs) => {
      const { cluster, write, settle } = start(smallSpec, { secretNames: 'any' })
      for (const spec of specs) {
        write(spec)
        await settle()
        const generation = cluster.city().metadata.generation
        expect((cluster.city()['status'] as CityStatus).observedGeneration).toBe(generation)
      }
    }),
    { numRuns: 60 },
  )
})

it('[OP5] what is deleted or changed by hand comes back with the next round, and nothing else is touched', async () => {
  const { cluster, round, settle } = start()
  await settle()
  for (const object of [...cluster.objects.values()].filter((one) => one.kind !== 'CityPresence')) {
    const before = cluster.writes.length
    cluster.objects.delete(keyOf({ ...object, name: object.metadata.name, namespace: 'city' }))
    await round()
    expect(cluster.writes.slice(before)).toEqual([`${object.kind}/${object.metadata.name}`])
    await settle()
  }
  const before = cluster.writes.length
  cluster.put({ ...cluster.find('ConfigMap', 'daarion-gateway'), data: {} })
  await settle()
  expect(cluster.writes.slice(before)).toEqual(['ConfigMap/daarion-gateway'])
})

it('[OP2] an object that the cache does not know and that is somebody else’s is found before anything is made', async () => {
  const { cluster, settle, condition, round } = start()
  const theirs = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'daarion-gateway', namespace: 'city' },
    spec: {},
  }
  cluster.put(theirs)
  const all = cluster.objectsOf.bind(cluster)
  cluster.objectsOf = (city) => all(city).filter(({ kind: what }) => what !== 'Service')
  await settle()
  expect(cluster.writes).toEqual([])
  expect(condition('Accepted')).toBe('False/ResourceConflict')
  expect(condition('Ready')).toBe('False/ResourceConflict')
  cluster.objects.delete(keyOf({ ...theirs, name: 'daarion-gateway', namespace: 'city' }))
  await round()
  expect(cluster.writes).toHaveLength(12)
})

it('[OP4] from replicas to an autoscaler and back the Deployment never falls to one', async () => {
  const gateway = { ...smallSpec.gateway, replicas: 4 }
  const { cluster, write, settle } = start({ ...smallSpec, gateway })
  await settle()
  const seen: unknown[] = []
  const put = cluster.put.bind(cluster)
  cluster.put = (object) => {
    const after = put(object)
    if (after.kind === 'Deployment' && after.metadata.name === 'daarion-gateway' && isFields(after['spec']))
      seen.push(after['spec']['replicas'])
    return after
  }
  write({ ...smallSpec, gateway: { ...gateway, autoscaling: { maxReplicas: 8 } } })
  await settle()
  cluster.scale('daarion-gateway', 6)
  await settle()
  cluster.scale('daarion-gateway', 7)
  await settle()
  write({ ...smallSpec, gateway })
  await settle()
  expect(seen).toEqual([6, 6, 7, 4])
})

it('[OR1] a Secret that is missing, or lacks its key, is named; what is there is made all the same, and looked at again', async () => {
  const { cluster, settle, condition, round, sleep } = start()
  cluster.secrets = {}
  await settle()
  expect(condition('ReferencesResolved')).toBe('False/SecretNotFound')
  expect(condition('Ready')).toBe('False/SecretNotFound')
  expect((await round()).requeueAfterMs).toBe(10_000)
  cluster.secrets = { ...goodSecrets, 'citypresence-jwt': ['other'] }
  sleep(10_000)
  await settle()
  expect(condition('ReferencesResolved')).toBe('False/SecretKeyMissing')
  cluster.secrets = goodSecrets
  await settle()
  expect(condition('ReferencesResolved')).toBe('True/SecretsFound')
})

it('[OP5] a key that somebody adds to the settings of a pod is gone again, also when it came while the city changed', async () => {
  const { cluster, settle, write } = start()
  await settle()
  const before = cluster.find('ConfigMap', 'daarion-aggregator')
  const stain = () => {
    const there = cluster.find('ConfigMap', 'daarion-aggregator')
    cluster.put({ ...there, data: { ...(there['data'] as object), NODE_OPTIONS: '--import data:text/javascript,0' } })
  }
  stain()
  await settle()
  const after = cluster.find('ConfigMap', 'daarion-aggregator')
  expect(after['data']).toEqual(before['data'])
  expect(after.metadata.uid).not.toBe(before.metadata.uid)
  stain()
  write({ ...smallSpec, publishing: { roomMinPeriodMilliseconds: 1 } })
  await settle()
  expect(cluster.find('ConfigMap', 'daarion-aggregator')['data']).not.toHaveProperty('NODE_OPTIONS')
})

/** How often Secrets were asked for. */
function countAsked(cluster: LittleCluster): () => number {
  let asked = 0
  const secretKeys = cluster.secretKeys.bind(cluster)
  cluster.secretKeys = (namespace, name) => {
    asked++
    return secretKeys(namespace, name)
  }
  return () => asked
}

it('[OR1] a Secret that was found is asked for once a minute, and one that is not for cities never', async () => {
  const { cluster, round, settle, sleep, write } = start()
  const asked = countAsked(cluster)
  await settle()
  expect(asked()).toBe(2)
  await round()
  sleep(60_000)
  await round()
  expect(asked()).toBe(4)
  write({ ...smallSpec, matrix: { ...smallSpec.matrix, accessTokenSecretRef: { name: 'root-password' } } })
  await settle()
  expect(asked()).toBe(4)
})

it('[OR1] who may not look into Secrets asks as seldom as who found them, says so, and is no less ready for it', async () => {
  const { cluster, round, settle, sleep, condition } = start()
  cluster.secrets = { 'citypresence-matrix': 'unknown', 'citypresence-jwt': 'unknown' }
  const asked = countAsked(cluster)
  await settle()
  const [writes, statuses] = [cluster.writes.length, cluster.statuses]
  expect(condition('ReferencesResolved')).toBe('Unknown/SecretsNotReadable')
  expect(condition('Ready')).not.toBe('Unknown/SecretsNotReadable')
  // An hour of rounds that come by themselves.
  let rounds = 0
  for (let passedMs = 0; passedMs < 3_600_000; rounds++) {
    const { requeueAfterMs } = await round()
    sleep(requeueAfterMs)
    passedMs += requeueAfterMs
  }
  expect(rounds).toBeLessThanOrEqual(14)
  expect(asked()).toBeLessThanOrEqual(2 * 14)
  expect([cluster.writes.length, cluster.statuses]).toEqual([writes, statuses])
  // The right was given: seen by itself.
  cluster.secrets = goodSecrets
  await round()
  await settle()
  expect(condition('ReferencesResolved')).toBe('True/SecretsFound')
})

it('[OR1] beside one that is missing, those that are good or refused are not asked for again', async () => {
  const { cluster, round, settle, sleep } = start()
  cluster.secrets = { 'citypresence-matrix': 'unknown' }
  await settle()
  const asked = countAsked(cluster)
  sleep(10_000)
  expect((await round()).requeueAfterMs).toBe(10_000)
  expect(asked()).toBe(1)
})

it('[OS4] a Lease that nobody renews is told after it was asked for twice at the server; a new leader ends it', async () => {
  const { cluster, round, settle, sleep, condition } = start()
  await settle()
  const hold = (renewTime: string) =>
    cluster.put({ ...cluster.find('Lease', 'daarion-aggregator'), spec: { holderIdentity: 'pod_1', renewTime } })
  hold('1')
  await settle()
  expect(condition('AggregatorAvailable')).toBe('True/LeaderElected')
  for (let looks = 0; looks < 3; looks++) {
    const { requeueAfterMs } = await round()
    expect(requeueAfterMs).toBeLessThanOrEqual(10_100)
    sleep(requeueAfterMs)
    hold(`renewed-${looks}`)
  }
  await settle()
  expect(condition('AggregatorAvailable')).toBe('True/LeaderElected')
  for (let looks = 0; looks < 3; looks++) sleep((await round()).requeueAfterMs)
  expect(condition('AggregatorAvailable')).toBe('False/NoLeader')
  expect(condition('MatrixSynced')).toBe('Unknown/LeaderLost')
  expect(condition('Ready')).toBe('False/NoLeader')
  hold('again')
  await settle()
  expect(condition('AggregatorAvailable')).toBe('True/LeaderElected')
  expect(condition('MatrixSynced')).toBe('Unknown/LeaderLost')
})

it('[OR2] an object that the server refuses is named in a condition and holds up no other; the rest is tried again', async () => {
  const { cluster, round, settle, condition, sleep, write } = start()
  let asked = 0
  cluster.beforeWrite = (what) => {
    if (what === 'Deployment/daarion-gateway' && ++asked > 0) throw kubeError('KubeRefused', 'spec.affinity is wrong')
  }
  await round()
  await round()
  expect(condition('Accepted')).toBe('False/ApplyRefused')
  expect(cluster.writes).toContain('PodDisruptionBudget/daarion-gateway')
  // The same again only after a minute; something else at once.
  expect(asked).toBe(1)
  write({ ...smallSpec, gateway: { ...smallSpec.gateway, replicas: 3 } })
  await round()
  expect(asked).toBe(2)
  sleep(60_000)
  await round()
  expect(asked).toBe(3)
  sleep(60_000)
  cluster.beforeWrite = () => undefined
  await settle()
  expect(condition('Accepted')).toBe('True/SpecAccepted')
})

it('[OR3] an error at any write ends the round; the rounds after it lead to where they would have led', async () => {
  const calm = start()
  await calm.settle()
  const expected = [...calm.cluster.objects.keys()]
  for (let at = 0; at < 13; at++) {
    const { cluster, round, restart, settle } = start()
    let writes = 0
    cluster.beforeWrite = () => {
      if (writes++ === at) throw kubeError('KubeUnreachable', 'cut')
    }
    await round().catch(() => undefined)
    restart()
    await settle()
    expect([...cluster.objects.keys()].sort()).toEqual([...expected].sort())
  }
})

it('[OS8] a spec that no schema judged is refused in its status, and told once', async () => {
  const { cluster, write, settle, condition } = start()
  write({ ...smallSpec, matrix: undefined } as unknown as WrittenSpec)
  await settle()
  expect(condition('Accepted')).toBe('False/SpecRefused')
  expect([cluster.writes.length, cluster.statuses]).toEqual([0, 1])
})

it('[OS9] events are told with the conditions that turned, and never twice', async () => {
  const { cluster, settle, restart } = start()
  await settle()
  const told = cluster.events.length
  cluster.secrets = {}
  restart()
  await settle()
  expect(cluster.events.slice(told).map(({ reason }) => reason)).toEqual(['SecretNotFound', 'SecretNotFound'])
  restart()
  await settle()
  expect(cluster.events).toHaveLength(told + 2)
})
