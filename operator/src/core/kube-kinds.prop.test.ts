import fc from 'fast-check'
import { expect, it } from 'vitest'
import { kindOf, kinds, pathOf, type KubeKind } from './kube-kinds.ts'

const all = Object.values<KubeKind>(kinds)
const anyKind = fc.constantFrom(...all)
const anyText = fc
  .string({ minLength: 1, maxLength: 20 })
  .filter((text) => encodable(text) && text !== '.' && text !== '..')

function encodable(text: string): boolean {
  try {
    return encodeURIComponent(text) !== ''
  } catch {
    return false
  }
}

it('[OK2] an object lies at one path, and no name leads out of it', () => {
  fc.assert(
    fc.property(anyKind, anyText, anyText, (kind, namespace, name) => {
      const path = pathOf(kind, { namespace, name, subresource: 'status' })
      const parts = path.split('/')
      expect(parts.slice(-5)).toEqual(
        ['namespaces', namespace, kind.plural, name, 'status'].map((part) => encodeURIComponent(part)),
      )
      expect(new URL(path, 'https://host').pathname).toBe(path)
      expect(pathOf(kind, { namespace }) + `/${encodeURIComponent(name)}/status`).toBe(path)
    }),
  )
})

it('[OK2] the core group has a root of its own, all namespaces have no namespace, and each kind is found again', () => {
  expect(pathOf(kinds.Service, { namespace: 'city', name: 'a' })).toBe('/api/v1/namespaces/city/services/a')
  expect(pathOf(kinds.CityPresence, {})).toBe('/apis/presence.daarion.city/v1alpha1/citypresences')
  for (const kind of all) expect(kindOf(kind)).toBe(kind)
  expect(kindOf({ apiVersion: 'v1', kind: 'Node' })).toBeUndefined()
})
