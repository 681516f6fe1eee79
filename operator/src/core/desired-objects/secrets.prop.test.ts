import fc from 'fast-check'
import { expect, it } from 'vitest'
import { anyCity, cityOf, smallSpec } from '../../testing/cities.ts'
import { folderOf, pathOf, secretFiles, volumeOf } from './secrets.ts'

it('[OD3] every reference of the spec is a file of one part, and every file a reference that stands there', () => {
  fc.assert(
    fc.property(anyCity, (city) => {
      const files = secretFiles(city)
      for (const file of files) {
        const value = file.field.split('.').reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], city)
        expect(typeof value === 'string' ? value : (value as { name: string }).name).toBe(file.secret)
        expect(pathOf(file).startsWith(folderOf(file))).toBe(true)
        expect(volumeOf(file)).toMatch(/^[a-z]([-a-z]{0,61}[a-z])?$/)
      }
      const places = files.map((file) => `${file.component} ${volumeOf(file)}`)
      expect(new Set(places).size).toBe(files.length)
    }),
  )
})

it('[OD3] the gateways get who they are at NATS from their own account, or from the one of the aggregator', () => {
  const namesOf = (nats: object): string[] =>
    secretFiles(cityOf({ ...smallSpec, nats: { servers: ['nats://nats'], ...nats } }))
      .filter(({ component, setting }) => component === 'gateway' && setting.startsWith('NATS'))
      .map(({ setting, secret, key }) => `${setting} ${secret}/${key}`)
  const userPasswordSecretRef = { name: 'citypresence-nats' }
  const shared = ['NATS_USER_FILE citypresence-nats/username', 'NATS_PASSWORD_FILE citypresence-nats/password']
  expect(namesOf({ userPasswordSecretRef })).toEqual(shared)
  const gateway = { tokenSecretRef: { name: 'citypresence-edge' } }
  expect(namesOf({ userPasswordSecretRef, gateway })).toEqual(['NATS_TOKEN_FILE citypresence-edge/token'])
})
