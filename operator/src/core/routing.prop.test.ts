import fc from 'fast-check'
import { expect, it } from 'vitest'
import { citiesToLookAt, cityKeyOf, groupsOf, labelGroup, ownerGroup } from './routing.ts'
import type { KubeObject } from './kube-object.ts'

const anyName = fc.constantFrom('a', 'b')
const anyObject: fc.Arbitrary<KubeObject> = fc
  .record({
    kind: fc.constantFrom('CityPresence', 'Lease', 'Service'),
    name: anyName,
    uid: fc.constantFrom('1', '2'),
    owner: fc.option(anyName),
    label: fc.option(anyName),
    generation: fc.nat(2),
    spec: fc.record({ x: fc.nat(2), renewTime: fc.nat(2) }),
    status: fc.nat(3),
  })
  .map(({ kind, name, uid, owner, label, generation, spec, status }) => ({
    apiVersion: 'v1',
    kind,
    metadata: {
      name,
      namespace: 'city',
      uid,
      generation,
      ...(label === null ? {} : { labels: { 'app.kubernetes.io/instance': label } }),
      ...(owner === null
        ? {}
        : {
            ownerReferences: [
              { apiVersion: 'v1', kind: 'CityPresence', name: owner, uid: `of-${owner}`, controller: true },
            ],
          }),
    },
    spec,
    status,
  }))

const concerned = ({ kind, metadata }: KubeObject): string[] =>
  (kind === 'CityPresence'
    ? [metadata.name]
    : [metadata.ownerReferences?.[0]?.name, metadata.labels?.['app.kubernetes.io/instance']]
  ).flatMap((name) => (name === undefined ? [] : [`city/${name}`]))

it('[OC1] what comes or goes is news for the city that it is, that owns it or whose label it carries', () => {
  fc.assert(
    fc.property(anyObject, (object) => {
      const expected = [...new Set(concerned(object))].sort()
      expect([...citiesToLookAt({ before: undefined, after: object })].sort()).toEqual(expected)
      expect([...citiesToLookAt({ before: object, after: undefined })].sort()).toEqual(expected)
    }),
  )
})

it('[OC1] of a change both sides are told, save where only a status or the renewal of a Lease differs', () => {
  fc.assert(
    fc.property(anyObject, anyObject, (before, other) => {
      const after = { ...other, kind: before.kind, metadata: { ...other.metadata, name: before.metadata.name } }
      const both = [...new Set([...concerned(before), ...concerned(after)])].sort()
      const told = [...citiesToLookAt({ before, after })].sort()
      if (before.metadata.uid !== after.metadata.uid || before.kind === 'Service') expect(told).toEqual(both)
      else expect([[], both]).toContainEqual(told)
      const withStatus = { ...before, status: 'another' }
      expect(citiesToLookAt({ before, after: withStatus }).length > 0).toBe(
        before.kind === 'Service' && both.length >= 0 && concerned(before).length > 0,
      )
      const spec = before['spec'] as { readonly x: number }
      const changed = { ...before, spec: { ...spec, x: spec.x + 1 } }
      expect([...citiesToLookAt({ before, after: changed })].sort()).toEqual([...new Set(concerned(before))].sort())
      const renewed = { ...before, spec: { ...spec, renewTime: 'later' } }
      expect(citiesToLookAt({ before, after: renewed }).length).toBe(
        before.kind === 'Lease' ? 0 : new Set(concerned(before)).size,
      )
    }),
  )
})

it('[OC1] an object is found again by its owners and by its city', () => {
  fc.assert(
    fc.property(anyObject, (object) => {
      const groups = groupsOf(object)
      for (const { uid } of object.metadata.ownerReferences ?? []) expect(groups).toContain(ownerGroup(uid))
      const label = object.metadata.labels?.['app.kubernetes.io/instance']
      if (label !== undefined) expect(groups).toContain(labelGroup(`city/${label}`))
      expect(cityKeyOf(object)).toBe(`city/${object.metadata.name}`)
    }),
  )
})
