// Who the pods are and what they may: the aggregator its one Lease and its part of the status, the gateway nothing at all.
import { group, plural, type CityPresence } from '../city-presence.ts'
import type { KubeObject } from '../kube-object.ts'
import { childOf, nameOf, type Component } from './metadata.ts'

export const account = (city: CityPresence, component: Component): KubeObject =>
  childOf(city, {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    name: nameOf(city, component),
    component,
    // Whoever needs a token says so in its pod.
    automountServiceAccountToken: false,
  })

/** Made here, because the aggregator may not make any; who holds it is written by the aggregators alone. */
export const lease = (city: CityPresence): KubeObject =>
  childOf(city, {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    name: nameOf(city, 'aggregator'),
    component: 'aggregator',
  })

export const role = (city: CityPresence): KubeObject =>
  childOf(city, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    name: nameOf(city, 'aggregator'),
    component: 'aggregator',
    rules: [
      {
        apiGroups: ['coordination.k8s.io'],
        resources: ['leases'],
        resourceNames: [nameOf(city, 'aggregator')],
        verbs: ['get', 'update', 'watch'],
      },
      {
        apiGroups: [group],
        resources: [`${plural}/status`],
        resourceNames: [city.metadata.name],
        // What stands there is read once, for the times of conditions that stay as they are.
        verbs: ['get', 'patch'],
      },
    ],
  })

export const roleBinding = (city: CityPresence): KubeObject =>
  childOf(city, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    name: nameOf(city, 'aggregator'),
    component: 'aggregator',
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: nameOf(city, 'aggregator') },
    subjects: [{ kind: 'ServiceAccount', name: nameOf(city, 'aggregator'), namespace: city.metadata.namespace }],
  })
