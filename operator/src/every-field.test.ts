// No field is a promise that nobody keeps: another value somewhere is another city.
import { expect, it } from 'vitest'
import { cityPresence, type WrittenCityPresence } from './core/city-presence.ts'
import { desiredObjects } from './core/desired.ts'
import type { OpenApi } from './core/schema.ts'
import { cityOf, contextOf } from './testing/cities.ts'
import { fourthCity, fullCity, otherCity, thirdCity } from './testing/full-city.ts'
import { pathText, placesIn, withAt, type Place } from './testing/schema-walk.ts'

const specSchema: OpenApi = cityPresence.openapi.properties?.['spec'] ?? {}

/** Whether the city exists at all for Unmanaged is asked in core/plan; how the address of the homeserver is judged, in the CRD. */
const decidedElsewhere = new Set(['managementState', 'matrix.transport'])

const context = contextOf({ cluster: { ...contextOf().cluster, customMetrics: true } })

const madeOf = (spec: unknown): string => {
  const city = cityOf(spec as WrittenCityPresence['spec'])
  return JSON.stringify(
    desiredObjects(city, context, city.spec.gateway.autoscaling ? undefined : city.spec.gateway.replicas),
  )
}

/** Another value that the schema takes. */
function another({ schema, value }: Place): unknown {
  if (schema.enum !== undefined) return schema.enum.find((word) => word !== value)
  if (schema.type === 'integer') return value === schema.maximum ? schema.minimum : Number(value) + 1
  if (schema['x-kubernetes-int-or-string'] === true) return '7'
  if (schema.type === 'object') return { nodeAffinity: { changed: true } }
  return `${String(value)}x`
}

const isLeaf = ({ schema }: Place): boolean =>
  schema['x-kubernetes-preserve-unknown-fields'] === true ||
  (schema.properties === undefined && schema.items === undefined && schema.additionalProperties === undefined)

it('[API12] every field ends in something: with another value the city is made of other objects', () => {
  const idle = new Map<string, boolean>()
  const cities = [fullCity, otherCity, thirdCity, fourthCity].map(({ spec }) => spec)
  for (const spec of cities) {
    const before = madeOf(spec)
    for (const place of placesIn(specSchema, spec)) {
      if (!isLeaf(place) || place.value === undefined) continue
      const name = pathText(place.path).replaceAll(/\[\d+\]/g, '[]')
      const isIdle = madeOf(withAt(spec, place.path, another(place))) === before
      idle.set(name, isIdle && (idle.get(name) ?? true))
    }
  }
  expect(idle.size).toBeGreaterThan(120)
  expect([...idle].filter(([name, isIdle]) => isIdle && !decidedElsewhere.has(name)).map(([name]) => name)).toEqual([])
})
