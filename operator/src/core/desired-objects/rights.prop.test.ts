import fc from 'fast-check'
import { expect, it } from 'vitest'
import { anyCity } from '../../testing/cities.ts'
import { account, lease, role, roleBinding } from './rights.ts'

it('[OD11] the aggregator may get, update and watch its one Lease and get and patch its one status; the gateway has no right at all', () => {
  fc.assert(
    fc.property(anyCity, (city) => {
      const rules = role(city)['rules'] as { resources: string[]; resourceNames: string[]; verbs: string[] }[]
      const rights = rules.map(({ resources, resourceNames, verbs }) =>
        [...resources, ...resourceNames, ...verbs].join(' '),
      )
      expect(rights).toEqual([
        `leases ${city.metadata.name}-aggregator get update watch`,
        `citypresences/status ${city.metadata.name} get patch`,
      ])
      const { roleRef, subjects } = roleBinding(city) as unknown as {
        roleRef: { name: string }
        subjects: { name: string }[]
      }
      expect(roleRef.name).toBe(role(city).metadata.name)
      expect(subjects.map(({ name }) => name)).toEqual([account(city, 'aggregator').metadata.name])
      expect(account(city, 'gateway')['automountServiceAccountToken']).toBe(false)
    }),
  )
})

it('[OD11] who holds the Lease is never named by the operator', () => {
  fc.assert(
    fc.property(anyCity, (city) => {
      expect(Object.keys(lease(city)).sort()).toEqual(['apiVersion', 'kind', 'metadata'])
    }),
  )
})
