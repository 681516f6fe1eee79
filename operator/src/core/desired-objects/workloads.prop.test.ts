import fc from 'fast-check'
import { expect, it } from 'vitest'
import { anyCity, contextOf } from '../../testing/cities.ts'
import { selectorOf } from './metadata.ts'
import { aggregatorDeployment, disruptionBudget, gatewayDeployment } from './workloads.ts'

type Spec = {
  replicas?: number
  selector: { matchLabels: object }
  strategy: { rollingUpdate: object }
  template: { metadata: { labels: object }; spec: { terminationGracePeriodSeconds: number } }
}

it('[OD10] a gateway is given its sleep, its drain and a rest to leave in; nobody goes before the next one is ready', () => {
  fc.assert(
    fc.property(anyCity, fc.option(fc.nat(500), { nil: undefined }), (city, replicas) => {
      const gateway = gatewayDeployment(city, contextOf(), replicas)['spec'] as Spec
      const { preStopSleepSeconds, closePeriodSeconds } = city.spec.gateway.drain
      const grace = gateway.template.spec.terminationGracePeriodSeconds
      expect(grace).toBe(preStopSleepSeconds + closePeriodSeconds + 15)
      expect(gateway.replicas).toBe(replicas)
      const aggregator = aggregatorDeployment(city, contextOf())['spec'] as Spec
      expect(aggregator.replicas).toBe(city.spec.aggregator.replicas)
      for (const { strategy, selector, template } of [gateway, aggregator]) {
        expect(strategy.rollingUpdate).toEqual({ maxSurge: '25%', maxUnavailable: 0 })
        expect(template.metadata.labels).toMatchObject(selector.matchLabels)
      }
    }),
  )
})

it('[OD10] one pod at a time may be taken away, and one that does not work at any time', () => {
  fc.assert(
    fc.property(anyCity, fc.constantFrom('aggregator' as const, 'gateway' as const), (city, component) => {
      expect(disruptionBudget(city, component)['spec']).toEqual({
        maxUnavailable: 1,
        unhealthyPodEvictionPolicy: 'AlwaysAllow',
        selector: { matchLabels: selectorOf(city, component) },
      })
    }),
  )
})
