import fc from 'fast-check'
import { expect, it } from 'vitest'
import { controllerOf, keyOf, readObject, refOf, type ObjectRef } from './kube-object.ts'

const anyName = fc.stringMatching(/^[a-z0-9]([a-z0-9.-]{0,20}[a-z0-9])?$/)
const anyRef: fc.Arbitrary<ObjectRef> = fc.record(
  {
    apiVersion: fc.constantFrom('v1', 'apps/v1', 'presence.daarion.city/v1alpha1'),
    kind: fc.constantFrom('Service', 'Deployment', 'CityPresence'),
    namespace: anyName,
    name: anyName,
    uid: fc.uuid(),
  },
  { requiredKeys: ['apiVersion', 'kind', 'name'] },
)
const place = ({ apiVersion, kind, namespace, name }: ObjectRef) => [apiVersion, kind, namespace, name]

it('[OK1] two references have one key exactly when they mean one place', () => {
  fc.assert(
    fc.property(anyRef, anyRef, (a, b) => {
      expect(keyOf(a) === keyOf(b)).toBe(JSON.stringify(place(a)) === JSON.stringify(place(b)))
      expect(keyOf({ ...a, uid: 'another' })).toBe(keyOf(a))
    }),
  )
})

it('[OK1] what was sent is read whole, with the kind that was asked for, and refers to itself', () => {
  fc.assert(
    fc.property(anyRef, fc.dictionary(fc.string(), fc.jsonValue()), (ref, fields) => {
      const metadata = { uid: 'u', resourceVersion: '7', ...ref, apiVersion: undefined, kind: undefined }
      const sent = JSON.parse(JSON.stringify({ ...fields, metadata })) as Record<string, unknown>
      const read = readObject(sent, ref)
      expect(read).toEqual({ ok: true, value: { ...sent, apiVersion: ref.apiVersion, kind: ref.kind } })
      if (read.ok) expect(refOf(read.value)).toEqual({ uid: 'u', ...ref })
    }),
  )
})

it('[OK1] any JSON is read or refused with a reason', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (json) => {
      const read = readObject(json, { apiVersion: 'v1', kind: 'Service' })
      expect(read.ok || read.problem.startsWith('has no') || read.problem === 'is no object').toBe(true)
    }),
  )
  const refusal = (metadata: unknown) => readObject({ metadata }, { apiVersion: 'v1', kind: 'Service' })
  expect(refusal({ name: 'a', uid: '' })).toEqual({ ok: false, problem: 'has no metadata.uid' })
  expect(refusal(['a'])).toEqual({ ok: false, problem: 'has no metadata' })
})

it('[OK1] of several owners the controller is the one that says so', () => {
  const owner = { apiVersion: 'v1', kind: 'A', name: 'a', uid: '1' }
  const object = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'a' } }
  expect(controllerOf({ ...object, metadata: { name: 'a', ownerReferences: [owner] } })).toBeUndefined()
  const controller = { ...owner, uid: '2', controller: true }
  expect(controllerOf({ ...object, metadata: { name: 'a', ownerReferences: [owner, controller] } })).toBe(controller)
  expect(controllerOf(object)).toBeUndefined()
})
