// What the API server gives as a CityPresence, with every default and within every limit of the schema, or a sentence about what is
// wrong. The server has judged it already; but the CRD that it judged by may be an older one, or somebody may have loosened it.
import { accept, refuse, type Result } from '@citypresence/chassis/core/result'
import { cityPresence, type CityPresence } from './city-presence.ts'
import { isFields, type KubeObject } from './kube-object.ts'
import type { OpenApi } from './schema.ts'

export function readCity(object: KubeObject): Result<CityPresence> {
  const spec = cityPresence.openapi.properties?.['spec'] ?? {}
  const filled = { ...object, spec: withDefaults(spec, object['spec'] ?? {}) }
  const problem = problemIn(spec, filled.spec, 'spec')
  // Every field was looked at by the schema that the type is made from.
  return problem === undefined ? accept(filled as unknown as CityPresence) : refuse(problem)
}

/** As the API server fills them in: a default counts where its object is there. */
export function withDefaults(schema: OpenApi, value: unknown): unknown {
  if (Array.isArray(value) && schema.items !== undefined) {
    const { items } = schema
    return value.map((one) => withDefaults(items, one))
  }
  if (!isFields(value) || schema.properties === undefined) return value
  const filled: Record<string, unknown> = { ...value }
  for (const [name, field] of Object.entries(schema.properties)) {
    if (filled[name] === undefined && field.default !== undefined) filled[name] = field.default
    if (filled[name] !== undefined) filled[name] = withDefaults(field, filled[name])
  }
  return filled
}

// A list or map without its bound in the schema has none.
const endless = Number.POSITIVE_INFINITY

function problemIn(schema: OpenApi, value: unknown, path: string): string | undefined {
  const { properties = {}, required = [], items, additionalProperties } = schema
  const own = problemOf(schema, value)
  if (own !== undefined) return `${path} ${own}`
  if (Array.isArray(value) && items !== undefined)
    return firstOf(value.map((one, index) => () => problemIn(items, one, `${path}[${index}]`)))
  if (!isFields(value)) return undefined
  const missing = required.find((name) => value[name] === undefined)
  if (missing !== undefined) return `${path}.${missing} is missing`
  return firstOf(
    Object.entries(value).map(([name, one]) => () => {
      const field = properties[name] ?? additionalProperties
      return field === undefined || one === undefined ? undefined : problemIn(field, one, `${path}.${name}`)
    }),
  )
}

function firstOf(looks: readonly (() => string | undefined)[]): string | undefined {
  for (const look of looks) {
    const problem = look()
    if (problem !== undefined) return problem
  }
  return undefined
}

/** Completes a sentence that begins with the path. */
function problemOf(schema: OpenApi, value: unknown): string | undefined {
  const { type, pattern, minimum = -endless, maximum = endless } = schema
  if (type !== undefined && !isOf(type, value)) return `has to be of the type ${type}`
  if (schema.enum !== undefined && !schema.enum.includes(String(value)))
    return `has to be one of ${schema.enum.join(', ')}`
  if (typeof value === 'number' && (value < minimum || value > maximum))
    return `has to be from ${minimum} to ${maximum}`
  if (typeof value === 'string') {
    if (!fits(value.length, schema.minLength, schema.maxLength)) return 'is too short or too long'
    if (pattern !== undefined && !new RegExp(pattern, 'u').test(value)) return `has to match ${pattern}`
  }
  if (Array.isArray(value) && !fits(value.length, schema.minItems, schema.maxItems))
    return 'has too few or too many entries'
  if (isFields(value) && !fits(Object.keys(value).length, undefined, schema.maxProperties))
    return 'has too many entries'
  return undefined
}

const fits = (size: number, min = 0, max = endless): boolean => size >= min && size <= max

function isOf(type: NonNullable<OpenApi['type']>, value: unknown): boolean {
  switch (type) {
    case 'object':
      return isFields(value)
    case 'array':
      return Array.isArray(value)
    case 'integer':
      return Number.isSafeInteger(value)
    case 'string':
    case 'boolean':
      return typeof value === type
  }
}
