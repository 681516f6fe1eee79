// Everything that a city is made of, in the order in which it is applied: who and what first, then what runs, then the way in.
//
//   (city, context, replicas of the gateway) -> ConfigMaps, accounts, rights, Lease -> Deployments -> Service, route -> the rest
import type { CityPresence } from './city-presence.ts'
import { autoscaler } from './desired-objects/autoscaler.ts'
import type { Context } from './desired-objects/context.ts'
import { alertRules, dashboard, podMonitor } from './desired-objects/monitoring.ts'
import { networkPolicy } from './desired-objects/network-policies.ts'
import { gatewayService, httpRoute, ingress } from './desired-objects/network.ts'
import { account, lease, role, roleBinding } from './desired-objects/rights.ts'
import { roomsMap, settingsMap } from './desired-objects/settings.ts'
import { aggregatorDeployment, disruptionBudget, gatewayDeployment } from './desired-objects/workloads.ts'
import { canonical } from './fingerprint.ts'
import type { KubeObject } from './kube-object.ts'

export function desiredObjects(
  city: CityPresence,
  context: Context,
  gatewayReplicas: number | undefined,
): readonly KubeObject[] {
  const wanted = [
    settingsMap(city, 'aggregator'),
    settingsMap(city, 'gateway'),
    roomsMap(city),
    account(city, 'aggregator'),
    account(city, 'gateway'),
    role(city),
    roleBinding(city),
    lease(city),
    networkPolicy(city, 'aggregator', context),
    networkPolicy(city, 'gateway', context),
    aggregatorDeployment(city, context),
    gatewayDeployment(city, context, gatewayReplicas),
    gatewayService(city),
    ingress(city),
    httpRoute(city, context),
    disruptionBudget(city, 'aggregator'),
    disruptionBudget(city, 'gateway'),
    autoscaler(city, context),
    podMonitor(city, context, 'aggregator'),
    podMonitor(city, context, 'gateway'),
    alertRules(city, context),
    dashboard(city, context),
  ]
  return wanted.filter((one) => one !== undefined)
}

// With and without replicas, and those of before.
const rememberedMax = 4

/** The same for one city, made once while nothing is another that it is made from: it takes a millisecond, and is asked for often. */
export function rememberDesired(): typeof desiredObjects {
  const made = new Map<string, readonly KubeObject[]>()
  return (city, context, gatewayReplicas) => {
    const { uid, generation } = city.metadata
    const key = canonical([uid, generation, gatewayReplicas, context])
    const known = made.get(key)
    if (known !== undefined) return known
    if (made.size >= rememberedMax) made.clear()
    const objects = desiredObjects(city, context, gatewayReplicas)
    made.set(key, objects)
    return objects
  }
}
