import fc from 'fast-check'
import { expect, it } from 'vitest'
import { anyCity, anySpec, cityOf, contextOf, smallSpec } from '../testing/cities.ts'
import { isMadeFor, placeOf } from './desired-objects/metadata.ts'
import { desiredObjects, rememberDesired } from './desired.ts'

it('[OP2] all that a city is made of is in its namespace, owned by it and marked; nothing lies in one place twice', () => {
  fc.assert(
    fc.property(anyCity, (city) => {
      const all = desiredObjects(city, contextOf(), 2)
      expect(all.filter((one) => !isMadeFor(city, one))).toEqual([])
      expect(new Set(all.map(placeOf)).size).toBe(all.length)
    }),
  )
})

it('[OP2] two cities of one namespace have nothing in common', () => {
  const name = fc.stringMatching(/^[a-z]([-a-z0-9]{0,10}[a-z0-9])?$/)
  fc.assert(
    fc.property(fc.uniqueArray(name, { minLength: 2, maxLength: 2 }), (names) => {
      const places = names.flatMap((one) =>
        desiredObjects(cityOf(smallSpec, { name: one }), contextOf(), 2).map(placeOf),
      )
      expect(new Set(places).size).toBe(places.length)
    }),
  )
})

it('[OD16] the smallest city is two Deployments and what they need, and nothing that was not asked for', () => {
  const made = desiredObjects(cityOf(), contextOf(), 2).map(({ kind, metadata }) => `${kind} ${metadata.name}`)
  expect(made).toEqual([
    'ConfigMap daarion-aggregator',
    'ConfigMap daarion-gateway',
    'ServiceAccount daarion-aggregator',
    'ServiceAccount daarion-gateway',
    'Role daarion-aggregator',
    'RoleBinding daarion-aggregator',
    'Lease daarion-aggregator',
    'Deployment daarion-aggregator',
    'Deployment daarion-gateway',
    'Service daarion-gateway',
    'PodDisruptionBudget daarion-aggregator',
    'PodDisruptionBudget daarion-gateway',
  ])
})

it('[OD19] what is remembered is what would be made, whatever becomes another in between', () => {
  const step = fc.record({
    spec: anySpec,
    isSame: fc.boolean(),
    replicas: fc.constantFrom(undefined, 1, 2),
    hasRoutes: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 8 }), (steps) => {
      const remembered = rememberDesired()
      let generation = 1
      let city = cityOf()
      for (const { spec, isSame, replicas, hasRoutes } of steps) {
        if (!isSame) city = cityOf(spec, { generation: ++generation })
        const context = contextOf({ cluster: { ...contextOf().cluster, httpRoute: hasRoutes } })
        const made = remembered(city, context, replicas)
        expect(made).toEqual(desiredObjects(city, context, replicas))
        expect(remembered({ ...city, metadata: { ...city.metadata, resourceVersion: 'x' } }, context, replicas)).toBe(
          made,
        )
      }
    }),
    { numRuns: 50 },
  )
})
