// Against a dumb twin: a value that is built from the schema is good, and one that is spoilt in one place is told there.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { fourthCity, fullCity, otherCity, thirdCity } from '../testing/full-city.ts'
import { pathText, placesIn, withAt } from '../testing/schema-walk.ts'
import { cityPresence } from './city-presence.ts'
import { firstCity } from './example-city.ts'
import { problemsOf, withDefaults } from './read-object.ts'
import type { OpenApi } from './schema.ts'

const spec: OpenApi = cityPresence.openapi.properties?.['spec'] ?? {}
const cities = [firstCity, fullCity, otherCity, thirdCity, fourthCity]
const anyCity = fc.constantFrom(...cities.map(({ spec: said }) => said))

it('[API5] filling in twice is filling in once, and takes nothing away', () => {
  fc.assert(
    fc.property(anyCity, (said) => {
      const filled = withDefaults(spec, said)
      expect(withDefaults(spec, filled)).toEqual(filled)
      expect(filled).toMatchObject(said)
    }),
  )
})

it('[API5] whatever it is given, it fills in without throwing', () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => void withDefaults(spec, value)))
})

it('[API9] nothing is found in what is good, with defaults and without', () => {
  for (const { spec: said } of cities) {
    expect(problemsOf(spec, said)).toEqual([])
    expect(problemsOf(spec, withDefaults(spec, said))).toEqual([])
  }
})

const places = cities.flatMap(({ spec: said }) =>
  placesIn(spec, said)
    .filter(({ value, path }) => value !== undefined && path.length > 0)
    .map((place) => ({ ...place, said })),
)

/** A value that is of another kind than the schema says. */
const otherKind = (schema: OpenApi): fc.Arbitrary<unknown> =>
  fc.constantFrom<unknown>('text', 1.5, true, null, ['x'], { a: 1 }).filter((value) => {
    if (schema['x-kubernetes-int-or-string'] === true) return typeof value !== 'string'
    if (schema.type === 'string') return typeof value !== 'string'
    if (schema.type === 'array') return !Array.isArray(value)
    return schema.type !== 'object' || typeof value !== 'object' || value === null || Array.isArray(value)
  })

it('[API9] a value of another kind is told, at its place', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...places).chain((place) => fc.tuple(fc.constant(place), otherKind(place.schema))),
      ([{ path, said }, value]) => {
        expect(problemsOf(spec, withAt(said, path, value)).map(({ path: at }) => at)).toContain(pathText(path))
      },
    ),
    { numRuns: 500 },
  )
})

it('[API9] what is required and missing is told by its name', () => {
  const required = places.flatMap(({ schema, path, said }) =>
    (schema.required ?? []).map((name) => ({ said, path: [...path, name] })),
  )
  expect(required.length).toBeGreaterThan(30)
  for (const { said, path } of required)
    expect(problemsOf(spec, withAt(said, path, undefined))).toContainEqual({
      path: pathText(path),
      says: 'is required',
    })
})

it('[API9] what is too much, too little, twice or no such word is told', () => {
  const found = (at: Parameters<typeof withAt>[1], value: unknown) =>
    problemsOf(spec, withAt(otherCity.spec, at, value))
  expect(found(['gateway', 'replicas'], 501)).toEqual([{ path: 'gateway.replicas', says: 'must be at most 500' }])
  expect(found(['gateway', 'replicas'], -1)).toEqual([{ path: 'gateway.replicas', says: 'must be at least 0' }])
  expect(found(['matrix', 'userID'], '')).toEqual([{ path: 'matrix.userID', says: 'must not be empty' }])
  expect(found(['matrix', 'userID'], '😀'.repeat(255))).toEqual([])
  expect(found(['matrix', 'userID'], '😀'.repeat(256))).toEqual([
    { path: 'matrix.userID', says: 'may have at most 255 characters' },
  ])
  expect(found(['managementState'], 'Sometimes')).toEqual([
    { path: 'managementState', says: 'must be one of Managed, Unmanaged' },
  ])
  expect(found(['nats', 'servers'], [])).toEqual([{ path: 'nats.servers', says: 'must have at least 1' }])
  expect(found(['nats', 'servers'], ['a', 'a'])).toEqual([
    { path: 'nats.servers', says: 'must not have the same twice' },
  ])
  const room = { slug: 'a', matrixRoomID: '!a:b' }
  expect(found(['rooms', 'inline'], [room, { ...room, matrixRoomID: '!b:b' }])).toEqual([
    { path: 'rooms.inline', says: 'must not have the same twice' },
  ])
  const labels = Object.fromEntries(Array.from({ length: 33 }, (_, index) => [`l${index}`, '']))
  expect(found(['gateway', 'podLabels'], labels)).toEqual([{ path: 'gateway.podLabels', says: 'may have at most 32' }])
})

it('[API9] whatever it is given, it finds at most twenty problems and does not throw', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(problemsOf(spec, value).length).toBeLessThanOrEqual(20)
    }),
  )
})
