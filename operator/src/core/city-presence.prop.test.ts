// The fields as a whole: what every one of them has, and what none may have.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { fullCity, otherCity } from '../testing/full-city.ts'
import { pathText, placesIn } from '../testing/schema-walk.ts'
import { cityPresence, type CityPresence } from './city-presence.ts'
import { firstCity } from './example-city.ts'
import { withDefaults } from './read-object.ts'
import type { OpenApi } from './schema.ts'

const all = placesIn(cityPresence.openapi, undefined)

it('[API4] every text, list, map and number has a limit, and every field a sentence', () => {
  const bound = ({
    type,
    maxLength,
    enum: words,
    maxItems,
    maximum,
    maxProperties,
    additionalProperties,
  }: OpenApi): boolean => {
    if (type === 'string') return words !== undefined || maxLength !== undefined
    if (type === 'array') return maxItems !== undefined
    if (type === 'integer') return maximum !== undefined
    return additionalProperties === undefined || maxProperties !== undefined
  }
  expect(all.filter(({ schema }) => !bound(schema)).map(({ path }) => pathText(path))).toEqual([])
  expect(
    all.filter(({ schema }) => !/\S[.!]$/.test(schema.description ?? '')).map(({ path }) => pathText(path)),
  ).toEqual([])
})

it('[API4] a sentence has no mark that a table of the page could not hold', () => {
  fc.assert(
    fc.property(fc.constantFrom(...all), ({ schema }) => {
      expect(schema.description).not.toMatch(/[\n|]/)
      for (const { message } of schema['x-kubernetes-validations'] ?? []) expect(message).not.toMatch(/[\n|]/)
    }),
  )
})

it('[API10] no field gives a say in what runs, or as whom', () => {
  const forbidden =
    /image|command|args|^env|account|privileg|capabilit|volume|hostPath|hostNetwork|securityContext|priorityClass|runtimeClass|initContainer|sidecar/i
  const names = all.flatMap(({ path }) => path.filter((part) => typeof part === 'string'))
  expect([...new Set(names)].filter((name) => forbidden.test(name))).toEqual([])
  // What is handed on as it is says where pods run, and nothing else.
  const asItIs = all.filter(({ schema }) => schema['x-kubernetes-preserve-unknown-fields'] === true)
  expect(asItIs.map(({ path }) => path.at(-1))).toEqual(['affinity', 'affinity'])
})

it('[API5] a default is one that the fields inside would give too', () => {
  for (const { path, schema } of all)
    if (schema.default !== undefined)
      expect(withDefaults(schema, schema.default), pathText(path)).toEqual(schema.default)
})

it('[API5] the type has what the defaults fill in', () => {
  const city = withDefaults(cityPresence.openapi, firstCity) as CityPresence
  expect(city.spec.gateway.replicas).toBe(2)
  expect(city.spec.aggregator.leaderElection).toEqual({
    leaseDurationSeconds: 6,
    renewDeadlineSeconds: 4,
    retryPeriodSeconds: 1,
  })
  expect(city.spec.nats.stream.name).toBe('CITY_PRESENCE')
  expect(city.spec.gateway.autoscaling).toBeUndefined()
  expect([fullCity, otherCity].every(({ spec }) => spec.gateway.allowedOrigins !== undefined)).toBe(true)
})
