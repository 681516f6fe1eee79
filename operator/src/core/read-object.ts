// Reads an object as its schema says, as the API server would: fills in defaults, and names every place that is not as it should
// be. The API server does both before anybody sees an object; a CRD that is older or younger than the operator does not.
// Rules in CEL are not asked here.
import type { OpenApi } from './schema.ts'

export type Problem = { readonly path: string; readonly says: string }

// Enough to correct an object by; more would only be more of the same.
const problemsMax = 20

/** `value` with every default that its schema has for it. Nothing is taken away. */
export function withDefaults(schema: OpenApi, value: unknown): unknown {
  if (Array.isArray(value)) {
    const { items } = schema
    return items === undefined ? value : value.map((item) => withDefaults(items, item))
  }
  if (!isRecord(value)) return value
  const filled: Record<string, unknown> = { ...value }
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    const given = Object.hasOwn(value, name) ? value[name] : field.default
    // A null stands for "left out", where the field may not be null and has a default.
    const chosen = given === null && field.default !== undefined ? field.default : given
    if (chosen !== undefined) filled[name] = withDefaults(field, chosen)
  }
  return filled
}

/** What is not as the schema says; nothing where all is well. */
export function problemsOf(schema: OpenApi, value: unknown, path = ''): readonly Problem[] {
  return [...judge(schema, value, path)].slice(0, problemsMax)
}

function judge(schema: OpenApi, value: unknown, path: string): Problem[] {
  if (schema['x-kubernetes-int-or-string'] === true) return judgeIntOrString(schema, value, path)
  switch (schema.type) {
    case 'string':
      return typeof value === 'string' ? judgeText(schema, value, path) : wrong(path, 'must be text')
    case 'integer':
      return Number.isSafeInteger(value)
        ? judgeNumber(schema, Number(value), path)
        : wrong(path, 'must be a whole number')
    case 'boolean':
      return typeof value === 'boolean' ? [] : wrong(path, 'must be true or false')
    case 'array':
      return Array.isArray(value) ? judgeList(schema, value, path) : wrong(path, 'must be a list')
    default:
      return isRecord(value) ? judgeRecord(schema, value, path) : wrong(path, 'must be an object')
  }
}

const wrong = (path: string, says: string): Problem[] => [{ path, says }]

function judgeIntOrString(schema: OpenApi, value: unknown, path: string): Problem[] {
  if (Number.isSafeInteger(value)) return []
  return typeof value === 'string' ? judgeText(schema, value, path) : wrong(path, 'must be a whole number or text')
}

function judgeText(
  { enum: words, minLength = 0, maxLength, pattern }: OpenApi,
  value: string,
  path: string,
): Problem[] {
  // The API server counts code points.
  const { length } = Array.from(value)
  if (words?.includes(value) === false) return wrong(path, `must be one of ${words.join(', ')}`)
  if (length < minLength) return wrong(path, 'must not be empty')
  if (maxLength !== undefined && length > maxLength) return wrong(path, `may have at most ${maxLength} characters`)
  if (pattern !== undefined && !new RegExp(pattern, 'u').test(value)) return wrong(path, `must match ${pattern}`)
  return []
}

function judgeNumber({ minimum, maximum }: OpenApi, value: number, path: string): Problem[] {
  if (minimum !== undefined && value < minimum) return wrong(path, `must be at least ${minimum}`)
  if (maximum !== undefined && value > maximum) return wrong(path, `must be at most ${maximum}`)
  return []
}

function judgeList(schema: OpenApi, value: readonly unknown[], path: string): Problem[] {
  const { items, minItems = 0, maxItems } = schema
  if (value.length < minItems) return wrong(path, `must have at least ${minItems}`)
  if (maxItems !== undefined && value.length > maxItems) return wrong(path, `may have at most ${maxItems}`)
  const inItems = items === undefined ? [] : value.flatMap((item, index) => judge(items, item, `${path}[${index}]`))
  return [...inItems, ...repeated(schema, value, path)]
}

function repeated(schema: OpenApi, value: readonly unknown[], path: string): Problem[] {
  const keys = schema['x-kubernetes-list-map-keys']
  const identify = (item: unknown): string =>
    JSON.stringify(keys === undefined ? item : keys.map((key) => (isRecord(item) ? item[key] : undefined)))
  if (schema['x-kubernetes-list-type'] === 'atomic') return []
  return new Set(value.map(identify)).size === value.length ? [] : wrong(path, 'must not have the same twice')
}

function judgeRecord(schema: OpenApi, value: Readonly<Record<string, unknown>>, path: string): Problem[] {
  const { properties = {}, additionalProperties, required = [], maxProperties } = schema
  const at = (name: string): string => (path === '' ? name : `${path}.${name}`)
  const missing = required
    .filter((name) => value[name] === undefined)
    .map((name) => ({ path: at(name), says: 'is required' }))
  if (maxProperties !== undefined && Object.keys(value).length > maxProperties)
    return wrong(path, `may have at most ${maxProperties}`)
  const wrongInside = Object.entries(value).flatMap(([name, item]) => {
    const field = Object.hasOwn(properties, name) ? properties[name] : additionalProperties
    return field === undefined || item === undefined ? [] : judge(field, item, at(name))
  })
  return [...missing, ...wrongInside]
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
