import fc from 'fast-check'
import { expect, it } from 'vitest'
import { anySpec, cityOf, smallSpec } from '../testing/cities.ts'
import { apiVersion, cityPresence, kind } from './city-presence.ts'
import { readCity, withDefaults } from './read-city.ts'

const metadata = { name: 'daarion', namespace: 'city', uid: 'u', resourceVersion: '1', generation: 1 }
const read = (spec: unknown) => readCity({ apiVersion, kind, metadata, spec })

it('[OS8] what has its defaults keeps them, and nothing that was written is changed', () => {
  const schema = cityPresence.openapi.properties?.['spec'] ?? {}
  fc.assert(
    fc.property(anySpec, (spec) => {
      const once = withDefaults(schema, spec)
      expect(withDefaults(schema, once)).toEqual(once)
      expect(once).toMatchObject(spec)
    }),
  )
})

it('[OS8] a spec with anything in the place of a field is read or refused with the path, and never throws', () => {
  const paths = Object.keys(smallSpec)
  fc.assert(
    fc.property(fc.constantFrom(...paths), fc.anything({ maxDepth: 2 }), (field, value) => {
      const answer = read({ ...smallSpec, [field]: value })
      if (!answer.ok) expect(answer.problem).toMatch(/^spec/)
    }),
  )
})

it('[OS8] defaults that an older CRD did not know are filled in; what is missing, too large or no choice is named', () => {
  expect(cityOf().spec.gateway.drain).toEqual({ preStopSleepSeconds: 10, closePeriodSeconds: 60 })
  const problem = (spec: unknown): string => {
    const answer = read(spec)
    return answer.ok ? '' : answer.problem
  }
  expect(problem({ ...smallSpec, matrix: undefined })).toBe('spec.matrix is missing')
  expect(problem({ ...smallSpec, aggregator: { replicas: 6 } })).toBe('spec.aggregator.replicas has to be from 1 to 5')
  expect(problem({ ...smallSpec, networkPolicy: 'On' })).toBe('spec.networkPolicy has to be one of Disabled, Managed')
  expect(problem({ ...smallSpec, nats: { servers: [] } })).toBe('spec.nats.servers has too few or too many entries')
  expect(problem('all of it')).toBe('spec has to be of the type object')
})
