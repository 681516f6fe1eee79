import fc from 'fast-check'
import { expect, it } from 'vitest'
import { anyCity, cityOf, smallSpec } from '../testing/cities.ts'
import { reasons, type Reason } from './conditions.ts'
import { childOf } from './desired-objects/metadata.ts'
import { secretFiles } from './desired-objects/secrets.ts'
import { countPods, judgeAggregator, judgeGateway, judgeProgress, judgeReferences, judgeRoute } from './judge-city.ts'
import type { KubeObject } from './kube-object.ts'

const city = cityOf()
const object = (kind: string, name: string, fields: object, generation = 1): KubeObject => {
  const made = childOf(city, { apiVersion: 'v1', kind, name, ...fields })
  return { ...made, metadata: { ...made.metadata, generation } }
}
const deployment = (component: string, status: object, replicas = 2): KubeObject =>
  object('Deployment', `daarion-${component}`, { spec: { replicas }, status })
const lease = (spec: object): KubeObject => object('Lease', 'daarion-aggregator', { spec })

it('[OS1] Secrets: missing before without its key before not known, each with its field; found only when all are', () => {
  const state = fc.constantFrom('missing', 'unknown', 'no key', 'good')
  fc.assert(
    fc.property(anyCity, fc.array(state, { minLength: 3, maxLength: 3 }), (one, states) => {
      const files = secretFiles(one)
      const names = [...new Set(files.map(({ secret }) => secret))]
      const stateOf = (name: string) => states[names.indexOf(name)] ?? 'good'
      const findings = names.map((secret) => ({
        secret,
        keys:
          stateOf(secret) === 'missing' || stateOf(secret) === 'unknown'
            ? (stateOf(secret) as 'missing' | 'unknown')
            : stateOf(secret) === 'good'
              ? files.map(({ key }) => key)
              : ['another'],
      }))
      const has = (which: string) => names.some((name) => stateOf(name) === which)
      const { reason, message } = judgeReferences(files, findings)
      expect(reason).toBe(
        has('missing')
          ? 'SecretNotFound'
          : has('no key')
            ? 'SecretKeyMissing'
            : has('unknown')
              ? 'SecretsNotReadable'
              : 'SecretsFound',
      )
      if (reason !== 'SecretsFound') expect(message).toMatch(/^spec\./)
    }),
  )
})

it('[OS1] whatever stands in the objects, every judgement has a reason of its condition and a sentence', () => {
  const fields = fc.record({ spec: fc.anything(), status: fc.anything() }, { requiredKeys: [] })
  const kinds = ['Deployment', 'Lease', 'Ingress', 'HTTPRoute']
  const objects = fc.array(
    fc
      .tuple(fc.constantFrom(...kinds), fc.constantFrom('aggregator', 'gateway'), fields)
      .map(([kind, part, one]) => object(kind, `daarion-${part}`, one)),
  )
  fc.assert(
    fc.property(anyCity, objects, fc.boolean(), (one, all, flag) => {
      const seen = { city: one, objects: all }
      const on = (reason: Reason): readonly string[] => reasons[reason].on
      for (const [type, judgement] of [
        ['AggregatorAvailable', judgeAggregator(seen, flag)],
        ['GatewayAvailable', judgeGateway(seen)],
        ['Progressing', judgeProgress(seen)],
        ['RouteProgrammed', judgeRoute(seen, flag)],
      ] as const) {
        expect(on(judgement.reason)).toContain(type)
        expect(judgement.message).not.toBe('')
      }
      countPods(seen)
    }),
  )
})

it('[OS1] somebody leads when a Lease is held and renewed', () => {
  const reason = (objects: KubeObject[], silent = false) => judgeAggregator({ city, objects }, silent).reason
  const made = deployment('aggregator', {
    observedGeneration: 1,
    replicas: 2,
    updatedReplicas: 2,
    availableReplicas: 2,
  })
  expect(reason([])).toBe('Pending')
  expect(reason([deployment('aggregator', {})])).toBe('Pending')
  expect(reason([made])).toBe('NoLeader')
  expect(reason([made, lease({ holderIdentity: '' })])).toBe('NoLeader')
  expect(reason([made, lease({ holderIdentity: 'pod_1' })])).toBe('LeaderElected')
  expect(reason([made, lease({ holderIdentity: 'pod_1' })], true)).toBe('NoLeader')
})

it('[OS1] gateways, rollouts and routes are told as Kubernetes tells them', () => {
  const gateway = (status: object) => judgeGateway({ city, objects: [deployment('gateway', status)] }).reason
  expect([gateway({ replicas: 2 }), gateway({ replicas: 2, readyReplicas: 1 })]).toEqual([
    'NoGatewayReady',
    'GatewaysReady',
  ])
  const none = cityOf({ ...smallSpec, gateway: { ...smallSpec.gateway, replicas: 0 } })
  expect(judgeGateway({ city: none, objects: [deployment('gateway', {})] }).reason).toBe('ScaledToZero')
  const done = { observedGeneration: 1, replicas: 2, updatedReplicas: 2, availableReplicas: 2 }
  const progress = (status: object) =>
    judgeProgress({ city, objects: [deployment('aggregator', done), deployment('gateway', status)] }).reason
  expect(progress(done)).toBe('RolloutComplete')
  for (const [field, value] of Object.entries({
    observedGeneration: 0,
    replicas: 3,
    updatedReplicas: 1,
    availableReplicas: 1,
  }))
    expect(progress({ ...done, [field]: value })).toBe('RollingOut')
  const stalled = [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' }]
  expect(progress({ ...done, conditions: stalled })).toBe('RolloutStalled')
  const httpRoute = { parentRefs: [{ name: 'g' }], hostnames: ['a.b'] }
  const routed = cityOf({ ...smallSpec, gateway: { ...smallSpec.gateway, exposure: { httpRoute } } })
  const route = (conditions: object[], has = true) =>
    judgeRoute(
      { city: routed, objects: [object('HTTPRoute', 'daarion-gateway', { status: { parents: [{ conditions }] } })] },
      has,
    )
  expect(route([]).reason).toBe('RoutePending')
  expect(route([{ type: 'Accepted', status: 'True' }]).reason).toBe('RouteReady')
  expect(route([{ type: 'ResolvedRefs', status: 'False', reason: 'R', message: 'why' }]).message).toContain('R: why')
  expect(route([], false).reason).toBe('RouteKindMissing')
})
