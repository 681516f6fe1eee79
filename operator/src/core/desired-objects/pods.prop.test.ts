import fc from 'fast-check'
import { expect, it } from 'vitest'
import { anyCity, cityOf, contextOf, smallSpec } from '../../testing/cities.ts'
import { settingsAnnotation } from './metadata.ts'
import { aggregatorDeployment, gatewayDeployment } from './workloads.ts'
import type { podTemplate } from './pods.ts'
import type { CityPresence } from '../city-presence.ts'

type Template = ReturnType<typeof podTemplate>

const templatesOf = (city: CityPresence): Template[] =>
  [aggregatorDeployment(city, contextOf()), gatewayDeployment(city, contextOf(), 1)].map(
    (one) => (one['spec'] as { template: Template }).template,
  )

it('[OD7] whatever a city says, its pods are restricted: no root, no gain, nothing to write, nothing of the node', () => {
  fc.assert(
    fc.property(anyCity, (city) => {
      for (const { spec } of templatesOf(city)) {
        expect(spec.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } })
        expect(spec.securityContext.runAsUser).toBeGreaterThan(0)
        for (const { securityContext } of spec.containers)
          expect(securityContext).toEqual({
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          })
        const kinds = spec.volumes.flatMap((volume) => Object.keys(volume).filter((key) => key !== 'name'))
        expect(kinds.filter((kind) => kind !== 'secret' && kind !== 'configMap')).toEqual([])
        for (const field of ['hostNetwork', 'hostPID', 'hostIPC', 'shareProcessNamespace'])
          expect(spec).not.toHaveProperty(field)
      }
    }),
  )
})

it('[OD8] image, command, environment and account are those of the operator, whoever the city is', () => {
  const plain = templatesOf(cityOf())
  fc.assert(
    fc.property(anyCity, (city) => {
      for (const [index, { spec }] of templatesOf(city).entries()) {
        const [container] = spec.containers
        const [expected] = plain[index]?.spec.containers ?? []
        expect(container?.image).toBe(expected?.image)
        expect(container?.env).toEqual(expected?.env)
        expect(container?.envFrom).toEqual(expected?.envFrom)
        expect(container).not.toHaveProperty('command')
        expect(spec.serviceAccountName).toBe(plain[index]?.spec.serviceAccountName)
      }
      const [aggregator, gateway] = templatesOf(city)
      expect([aggregator?.spec.automountServiceAccountToken, gateway?.spec.automountServiceAccountToken]).toEqual([
        true,
        false,
      ])
    }),
  )
})

it('[OD9] other settings are other pods; other rooms and other Secrets of the same name are not', () => {
  const marks = (spec: typeof smallSpec): string[] =>
    templatesOf(cityOf(spec)).map(({ metadata }) => metadata.annotations[settingsAnnotation])
  const inline = (slug: string) => ({ ...smallSpec, rooms: { inline: [{ slug, matrixRoomID: '!a' }] } })
  expect(marks(inline('market'))).toEqual(marks(inline('energy')))
  const [aggregator, gateway] = marks(smallSpec)
  const slower = marks({ ...smallSpec, publishing: { roomMinPeriodMilliseconds: 1 } })
  expect([slower[0] === aggregator, slower[1] === gateway]).toEqual([false, true])
})

it('[OD3] secrets are mounted as folders of one key each, readable for the pod alone; every mount has its volume', () => {
  fc.assert(
    fc.property(anyCity, (city) => {
      for (const { spec } of templatesOf(city)) {
        const [container] = spec.containers
        expect(container?.volumeMounts.map(({ name }) => name)).toEqual(spec.volumes.map(({ name }) => name))
        for (const mount of container?.volumeMounts ?? []) {
          expect(mount.readOnly).toBe(true)
          expect(mount).not.toHaveProperty('subPath')
        }
        for (const volume of spec.volumes)
          if ('secret' in volume) {
            expect(volume.secret.items).toHaveLength(1)
            expect(volume.secret.defaultMode & 0o007).toBe(0)
          }
      }
    }),
  )
})
