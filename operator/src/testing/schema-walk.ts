// Goes through a schema beside a value of it, so that a test can try every field there is.
import type { OpenApi, Rule } from '../core/schema.ts'

export type Place = { readonly path: readonly (string | number)[]; readonly schema: OpenApi; readonly value: unknown }

/** Each node of the schema that the value reaches; of a list or map its first entry. */
export function placesIn(schema: OpenApi, value: unknown, path: Place['path'] = []): readonly Place[] {
  const here: Place = { path, schema, value }
  const inside = (name: string | number, below: OpenApi): readonly Place[] =>
    placesIn(below, (value as Record<string | number, unknown> | undefined)?.[name], [...path, name])
  const properties = Object.entries(schema.properties ?? {}).flatMap(([name, below]) => inside(name, below))
  const items = schema.items === undefined ? [] : inside(0, schema.items)
  const key = Object.keys((value as object | undefined) ?? {})[0] ?? 'key'
  const values = schema.additionalProperties === undefined ? [] : inside(key, schema.additionalProperties)
  return [here, ...properties, ...items, ...values]
}

/** As the API server names a place: spec.rooms.inline[0].slug. */
export const pathText = (path: Place['path']): string =>
  path.reduce<string>(
    (text, part) => (typeof part === 'number' ? `${text}[${part}]` : text === '' ? part : `${text}.${part}`),
    '',
  )

/** The same without numbers: where in the schema it is. */
export const schemaPath = (text: string): string => text.replaceAll(/\[[^\]]*\]/g, '[]')

/** Every rule with the place it stands at. */
export const rulesIn = (schema: OpenApi): readonly { readonly path: string; readonly rule: Rule }[] =>
  placesIn(schema, undefined).flatMap(({ path, schema: at }) =>
    (at['x-kubernetes-validations'] ?? []).map((rule) => ({ path: schemaPath(pathText(path)), rule })),
  )

/** A copy with another value at one place; undefined takes the place away. */
export function withAt(root: unknown, path: Place['path'], value: unknown): unknown {
  const [first, ...rest] = path
  if (first === undefined) return value
  if (typeof first === 'number') {
    const list = [...((root as readonly unknown[] | undefined) ?? [])]
    list[first] = withAt(list[first], rest, value)
    return list
  }
  const { [first]: old, ...others } = { ...(root as Record<string, unknown> | undefined) }
  const next = withAt(old, rest, value)
  return next === undefined ? others : { ...others, [first]: next }
}
