// The Secrets that a city names: which key is which file in which pod, and the setting that says so. No value passes through here:
// the kubelet mounts it, the service reads it again when it changed, and nothing has to be restarted.
//
//   spec.nats.tokenSecretRef { name, key } -> SecretFile -> volume of one key + variable NATS_TOKEN_FILE=/var/run/citypresence/nats-token/value
import type { CityPresence, CitySpec } from '../city-presence.ts'
import type { Component } from './metadata.ts'

export type SecretFile = {
  readonly component: Component
  /** What the setting is called that takes the path. */
  readonly setting: string
  readonly secret: string
  readonly key: string
  /** Where the reference stands in the spec. */
  readonly field: string
}

const folder = '/var/run/citypresence'

/** Volumes are named for the setting, so that two settings may name one Secret. */
export const volumeOf = ({ setting }: SecretFile): string =>
  setting
    .toLowerCase()
    .replaceAll('_', '-')
    .replace(/-file$/, '')
export const folderOf = (file: SecretFile): string => `${folder}/${volumeOf(file)}`
export const pathOf = (file: SecretFile): string => `${folderOf(file)}/value`

type Ref = { readonly name: string; readonly key: string }
type Identity = Pick<
  CitySpec['nats'],
  'credentialsSecretRef' | 'nkeySeedSecretRef' | 'userPasswordSecretRef' | 'tokenSecretRef'
>

export const secretFiles = (city: CityPresence): readonly SecretFile[] => [
  ...aggregatorFiles(city.spec),
  ...gatewayFiles(city.spec),
]

function aggregatorFiles({ matrix, rooms, nats }: CitySpec): SecretFile[] {
  return [
    ...file('aggregator', 'MATRIX_ACCESS_TOKEN_FILE', matrix.accessTokenSecretRef, 'spec.matrix.accessTokenSecretRef'),
    ...file('aggregator', 'MATRIX_CA_FILE', matrix.caSecretRef, 'spec.matrix.caSecretRef'),
    ...file(
      'aggregator',
      'CITY_SERVICE_TOKEN_FILE',
      rooms.http?.bearerTokenSecretRef,
      'spec.rooms.http.bearerTokenSecretRef',
    ),
    ...file('aggregator', 'CITY_SERVICE_CA_FILE', rooms.http?.caSecretRef, 'spec.rooms.http.caSecretRef'),
    ...identityFiles('aggregator', nats, 'spec.nats'),
    ...tlsFiles('aggregator', nats),
  ]
}

function gatewayFiles({ gateway, nats }: CitySpec): SecretFile[] {
  return [
    ...file('gateway', 'JWT_SECRET_FILE', gateway.auth.jwtSecretRef, 'spec.gateway.auth.jwtSecretRef'),
    ...file('gateway', 'JWKS_CA_FILE', gateway.auth.jwks?.caSecretRef, 'spec.gateway.auth.jwks.caSecretRef'),
    ...file('gateway', 'REVOKED_FILE', gateway.auth.revokedSecretRef, 'spec.gateway.auth.revokedSecretRef'),
    // Without an account of their own the gateways share that of the aggregator, which is told as a risk.
    ...(nats.gateway === undefined
      ? identityFiles('gateway', nats, 'spec.nats')
      : identityFiles('gateway', nats.gateway, 'spec.nats.gateway')),
    ...tlsFiles('gateway', nats),
  ]
}

function identityFiles(component: Component, identity: Identity, field: string): SecretFile[] {
  const { credentialsSecretRef, nkeySeedSecretRef, userPasswordSecretRef: user, tokenSecretRef } = identity
  const at = (name: string): string => `${field}.${name}`
  return [
    ...file(component, 'NATS_CREDS_FILE', credentialsSecretRef, at('credentialsSecretRef')),
    ...file(component, 'NATS_NKEY_SEED_FILE', nkeySeedSecretRef, at('nkeySeedSecretRef')),
    ...file(component, 'NATS_USER_FILE', user && { name: user.name, key: user.userKey }, at('userPasswordSecretRef')),
    ...file(
      component,
      'NATS_PASSWORD_FILE',
      user && { name: user.name, key: user.passwordKey },
      at('userPasswordSecretRef'),
    ),
    ...file(component, 'NATS_TOKEN_FILE', tokenSecretRef, at('tokenSecretRef')),
  ]
}

function tlsFiles(component: Component, { tls }: CitySpec['nats']): SecretFile[] {
  const own = tls?.clientCertificateSecretName
  const field = 'spec.nats.tls.clientCertificateSecretName'
  // The keys that every Secret of the type kubernetes.io/tls has.
  return [
    ...file(component, 'NATS_CA_FILE', tls?.caSecretRef, 'spec.nats.tls.caSecretRef'),
    ...file(component, 'NATS_CERT_FILE', own === undefined ? undefined : { name: own, key: 'tls.crt' }, field),
    ...file(component, 'NATS_KEY_FILE', own === undefined ? undefined : { name: own, key: 'tls.key' }, field),
  ]
}

const file = (component: Component, setting: string, ref: Ref | undefined, field: string): SecretFile[] =>
  ref === undefined ? [] : [{ component, setting, secret: ref.name, key: ref.key, field }]
