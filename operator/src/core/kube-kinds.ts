// The kinds of objects that the operator reads or writes, and where they lie at the API server.
import { cityResource } from '@citypresence/wire/city-resource'
import type { ObjectRef } from './kube-object.ts'

export type KubeKind = {
  readonly apiVersion: string
  readonly kind: string
  readonly plural: string
  /** Not every cluster has it: somebody else's CustomResourceDefinition. */
  readonly optional?: true
}

export const kinds = {
  CityPresence: { apiVersion: cityResource.apiVersion, kind: cityResource.kind, plural: cityResource.plural },
  ConfigMap: { apiVersion: 'v1', kind: 'ConfigMap', plural: 'configmaps' },
  ServiceAccount: { apiVersion: 'v1', kind: 'ServiceAccount', plural: 'serviceaccounts' },
  Service: { apiVersion: 'v1', kind: 'Service', plural: 'services' },
  /** Never listed, never watched: at most asked for by name, for the names of its keys. */
  Secret: { apiVersion: 'v1', kind: 'Secret', plural: 'secrets' },
  Event: { apiVersion: 'v1', kind: 'Event', plural: 'events' },
  Role: { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', plural: 'roles' },
  RoleBinding: { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', plural: 'rolebindings' },
  Lease: { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', plural: 'leases' },
  Deployment: { apiVersion: 'apps/v1', kind: 'Deployment', plural: 'deployments' },
  PodDisruptionBudget: { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', plural: 'poddisruptionbudgets' },
  HorizontalPodAutoscaler: {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    plural: 'horizontalpodautoscalers',
  },
  NetworkPolicy: { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', plural: 'networkpolicies' },
  Ingress: { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', plural: 'ingresses' },
  HTTPRoute: { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', plural: 'httproutes', optional: true },
  PodMonitor: { apiVersion: 'monitoring.coreos.com/v1', kind: 'PodMonitor', plural: 'podmonitors', optional: true },
  PrometheusRule: {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    plural: 'prometheusrules',
    optional: true,
  },
} as const satisfies Record<string, KubeKind>

/** The one of this version and kind, where it is one of ours. */
export const kindOf = ({ apiVersion, kind }: Pick<ObjectRef, 'apiVersion' | 'kind'>): KubeKind | undefined =>
  Object.values<KubeKind>(kinds).find((one) => one.apiVersion === apiVersion && one.kind === kind)

export type Place = {
  /** Left out: in all namespaces together. */
  readonly namespace?: string | undefined
  readonly name?: string | undefined
  readonly subresource?: string | undefined
}

/** Where a collection, an object or a part of one is asked for. */
export function pathOf({ apiVersion, plural }: KubeKind, { namespace, name, subresource }: Place): string {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
  const parts = [...(namespace === undefined ? [] : ['namespaces', namespace]), plural, name, subresource]
  return [root, ...parts.filter((part) => part !== undefined).map(encodeURIComponent)].join('/')
}
