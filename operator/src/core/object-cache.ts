// All objects of one kind that the operator watches, as they were last told, with an index by group: by owner, by city.
//
//   list  -> replace(all) -> what came, changed or went since        watch -> put, remove -> that one change
//
// An object of the same name with another uid is another object: who had to do with the first has to look, and so has who has to do
// with the second. Its size is that of what the API server stores of this kind under our selector.
import { keyOf, refOf, type KubeObject } from './kube-object.ts'

export type Change = { readonly before: KubeObject | undefined; readonly after: KubeObject | undefined }

export type ObjectCache = {
  replace(objects: readonly KubeObject[], nowMs: number): readonly Change[]
  put(object: KubeObject, nowMs: number): readonly Change[]
  remove(object: KubeObject): readonly Change[]
  get(key: string): KubeObject | undefined
  /** When this version of it came, on our own clock: the only age of anything that can be trusted. */
  seenAtMs(key: string): number | undefined
  ofGroup(group: string): readonly KubeObject[]
  all(): readonly KubeObject[]
}

/** @param groupsOf which groups an object belongs to; asked of one version it always answers the same. */
export function createObjectCache(groupsOf: (object: KubeObject) => readonly string[]): ObjectCache {
  const objects = new Map<string, { readonly object: KubeObject; readonly seenAtMs: number }>()
  const groups = new Map<string, Set<string>>()

  const index = (key: string, object: KubeObject, isThere: boolean): void => {
    for (const group of groupsOf(object)) {
      const keys = groups.get(group) ?? new Set()
      if (isThere) keys.add(key)
      else keys.delete(key)
      if (keys.size === 0) groups.delete(group)
      else groups.set(group, keys)
    }
  }
  const set = (after: KubeObject | undefined, key: string, nowMs: number): readonly Change[] => {
    const before = objects.get(key)?.object
    // Told once more is no news.
    if (before !== undefined && after !== undefined && isSame(before, after)) return []
    if (before !== undefined) index(key, before, false)
    if (after !== undefined) index(key, after, true)
    if (after === undefined) objects.delete(key)
    else objects.set(key, { object: after, seenAtMs: nowMs })
    return before === undefined && after === undefined ? [] : [{ before, after }]
  }
  return {
    replace(all, nowMs) {
      const told = new Map(all.map((object) => [keyOf(refOf(object)), object]))
      const gone = [...objects.keys()].filter((key) => !told.has(key))
      return [
        ...gone.flatMap((key) => set(undefined, key, nowMs)),
        ...[...told].flatMap(([key, object]) => set(object, key, nowMs)),
      ]
    },
    put: (object, nowMs) => set(object, keyOf(refOf(object)), nowMs),
    remove(object) {
      const key = keyOf(refOf(object))
      // One that was deleted before the one that is there now was made.
      const there = objects.get(key)?.object
      return there?.metadata.uid === object.metadata.uid ? set(undefined, key, 0) : []
    },
    get: (key) => objects.get(key)?.object,
    seenAtMs: (key) => objects.get(key)?.seenAtMs,
    ofGroup: (group) =>
      [...(groups.get(group) ?? [])].flatMap((key) => {
        const found = objects.get(key)
        return found === undefined ? [] : [found.object]
      }),
    all: () => [...objects.values()].map(({ object }) => object),
  }
}

const isSame = (a: KubeObject, b: KubeObject): boolean =>
  a.metadata.uid === b.metadata.uid && a.metadata.resourceVersion === b.metadata.resourceVersion
