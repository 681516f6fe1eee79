// Is an object as it is wanted? Compared are the fields that are wanted; what others add beside them is theirs.
//
//   wanted { replicas: 2, template: … }  covers?  live { replicas: 2, template: …, strategy: <default>, status: … }   yes
//
// Lists that the API merges by a key (containers, ports, volumes, variables) are compared entry by entry, others as a whole.
// An amount in another spelling (1000m for 1) reads as a difference; the apply that follows changes nothing, and is remembered.
import { isFields } from './kube-object.ts'

/** By what the entries of lists are told apart, the first that all entries have, each its own. */
const listKeys = ['uid', 'name', 'mountPath', 'containerPort'] as const

export function covers(live: unknown, wanted: unknown): boolean {
  if (wanted === undefined) return true
  // The API leaves out what is empty.
  if (live === undefined || live === null) return isEmpty(wanted)
  if (Array.isArray(wanted)) return Array.isArray(live) && coversList(live, wanted)
  if (isFields(wanted)) return isFields(live) && Object.entries(wanted).every(([key, one]) => covers(live[key], one))
  return live === wanted
}

const isEmpty = (value: unknown): boolean =>
  value === null || (typeof value === 'object' && Object.keys(value).length === 0)

function coversList(live: readonly unknown[], wanted: readonly unknown[]): boolean {
  const key = listKeys.find((one) => isKeyOf(one, wanted))
  if (key === undefined)
    return live.length === wanted.length && wanted.every((entry, index) => covers(live[index], entry))
  const there = new Map(live.filter(isFields).map((entry) => [entry[key], entry]))
  return wanted.every((entry) => covers(there.get((entry as Readonly<Record<string, unknown>>)[key]), entry))
}

function isKeyOf(key: string, entries: readonly unknown[]): boolean {
  const values = entries.map((entry) => (isFields(entry) ? entry[key] : undefined))
  return values.every((value) => value !== undefined) && new Set(values).size === values.length
}
