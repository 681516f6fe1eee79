import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { KubeObject } from './kube-object.ts'
import { createObjectCache } from './object-cache.ts'

const anyObject: fc.Arbitrary<KubeObject> = fc
  .record({
    name: fc.constantFrom('a', 'b', 'c'),
    uid: fc.constantFrom('1', '2'),
    resourceVersion: fc.constantFrom('7', '8', '9'),
  })
  .map(({ name, uid, resourceVersion }) => {
    // One version has one content.
    const owners = [...(resourceVersion === '8' ? [] : ['x']), ...(uid === '1' ? ['y'] : [])]
    const ownerReferences = owners.map((owner) => ({ apiVersion: 'v1', kind: 'A', name: owner, uid: owner }))
    return {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace: 'city', uid, resourceVersion, ownerReferences },
    }
  })
const anyAct = fc.oneof(
  fc.record({ put: anyObject }),
  fc.record({ remove: anyObject }),
  fc.record({ replace: fc.array(anyObject, { maxLength: 4 }) }),
)
const nameOf = ({ metadata }: KubeObject): string => metadata.name
const nameOfEither = (a: KubeObject | undefined, b: KubeObject | undefined) => (a ?? b)?.metadata.name ?? ''

it('[OV1] it holds what a plain table would hold, its owners by a walk over all, and tells every difference once', () => {
  fc.assert(
    fc.property(fc.array(anyAct, { maxLength: 40 }), (acts) => {
      const cache = createObjectCache(({ metadata }) => (metadata.ownerReferences ?? []).map(({ uid }) => uid))
      let twin = new Map<string, KubeObject>()
      acts.forEach((act) => {
        const before = new Map(twin)
        let changes
        if ('put' in act) {
          changes = cache.put(act.put)
          twin.set(nameOf(act.put), act.put)
        } else if ('remove' in act) {
          changes = cache.remove(act.remove)
          if (twin.get(nameOf(act.remove))?.metadata.uid === act.remove.metadata.uid) twin.delete(nameOf(act.remove))
        } else {
          changes = cache.replace(act.replace)
          twin = new Map(act.replace.map((object) => [nameOf(object), object]))
        }
        const version = (one: KubeObject | undefined) => [one?.metadata.uid, one?.metadata.resourceVersion]
        const differing = ['a', 'b', 'c'].filter(
          (name) => JSON.stringify(version(before.get(name))) !== JSON.stringify(version(twin.get(name))),
        )
        expect(changes.map(({ before: old, after }) => nameOfEither(after, old)).sort()).toEqual(differing)
        for (const { before: old, after } of changes) {
          const name = nameOfEither(after, old)
          expect(version(old)).toEqual(version(before.get(name)))
          expect(version(after)).toEqual(version(twin.get(name)))
        }
        expect(cache.all().map(version).sort()).toEqual([...twin.values()].map(version).sort())
        for (const owner of ['x', 'y'])
          expect(cache.ofGroup(owner).map(nameOf).sort()).toEqual(
            [...twin.values()]
              .filter(({ metadata }) => metadata.ownerReferences?.some(({ uid }) => uid === owner))
              .map(nameOf)
              .sort(),
          )
      })
    }),
    { numRuns: 500 },
  )
})
