import fc from 'fast-check'
import { expect, it } from 'vitest'
import { anyCity, cityOf, contextOf, smallSpec } from '../testing/cities.ts'
import { secretFiles } from './desired-objects/secrets.ts'
import { risksOf, unmarkedSecret, whyNotAccepted } from './judge-spec.ts'

it('[OS5] a Secret whose name is not marked is named with its field, while the rule is on', () => {
  const name = fc.constantFrom('root-password', 'citypresence', 'the-citypresence-one', 'city-presence')
  fc.assert(
    fc.property(name, name, (matrix, jwt) => {
      const city = cityOf({
        ...smallSpec,
        matrix: { ...smallSpec.matrix, accessTokenSecretRef: { name: matrix } },
        gateway: { auth: { jwtSecretRef: { name: jwt } } },
      })
      const unmarked = [matrix, jwt].find((one) => !one.includes('citypresence'))
      const found = unmarkedSecret(city, contextOf())
      expect(found?.message.includes(`Secret ${unmarked ?? ''} `) ?? unmarked === undefined).toBe(true)
      expect(unmarkedSecret(city, contextOf({ secretNames: 'any' }))).toBeUndefined()
    }),
  )
  fc.assert(
    fc.property(anyCity, (city) => {
      const marked = secretFiles(city).every(({ secret }) => secret.includes('citypresence'))
      expect(unmarkedSecret(city, contextOf()) === undefined).toBe(marked)
    }),
  )
})

it('[OS5] with a list of hosts no address of any field may lead elsewhere, look-alikes included', () => {
  const why = (spec: object, allowedHosts: readonly string[]): string =>
    whyNotAccepted(cityOf({ ...smallSpec, ...spec }), contextOf({ allowedHosts }))?.message ?? ''
  const all = ['matrix.city.example', 'city-service', 'nats']
  expect(why({}, all)).toBe('')
  expect(why({}, ['.city.example', 'city-service', 'nats'])).toBe('')
  for (const host of [
    'city.example',
    'evil-matrix.city.example',
    'matrix.city.example.evil.org',
    'MATRIX.city.example.',
  ])
    expect(why({ matrix: { ...smallSpec.matrix, homeserverURL: `https://${host}` } }, all)).toMatch(
      /^spec\.matrix\.homeserverURL/,
    )
  expect(why({ rooms: { http: { url: 'http://city-service@evil' } } }, all)).toMatch(/^spec\.rooms\.http\.url: evil/)
  expect(why({ nats: { servers: ['nats://nats', 'nats://evil'] } }, all)).toMatch(/^spec\.nats\.servers: evil/)
  const jwks = { gateway: { auth: { jwks: { url: 'https://evil/keys' }, issuer: 'i', audiences: ['a'] } } }
  expect(why(jwks, all)).toMatch(/^spec\.gateway\.auth\.jwks\.url: evil/)
  const tracing = { observability: { tracing: { otlpEndpoint: 'http://evil:4318' } } }
  expect(why(tracing, all)).toMatch(/^spec\.observability\.tracing\.otlpEndpoint: evil/)
})

it('[OS6] two slugs that are one room are named', () => {
  const inline = [
    { slug: 'a', matrixRoomID: '!x' },
    { slug: 'b', matrixRoomAlias: '#y:z' },
    { slug: 'c', matrixRoomID: '!q', matrixRoomAlias: '#y:z' },
  ]
  expect(whyNotAccepted(cityOf({ ...smallSpec, rooms: { inline } }), contextOf())).toEqual({
    reason: 'RoomsRepeated',
    message: 'spec.rooms.inline: b and c are both #y:z',
  })
})

it('[OS7] each risky setting is told by its field, and none without it', () => {
  const ownAccount = { ...smallSpec.nats, gateway: { tokenSecretRef: { name: 'citypresence' } } }
  const risks = (spec: object) => risksOf(cityOf({ ...smallSpec, nats: ownAccount, ...spec }), contextOf())
  expect(risks({})).toEqual([])
  const risky: readonly (readonly [object, RegExp])[] = [
    [
      { matrix: { ...smallSpec.matrix, homeserverURL: 'http://a', transport: 'AllowPlaintext' } },
      /^spec\.matrix\.transport/,
    ],
    [{ aggregator: { replicas: 1 } }, /^spec\.aggregator\.replicas/],
    [{ nats: smallSpec.nats }, /^spec\.nats\.gateway/],
    [{ nats: { ...ownAccount, servers: ['nats://a', 'nats://b'] } }, /^spec\.nats\.stream\.replicas/],
    [{ gateway: { ...smallSpec.gateway, exposure: { ingress: { host: 'a.b' } } } }, /tlsSecretName/],
    [{ gateway: { ...smallSpec.gateway, autoscaling: { maxReplicas: 3 } } }, /^spec\.gateway\.autoscaling/],
  ]
  for (const [spec, sentence] of risky) {
    expect(risks(spec)).toHaveLength(1)
    expect(risks(spec)[0]).toMatch(sentence)
  }
})
