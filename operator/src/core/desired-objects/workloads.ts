// The two Deployments, and how many of their pods may be missing at once.
import type { CityPresence } from '../city-presence.ts'
import type { KubeObject } from '../kube-object.ts'
import type { Context } from './context.ts'
import { childOf, nameOf, selectorOf, type Component } from './metadata.ts'
import { podTemplate } from './pods.ts'
import { ports } from './settings.ts'

// Flush, last acknowledgement, the Lease let go: each part has ten seconds, and needs milliseconds.
const aggregatorGraceSeconds = 30
// Beside the sleep and the drain: the parts that stop after it.
const gatewayStopSeconds = 15

export function aggregatorDeployment(city: CityPresence, context: Context): KubeObject {
  const { aggregator } = city.spec
  const template = podTemplate(city, context, {
    component: 'aggregator',
    image: context.images.aggregator,
    settings: aggregator,
    ports: [{ name: 'admin', containerPort: ports.aggregatorAdmin }],
    hasToken: true,
    graceSeconds: aggregatorGraceSeconds,
    preStopSleepSeconds: 0,
  })
  return deployment(city, 'aggregator', { replicas: aggregator.replicas, template })
}

/** `replicas` undefined: an autoscaler has taken them over, and nobody else names them. */
export function gatewayDeployment(city: CityPresence, context: Context, replicas: number | undefined): KubeObject {
  const { gateway } = city.spec
  const { preStopSleepSeconds, closePeriodSeconds } = gateway.drain
  const template = podTemplate(city, context, {
    component: 'gateway',
    image: context.images.gateway,
    settings: gateway,
    ports: [
      { name: 'socket', containerPort: ports.socket },
      { name: 'admin', containerPort: ports.gatewayAdmin },
    ],
    hasToken: false,
    graceSeconds: preStopSleepSeconds + closePeriodSeconds + gatewayStopSeconds,
    preStopSleepSeconds,
  })
  return deployment(city, 'gateway', { ...(replicas !== undefined && { replicas }), template })
}

function deployment(city: CityPresence, component: Component, spec: Readonly<Record<string, unknown>>): KubeObject {
  return childOf(city, {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    name: nameOf(city, component),
    component,
    spec: {
      selector: { matchLabels: selectorOf(city, component) },
      // Nobody goes before the next one is ready.
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: 0 } },
      revisionHistoryLimit: 3,
      ...spec,
    },
  })
}

export const disruptionBudget = (city: CityPresence, component: Component): KubeObject =>
  childOf(city, {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    name: nameOf(city, component),
    component,
    spec: {
      maxUnavailable: 1,
      // A pod that does not work anyway must not hold up a node that is emptied.
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
      selector: { matchLabels: selectorOf(city, component) },
    },
  })
