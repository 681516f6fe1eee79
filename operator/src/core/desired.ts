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
    networkPolicy(city, 'aggregator'),
    networkPolicy(city, 'gateway'),
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
    dashboard(city),
  ]
  return wanted.filter((one) => one !== undefined)
}
