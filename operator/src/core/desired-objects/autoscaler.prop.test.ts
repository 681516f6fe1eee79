import fc from 'fast-check'
import { expect, it } from 'vitest'
import { anyCity, contextOf } from '../../testing/cities.ts'
import { autoscaler } from './autoscaler.ts'

it('[OD12] an autoscaler is there where it is asked for, goes by connections only where somebody serves them, and takes one a minute away', () => {
  fc.assert(
    fc.property(anyCity, fc.boolean(), (city, customMetrics) => {
      const wish = city.spec.gateway.autoscaling
      const made = autoscaler(city, contextOf({ cluster: { ...contextOf().cluster, customMetrics } }))
      expect(made === undefined).toBe(wish === undefined)
      if (made === undefined || wish === undefined) return
      const spec = made['spec'] as { metrics: { type: string }[]; behavior: { scaleDown: object } }
      expect(spec).toMatchObject({ minReplicas: wish.minReplicas, maxReplicas: wish.maxReplicas })
      expect(spec.metrics.map(({ type }) => type)).toEqual(customMetrics ? ['Pods', 'Resource'] : ['Resource'])
      expect(spec.behavior.scaleDown).toMatchObject({ policies: [{ type: 'Pods', value: 1, periodSeconds: 60 }] })
    }),
  )
})
