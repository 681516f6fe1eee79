import fc from 'fast-check'
import { expect, it } from 'vitest'
import { anySpec, cityOf, smallSpec } from '../testing/cities.ts'
import { apiVersion, kind } from './city-presence.ts'
import { readCity } from './read-city.ts'

const metadata = { name: 'daarion', namespace: 'city', uid: 'u', resourceVersion: '1', generation: 1 }
const read = (spec: unknown) => readCity({ apiVersion, kind, metadata, spec })

it('[OS8] what was written stays, with every default beside it, and read once more it is the same', () => {
  fc.assert(
    fc.property(anySpec, (spec) => {
      const once = cityOf(spec)
      expect(once.spec).toMatchObject(spec)
      expect(cityOf(once.spec)).toEqual(once)
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
  expect(problem({ ...smallSpec, matrix: undefined })).toBe('spec.matrix is required')
  expect(problem({ ...smallSpec, aggregator: { replicas: 6 } })).toBe('spec.aggregator.replicas must be at most 5')
  expect(problem({ ...smallSpec, networkPolicy: 'On' })).toBe('spec.networkPolicy must be one of Disabled, Managed')
  expect(problem({ ...smallSpec, nats: { servers: [] } })).toBe('spec.nats.servers must have at least 1')
  expect(problem('all of it')).toBe('spec must be an object')
})
