import fc from 'fast-check'
import { expect, it } from 'vitest'
import { cityOf, smallSpec } from '../../testing/cities.ts'
import { childOf, intentAnnotation, isMadeFor, isOf, nameOf, placeOf, selectorOf, selectorText } from './metadata.ts'

const cityName = fc.stringMatching(/^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$/)
const parts = ['aggregator', 'gateway', 'rooms', 'alerts', 'dashboard'] as const

it('[OD5] no name of one city is a name of another, and each leaves room for what Kubernetes adds to names of pods', () => {
  fc.assert(
    fc.property(cityName, cityName, (one, other) => {
      const names = (name: string): string[] => parts.map((part) => nameOf(cityOf(smallSpec, { name }), part))
      if (one !== other) expect(names(one).filter((name) => names(other).includes(name))).toEqual([])
      for (const name of names(one)) expect(`${name}-0123456789-01234`.length).toBeLessThanOrEqual(68)
      expect(nameOf(cityOf(smallSpec, { name: one }), 'aggregator').length).toBeLessThanOrEqual(63)
    }),
  )
})

it('[OD6] a child is owned by its city alone: one of the same name that came later does not own it', () => {
  fc.assert(
    fc.property(cityName, fc.uuid(), fc.uuid(), (name, uid, later) => {
      const city = cityOf(smallSpec, { name, uid })
      const child = childOf(city, { apiVersion: 'v1', kind: 'ConfigMap', name: 'x', data: { a: 'b' } })
      expect(isOf(city, child) && isMadeFor(city, child)).toBe(true)
      expect(isOf(cityOf(smallSpec, { name, uid: later }), child)).toBe(uid === later)
      expect(isOf(cityOf(smallSpec, { name, uid, namespace: 'elsewhere' }), child)).toBe(false)
      expect(placeOf(child)).toBe('v1 ConfigMap city/x')
    }),
  )
})

it('[OD1] the fingerprint on an object moves with its content, its labels and its annotations, and with nothing else', () => {
  const draft = { apiVersion: 'v1', kind: 'ConfigMap', name: 'x', data: { a: 'b' } }
  const mark = (given: object): string | undefined =>
    childOf(cityOf(), { ...draft, ...given }).metadata.annotations?.[intentAnnotation]
  expect(mark({})).toBe(mark({ data: { a: 'b' } }))
  const others = [{ data: { a: 'c' } }, { labels: { a: 'b' } }, { annotations: { a: 'b' } }, { name: 'y' }]
  expect(new Set([mark({}), ...others.map(mark)]).size).toBe(5)
})

it('[OD5] the selector is among the labels that nobody can set, and is what the status says', () => {
  const city = cityOf()
  expect(selectorText(city, 'gateway')).toBe(
    'app.kubernetes.io/name=citypresence,app.kubernetes.io/instance=daarion,app.kubernetes.io/component=gateway',
  )
  expect(Object.keys(selectorOf(city, 'gateway')).every((key) => key.startsWith('app.kubernetes.io/'))).toBe(true)
})
