// The autoscaler of the gateways: by connections where the cluster serves that number, by processor time in any case.
import type { CityPresence } from '../city-presence.ts'
import type { KubeObject } from '../kube-object.ts'
import type { Context } from './context.ts'
import { childOf, nameOf } from './metadata.ts'

export function autoscaler(city: CityPresence, { cluster }: Context): KubeObject | undefined {
  const wish = city.spec.gateway.autoscaling
  if (wish === undefined) return undefined
  const byConnections = {
    type: 'Pods',
    pods: {
      metric: { name: 'citypresence_gateway_connections' },
      target: { type: 'AverageValue', averageValue: String(wish.targetConnectionsPerReplica) },
    },
  }
  const byProcessor = {
    type: 'Resource',
    resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: wish.targetCPUUtilizationPercent } },
  }
  return childOf(city, {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    name: nameOf(city, 'gateway'),
    component: 'gateway',
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: nameOf(city, 'gateway') },
      minReplicas: wish.minReplicas,
      maxReplicas: wish.maxReplicas,
      metrics: cluster.customMetrics ? [byConnections, byProcessor] : [byProcessor],
      behavior: {
        scaleDown: {
          stabilizationWindowSeconds: wish.scaleDownStabilizationWindowSeconds,
          // Each that goes sends its browsers to the others: one after the other.
          policies: [{ type: 'Pods', value: 1, periodSeconds: 60 }],
        },
      },
    },
  })
}
