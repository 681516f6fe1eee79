// For every rule in CEL, changes to a good city that break it: where, and with which sentence it is then refused.
import type { Place } from './schema-walk.ts'

export type Breach = {
  readonly city: 'first' | 'full' | 'other' | 'third' | 'fourth'
  readonly change: readonly (readonly [path: Place['path'], value: unknown])[]
  /** The field that is blamed. */
  readonly at: string
  /** How the sentence begins. */
  readonly says: string
}

type City = Breach['city']

const one = (city: City, at: string, value: unknown, says: string, blamed = at): Breach => ({
  city,
  change: [[partsOf(at), value]],
  at: blamed,
  says,
})

const partsOf = (text: string): Place['path'] =>
  text
    .split(/[.[\]]/)
    .filter((part) => part !== '')
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part))

const many = (city: City, at: string, values: readonly unknown[], says: string): Breach[] =>
  values.map((value) => one(city, at, value, says))

const notAnAddress = [
  'ftp://a.example',
  'a.example',
  '/path',
  'https://',
  'https:// a',
  'HTTPS://a.example',
  '://',
  'http:///x',
]
const withUser = ['https://u:p@a.example', 'https://u@a.example/x']
const address = (city: City, at: string): Breach[] => [
  ...many(city, at, notAnAddress, 'must be an address'),
  ...many(city, at, withUser, 'must not hold a user or password'),
]

const notAName = ['-a', 'a-', 'A', 'a_b', 'a b', 'ä', '.a']
const name = (city: City, at: string): Breach[] => many(city, at, notAName, 'must be the name of an object')

const notAKey = ['a/b', 'a b', '..', '.', 'ä', '../x']
const secret = (city: City, at: string): Breach[] => [
  ...name(city, `${at}.name`),
  ...many(city, `${at}.key`, notAKey, 'must be a key of a Secret'),
]
const userPassword = (city: City, at: string): Breach[] => [
  ...name(city, `${at}.name`),
  ...many(city, `${at}.userKey`, notAKey, 'must be a key of a Secret'),
  ...many(city, `${at}.passwordKey`, notAKey, 'must be a key of a Secret'),
]

const ours = [{ 'app.kubernetes.io/name': 'x' }, { 'presence.daarion.city/city': 'x' }]
const labels = (at: string): Breach[] => [
  ...many('full', at, [{ team: '-x' }, { team: 'a b' }], 'the value of a label'),
]
const ownLabels = (at: string): Breach[] => [...labels(at), ...many('full', at, ours, 'keys that begin with')]
const amounts = ['requests', 'limits'].flatMap((kind) =>
  ['cpu', 'memory', 'ephemeral-storage'].map((what) => `${kind}.${what}`),
)
const pods = (at: string): Breach[] => [
  ...amounts.flatMap((what) =>
    many('full', `${at}.resources.${what}`, ['lots', '1 Gi', '-1', -1, ''], 'must be an amount'),
  ),
  ...labels(`${at}.nodeSelector`),
  ...ownLabels(`${at}.podLabels`),
  ...many('full', `${at}.podAnnotations`, ours, 'keys that begin with'),
]

const host = (city: City, at: string): Breach[] =>
  many(city, at, ['A.example', 'a_b', '-a.example', 'a..b', 'https://a', 'a:80', '*'], 'must be a host name')

const exactlyOneIdentity = 'give exactly one of credentialsSecretRef'
const aSecret = { name: 'citypresence-x', key: 'x' }
const matrix = 'spec.matrix'
const gateway = 'spec.gateway'
const auth = `${gateway}.auth`
const lease = 'spec.aggregator.leaderElection'
const leaseSays = 'leaseDurationSeconds has to be more'

export const breaches: readonly Breach[] = [
  ...address('full', `${matrix}.homeserverURL`),
  one('full', `${matrix}.homeserverURL`, 'http://plain.example', 'must begin with https://'),
  ...many(
    'full',
    `${matrix}.userID`,
    ['x', '@x', 'x:y', '@:y', '@x:', '@a b:c', '@a:b c', '!x:y'],
    'must be a Matrix user id',
  ),
  ...secret('full', `${matrix}.accessTokenSecretRef`),
  ...secret('full', `${matrix}.caSecretRef`),

  one('full', 'spec.rooms', {}, 'give exactly one of http and inline'),
  one(
    'full',
    'spec.rooms.inline',
    [{ slug: 'a', matrixRoomID: '!a:b' }],
    'give exactly one of http and inline',
    'spec.rooms',
  ),
  ...address('full', 'spec.rooms.http.url'),
  ...secret('full', 'spec.rooms.http.bearerTokenSecretRef'),
  ...secret('full', 'spec.rooms.http.caSecretRef'),
  ...many('other', 'spec.rooms.inline[0].slug', ['A', '-a', 'a.b', 'a b', 'ä', '*', '>'], 'must be a slug'),
  ...many('other', 'spec.rooms.inline[0].matrixRoomID', ['abc', '#a:b'], 'must be a Matrix room id'),
  ...many('other', 'spec.rooms.inline[0].matrixRoomAlias', ['abc', '!a:b'], 'must be a Matrix room alias'),
  one('other', 'spec.rooms.inline[0]', { slug: 'energy' }, 'give matrixRoomID or matrixRoomAlias'),

  ...many(
    'full',
    'spec.nats.servers[0]',
    ['ws://a', 'http://a', 'a:4222', 'nats://', 'nats://u:p@a', 'nats://a/b', 'nats://a,nats://b', 'nats://a b'],
    'must be an address as nats://',
  ),
  one('full', 'spec.nats.tokenSecretRef', aSecret, 'give at most one of credentialsSecretRef', 'spec.nats'),
  one('full', 'spec.nats.gateway.tokenSecretRef', aSecret, exactlyOneIdentity, 'spec.nats.gateway'),
  one('full', 'spec.nats.gateway', {}, exactlyOneIdentity),
  ...secret('full', 'spec.nats.credentialsSecretRef'),
  ...secret('full', 'spec.nats.gateway.credentialsSecretRef'),
  ...userPassword('other', 'spec.nats.userPasswordSecretRef'),
  ...userPassword('other', 'spec.nats.gateway.userPasswordSecretRef'),
  ...secret('third', 'spec.nats.nkeySeedSecretRef'),
  ...secret('third', 'spec.nats.gateway.tokenSecretRef'),
  ...secret('fourth', 'spec.nats.tokenSecretRef'),
  ...secret('fourth', 'spec.nats.gateway.nkeySeedSecretRef'),
  ...secret('full', 'spec.nats.tls.caSecretRef'),
  ...name('full', 'spec.nats.tls.clientCertificateSecretName'),
  ...many('full', 'spec.nats.stream.name', ['a.b', 'a b', '*', 'ä'], 'must be one word'),
  ...many(
    'full',
    'spec.nats.stream.subjectPrefix',
    ['a..b', '.a', 'a.', 'a b', 'a.*', '>'],
    'must be words joined by dots',
  ),
  ...many('full', 'spec.nats.stream.replicas', [2, 4], 'must be 1, 3 or 5'),

  one('full', lease, { leaseDurationSeconds: 4, renewDeadlineSeconds: 4, retryPeriodSeconds: 1 }, leaseSays),
  one('full', lease, { leaseDurationSeconds: 20, renewDeadlineSeconds: 6, retryPeriodSeconds: 5 }, leaseSays),
  one('full', `${lease}.leaseDurationSeconds`, 9, leaseSays, lease),
  ...pods('spec.aggregator'),

  one('full', auth, { issuer: 'x', audiences: ['y'] }, 'give exactly one of jwtSecretRef and jwks'),
  one('full', `${auth}.jwtSecretRef`, aSecret, 'give exactly one of jwtSecretRef and jwks', auth),
  one('full', `${auth}.issuer`, undefined, 'with jwks give issuer and audiences', auth),
  one('full', `${auth}.audiences`, undefined, 'with jwks give issuer and audiences', auth),
  one('full', `${auth}.algorithms`, ['ES256', 'HS256'], 'HS256, HS384 and HS512 go with jwtSecretRef'),
  one('other', `${auth}.algorithms`, ['RS256'], 'HS256, HS384 and HS512 go with jwtSecretRef'),
  one('full', `${auth}.audiences[0]`, 'a,b', 'must be one aud'),
  ...address('full', `${auth}.jwks.url`),
  one('full', `${auth}.jwks.url`, 'http://id.example', 'must begin with https://'),
  ...secret('full', `${auth}.jwks.caSecretRef`),
  ...secret('full', `${auth}.revokedSecretRef`),
  ...many(
    'full',
    `${gateway}.trustedProxies[0]`,
    ['10.0.0.1', '10.0.0.0/33', 'proxy.example', '10.0.0.0/8,::/0', '::/129'],
    'must be a range of addresses',
  ),
  ...secret('other', `${auth}.jwtSecretRef`),
  one('full', `${gateway}.autoscaling.minReplicas`, 31, 'minReplicas'),
  ...many(
    'full',
    `${gateway}.allowedOrigins[0]`,
    [
      'https://a.example/',
      'https://A.example',
      'https://*.example',
      'null',
      'a.example',
      'https://a.example:443',
      'http://a.example:80',
      'https://u@a',
      'https://a,https://b',
    ],
    'must be an origin',
  ),
  one('full', `${gateway}.allowedOrigins`, ['*', 'https://a.example'], '* stands alone'),
  one('full', `${gateway}.exposure`, {}, 'give exactly one of ingress and httpRoute'),
  one(
    'full',
    `${gateway}.exposure.ingress`,
    { host: 'a.example' },
    'give exactly one of ingress and httpRoute',
    `${gateway}.exposure`,
  ),
  ...name('full', `${gateway}.exposure.httpRoute.parentRefs[0].name`),
  ...name('full', `${gateway}.exposure.httpRoute.parentRefs[0].namespace`),
  ...name('full', `${gateway}.exposure.httpRoute.parentRefs[0].sectionName`),
  ...host('full', `${gateway}.exposure.httpRoute.hostnames[0]`),
  ...host('other', `${gateway}.exposure.ingress.host`),
  ...name('other', `${gateway}.exposure.ingress.className`),
  ...name('other', `${gateway}.exposure.ingress.tlsSecretName`),
  ...many('other', `${gateway}.exposure.ingress.annotations`, ours, 'keys that begin with'),
  ...pods(gateway),

  ...ownLabels('spec.observability.metrics.labels'),
  ...address('full', 'spec.observability.tracing.otlpEndpoint'),

  {
    city: 'first',
    change: [[['metadata', 'name'], 'a'.repeat(41)]],
    at: '<nil>',
    says: 'the name may have at most 40',
  },
  { city: 'first', change: [[['metadata', 'name'], 'a.b']], at: '<nil>', says: 'the name may have small letters' },
]
