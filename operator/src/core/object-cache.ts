// All objects of one kind that the operator watches, as they were last told, with an index by group: by owner, by city.
//
//   list  -> replace(all) -> what came, changed or went since        watch -> put, remove -> that one change
//
// An object of the same name with another uid is another object: who had to do with the first has to look, and so has who has to do
// with the second. Its size is that of what the API server stores of this kind under our selector.
import { keyOf, refOf, type KubeObject } from './kube-object.ts'

export type Change = { readonly before: KubeObject | undefined; readonly after: KubeObject | undefined }

export type ObjectCache = {
  replace(objects: readonly KubeObject[]): readonly Change[]
  put(object: KubeObject): readonly Change[]
  remove(object: KubeObject): readonly Change[]
  get(key: string): KubeObject | undefined
  ofGroup(group: string): readonly KubeObject[]
  all(): readonly KubeObject[]
}

/** @param groupsOf which groups an object belongs to; asked of one version it always answers the same. */
export function createObjectCache(groupsOf: (object: KubeObject) => readonly string[]): ObjectCache {
  const objects = new Map<string, KubeObject>()
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
  const set = (after: KubeObject | undefined, key: string): readonly Change[] => {
    const before = objects.get(key)
    // Told once more is no news.
    if (before !== undefined && after !== undefined && isSame(before, after)) return []
    if (before !== undefined) index(key, before, false)
    if (after !== undefined) index(key, after, true)
    if (after === undefined) objects.delete(key)
    else objects.set(key, after)
    return before === undefined && after === undefined ? [] : [{ before, after }]
  }
  return {
    replace(all) {
      const told = new Map(all.map((object) => [keyOf(refOf(object)), object]))
      const gone = [...objects.keys()].filter((key) => !told.has(key))
      return [...gone.flatMap((key) => set(undefined, key)), ...[...told].flatMap(([key, object]) => set(object, key))]
    },
    put: (object) => set(object, keyOf(refOf(object))),
    remove(object) {
      const key = keyOf(refOf(object))
      // One that was deleted before the one that is there now was made.
      const there = objects.get(key)
      return there?.metadata.uid === object.metadata.uid ? set(undefined, key) : []
    },
    get: (key) => objects.get(key),
    ofGroup: (group) =>
      [...(groups.get(group) ?? [])].flatMap((key) => {
        const found = objects.get(key)
        return found === undefined ? [] : [found]
      }),
    all: () => [...objects.values()],
  }
}

const isSame = (a: KubeObject, b: KubeObject): boolean =>
  a.metadata.uid === b.metadata.uid && a.metadata.resourceVersion === b.metadata.resourceVersion
