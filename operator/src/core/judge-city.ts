// What is so and what is not, as far as the operator can see: from the objects as they are, the Lease and the Secrets. One function a
// condition; each answers a reason and a sentence with the values.
import type { CityPresence } from './city-presence.ts'
import type { SecretFile } from './desired-objects/secrets.ts'
import { nameOf, type Component } from './desired-objects/metadata.ts'
import { isFields, type KubeObject } from './kube-object.ts'
import type { Judgement, Numbers } from './status.ts'

/** What the one question about a Secret brought; `unknown` where the operator may not ask. */
export type SecretFinding = {
  readonly secret: string
  /** The keys that it has; `missing` where it is not there. */
  readonly keys: readonly string[] | 'missing' | 'unknown'
}

export function judgeReferences(files: readonly SecretFile[], findings: readonly SecretFinding[]): Judgement {
  const found = new Map(findings.map(({ secret, keys }) => [secret, keys]))
  const missing = files.find(({ secret }) => found.get(secret) === 'missing')
  if (missing !== undefined)
    return { reason: 'SecretNotFound', message: `${missing.field}: there is no Secret ${missing.secret}` }
  const keyless = files.find(({ secret, key }) => {
    const keys = found.get(secret)
    return Array.isArray(keys) && !keys.includes(key)
  })
  if (keyless !== undefined)
    return {
      reason: 'SecretKeyMissing',
      message: `${keyless.field}: the Secret ${keyless.secret} has no key ${keyless.key}`,
    }
  const dark = files.find(({ secret }) => !Array.isArray(found.get(secret)))
  if (dark !== undefined)
    return {
      reason: 'SecretsNotReadable',
      message: `${dark.field}: the operator may not look at the Secret ${dark.secret}; where it or a key is missing, the pods say so`,
    }
  return { reason: 'SecretsFound', message: `${new Set(files.map(({ secret }) => secret)).size} Secrets are there` }
}

type Seen = { readonly city: CityPresence; readonly objects: readonly KubeObject[] }

export const findChild = ({ city, objects }: Seen, kind: string, name: string): KubeObject | undefined =>
  objects.find(
    (one) => one.kind === kind && one.metadata.name === name && one.metadata.namespace === city.metadata.namespace,
  )

const deploymentOf = (seen: Seen, component: Component): KubeObject | undefined =>
  findChild(seen, 'Deployment', nameOf(seen.city, component))

function numberIn(object: KubeObject | undefined, part: 'spec' | 'status', field: string): number {
  const fields = object?.[part]
  const value = isFields(fields) ? fields[field] : undefined
  return typeof value === 'number' ? value : 0
}

export function countPods(seen: Seen): Numbers {
  const aggregator = deploymentOf(seen, 'aggregator')
  const gateway = deploymentOf(seen, 'gateway')
  const transitions = specOf(leaseOf(seen))['leaseTransitions']
  return {
    aggregator: {
      replicas: numberIn(aggregator, 'status', 'replicas'),
      readyReplicas: numberIn(aggregator, 'status', 'readyReplicas'),
    },
    gateway: {
      replicas: numberIn(gateway, 'status', 'replicas'),
      readyReplicas: numberIn(gateway, 'status', 'readyReplicas'),
      updatedReplicas: numberIn(gateway, 'status', 'updatedReplicas'),
    },
    leaseTransitions: typeof transitions === 'number' ? transitions : undefined,
  }
}

const specOf = (object: KubeObject | undefined): Readonly<Record<string, unknown>> =>
  isFields(object?.['spec']) ? object['spec'] : {}

const leaseOf = (seen: Seen): KubeObject | undefined => findChild(seen, 'Lease', nameOf(seen.city, 'aggregator'))

export function judgeAggregator(seen: Seen, isLeaseSilent: boolean): Judgement {
  const lease = leaseOf(seen)
  const holder = specOf(lease)['holderIdentity']
  if (deploymentOf(seen, 'aggregator') === undefined)
    return { reason: 'Pending', message: 'no aggregator was made yet' }
  // Nobody ever held it: somebody is about to, while pods are being made.
  if (
    holder === undefined &&
    isRolling(deploymentOf(seen, 'aggregator')) &&
    !isStalled(deploymentOf(seen, 'aggregator'))
  )
    return { reason: 'Pending', message: 'no aggregator has led yet' }
  if (typeof holder !== 'string' || holder === '')
    return { reason: 'NoLeader', message: `nobody holds the Lease ${nameOf(seen.city, 'aggregator')}` }
  if (isLeaseSilent)
    return { reason: 'NoLeader', message: `who holds the Lease ${nameOf(seen.city, 'aggregator')} does not renew it` }
  return { reason: 'LeaderElected', message: 'an aggregator leads and renews its Lease' }
}

export function judgeGateway(seen: Seen): Judgement {
  const { gateway } = seen.city.spec
  if (deploymentOf(seen, 'gateway') === undefined) return { reason: 'Pending', message: 'no gateway was made yet' }
  if (gateway.replicas === 0 && gateway.autoscaling === undefined)
    return { reason: 'ScaledToZero', message: 'spec.gateway.replicas is 0' }
  const { readyReplicas, replicas } = countPods(seen).gateway
  return readyReplicas > 0
    ? { reason: 'GatewaysReady', message: 'at least one gateway is ready' }
    : { reason: 'NoGatewayReady', message: `0 of ${replicas} gateways are ready` }
}

export function judgeProgress(seen: Seen): Judgement {
  const parts = (['aggregator', 'gateway'] as const).map((component) => ({
    component,
    deployment: deploymentOf(seen, component),
  }))
  const stalled = parts.find(({ deployment }) => isStalled(deployment))
  if (stalled !== undefined)
    return {
      reason: 'RolloutStalled',
      message: `new pods of ${nameOf(seen.city, stalled.component)} do not become ready`,
    }
  const rolling = parts.filter(({ deployment }) => isRolling(deployment))
  if (rolling.length > 0)
    return {
      reason: 'RollingOut',
      message: `pods of ${rolling.map(({ component }) => nameOf(seen.city, component)).join(' and ')} are made or replaced`,
    }
  return { reason: 'RolloutComplete', message: 'all pods run what the spec asks for' }
}

/** As `kubectl rollout status` reckons. */
function isRolling(deployment: KubeObject | undefined): boolean {
  if (deployment === undefined) return true
  const seenGeneration = numberIn(deployment, 'status', 'observedGeneration')
  const updated = numberIn(deployment, 'status', 'updatedReplicas')
  return (
    seenGeneration < (deployment.metadata.generation ?? 0) ||
    updated < numberIn(deployment, 'spec', 'replicas') ||
    numberIn(deployment, 'status', 'replicas') > updated ||
    numberIn(deployment, 'status', 'availableReplicas') < updated
  )
}

const isStalled = (deployment: KubeObject | undefined): boolean =>
  conditionsIn(deployment?.['status']).some(
    ({ type, reason }) => type === 'Progressing' && reason === 'ProgressDeadlineExceeded',
  )

type Fields = Readonly<Record<string, unknown>>

function conditionsIn(status: unknown): readonly Fields[] {
  const conditions = isFields(status) ? status['conditions'] : undefined
  return Array.isArray(conditions) ? conditions.filter(isFields) : []
}

export function judgeRoute(seen: Seen, hasHttpRoute: boolean): Judgement {
  const { exposure } = seen.city.spec.gateway
  if (exposure === undefined) return { reason: 'NotExposed', message: 'spec.gateway.exposure asks for no way in' }
  if (exposure.ingress !== undefined) return judgeIngress(findChild(seen, 'Ingress', nameOf(seen.city, 'gateway')))
  if (!hasHttpRoute)
    return {
      reason: 'RouteKindMissing',
      message: 'spec.gateway.exposure.httpRoute: the cluster does not know HTTPRoute',
    }
  return judgeHttpRoute(
    findChild(seen, 'HTTPRoute', nameOf(seen.city, 'gateway')),
    exposure.httpRoute?.parentRefs.length,
  )
}

function judgeIngress(ingress: KubeObject | undefined): Judgement {
  const status = ingress?.['status']
  const balancer = isFields(status) ? status['loadBalancer'] : undefined
  const points = isFields(balancer) ? balancer['ingress'] : undefined
  return Array.isArray(points) && points.length > 0
    ? { reason: 'RouteReady', message: 'the Ingress has an address' }
    : { reason: 'RoutePending', message: 'the Ingress has no address yet' }
}

function judgeHttpRoute(route: KubeObject | undefined, wanted = 1): Judgement {
  const status = route?.['status']
  const parents = isFields(status) && Array.isArray(status['parents']) ? status['parents'].filter(isFields) : []
  const said = parents.map(conditionsIn)
  const refusal = said
    .flat()
    .find(({ status: is, type }) => is === 'False' && (type === 'Accepted' || type === 'ResolvedRefs'))
  if (refusal !== undefined)
    return {
      reason: 'RouteRefused',
      message: `the HTTPRoute: ${String(refusal['reason'])}: ${String(refusal['message'])}`,
    }
  const accepted = said.filter((one) => one.some(({ type, status: is }) => type === 'Accepted' && is === 'True'))
  return accepted.length >= wanted
    ? { reason: 'RouteReady', message: 'every Gateway has taken up the HTTPRoute' }
    : { reason: 'RoutePending', message: `${accepted.length} of ${wanted} Gateways have taken up the HTTPRoute` }
}
