// Server-side apply, as far as an operator can tell the difference: each manager owns the leaves that it applied; what it leaves out the
// next time goes, unless somebody else owns it too. Lists are whole values, save those whose items are told apart by `type` (conditions)
// or `name` (containers, ports, volumes), as in the API's own schemas.
//
//   live object + intent of one manager -> merged object, and who owns what now

export type Json = string | number | boolean | null | readonly Json[] | Fields
export type Fields = { readonly [key: string]: Json }
/** Leaves by their path: `spec/replicas`, `status/conditions/[type=Ready]/status`. */
export type Owned = ReadonlySet<string>

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const keyed = new Map<string, string>([
  ['conditions', 'type'],
  ['containers', 'name'],
  ['initContainers', 'name'],
  ['env', 'name'],
  ['volumes', 'name'],
  ['ports', 'name'],
  ['volumeMounts', 'mountPath'],
])

/** The field by which the items of a list are told apart; undefined for a list that is one value. */
function keyFieldOf(field: string, items: readonly Json[]): string | undefined {
  const key = keyed.get(field)
  return key !== undefined && items.every((item) => isFields(item) && typeof item[key] === 'string') ? key : undefined
}

/** What is not anybody's intent: the identity of the object, and what the server writes. */
const serverFields = new Set([
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'managedFields',
  'name',
  'namespace',
])

/** Every leaf with its value. */
export function leavesOf(value: Json, path: readonly string[] = []): Map<string, Json> {
  if (isFields(value)) {
    const all = Object.entries(value).filter(
      ([name]) => !(path.length === 1 && path[0] === 'metadata' && serverFields.has(name)),
    )
    const kept = path.length === 0 ? all.filter(([name]) => name !== 'apiVersion' && name !== 'kind') : all
    if (all.length > 0) return new Map(kept.flatMap(([name, inner]) => [...leavesOf(inner, [...path, escape(name)])]))
  }
  if (Array.isArray(value)) {
    const items = value as readonly Json[]
    const key = keyFieldOf(path.at(-1) ?? '', items)
    if (key !== undefined && items.length > 0)
      return new Map(
        items.flatMap((item) => [...leavesOf(item, [...path, `[${key}=${escape(textOf((item as Fields)[key]))}]`])]),
      )
  }
  return new Map([[path.join('/'), value]])
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')
const escape = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1')
const unescape = (name: string): string => name.replaceAll('~1', '/').replaceAll('~0', '~')

/** The same object with these leaves put in and those taken out; what has become empty by that goes too. */
export function withLeaves(object: Fields, put: ReadonlyMap<string, Json>, take: Iterable<string>): Fields {
  let changed: Json = object
  // What an item is told apart by goes last: until then it has to be found.
  const all = [...take]
  const inOrder = [...all.filter((path) => !isKey(path)), ...all.filter(isKey)]
  for (const path of inOrder) changed = edit(changed, path.split('/'), undefined) ?? {}
  for (const [path, value] of put) changed = edit(changed, path.split('/'), value) ?? {}
  return changed as Fields
}

const isKey = (path: string): boolean => /\[([^=[\]/]+)=[^/]*\]\/\1$/.test(path)

function edit(node: Json | undefined, [step, ...rest]: readonly string[], value: Json | undefined): Json | undefined {
  if (step === undefined) return value
  const item = /^\[([^=]+)=(.*)\]$/s.exec(step)
  if (item !== null) {
    const [, key = '', name = ''] = item
    const items = Array.isArray(node) ? (node as readonly Json[]) : []
    const isIt = (one: Json): boolean => isFields(one) && one[key] === unescape(name)
    const after = edit(items.find(isIt), rest, value)
    const others = items.some(isIt)
      ? items.flatMap((one) => (isIt(one) ? (isEmptyItem(after) ? [] : [after as Json]) : [one]))
      : // A new one begins with what it is told apart by.
        [...items, ...(isFields(after) ? [{ [key]: unescape(name), ...after }] : [])]
    return others.length === 0 && value === undefined ? undefined : others
  }
  const fields = isFields(node) ? node : {}
  const name = unescape(step)
  const after = edit(fields[name], rest, value)
  const others = Object.fromEntries(Object.entries(fields).filter(([one]) => one !== name))
  if (after === undefined) return Object.keys(others).length === 0 && value === undefined ? undefined : others
  return { ...fields, [name]: after }
}

const isEmptyItem = (item: Json | undefined): boolean =>
  item === undefined || (isFields(item) && Object.keys(item).length === 0)

export type Applied = { readonly object: Fields; readonly owned: Owned }

/** @param others what all other managers own. */
export function applyTo(live: Fields, intent: Fields, before: Owned, others: Owned): Applied {
  const leaves = leavesOf(intent)
  const gone = [...before].filter((path) => !leaves.has(path) && !others.has(path) && !isWithin(path, leaves))
  return { object: withLeaves(live, leaves, gone), owned: new Set(leaves.keys()) }
}

/** A leaf that has become a branch, or lies below one that has become a leaf. */
const isWithin = (path: string, leaves: ReadonlyMap<string, Json>): boolean =>
  [...leaves.keys()].some((leaf) => path.startsWith(`${leaf}/`) || leaf.startsWith(`${path}/`))

/** As in managedFields: `{ "f:spec": { "f:replicas": {} } }`. */
export function fieldsV1(owned: Owned): Fields {
  const root: Record<string, Json> = {}
  for (const path of owned) {
    let node = root
    for (const step of path.split('/')) {
      const item = /^\[([^=]+)=(.*)\]$/s.exec(step)
      const name =
        item === null ? `f:${unescape(step)}` : `k:${JSON.stringify({ [item[1] ?? '']: unescape(item[2] ?? '') })}`
      node[name] ??= {}
      node = node[name] as Record<string, Json>
    }
  }
  return root
}
