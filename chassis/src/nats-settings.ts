// The settings that lead to NATS: spread `natsSettings` into a service's table, give `natsMistakes` to loadConfig as (part of)
// its check, and `natsTarget(config)` to connectNats. Exactly one way to say who we are; mixtures are mistakes that name
// the fields, because a server would silently prefer one of them.
import { type ConfigOf, decode, type Incomplete, type SettingsTable } from './config.ts'
import { type Result, accept, refuse } from './core/result.ts'
import type { Secret } from './secret.ts'

const credsText = (text: string): Result<string> =>
  /BEGIN NATS USER JWT[\s\S]+BEGIN USER NKEY SEED/.test(text)
    ? accept(text)
    : refuse('must be the content of a creds file')

const nkeySeed = (text: string): Result<string> =>
  /^SU[A-Z2-7]{56}$/.test(text.trim()) ? accept(text.trim()) : refuse('must be a user seed (SU…)')

export const natsSettings = {
  natsServers: {
    env: 'NATS_URL',
    decode: decode.list(decode.url('nats:', 'tls:')),
    help: 'Addresses of the NATS servers, separated by commas: nats://host:4222, or tls://host:4222 to insist on TLS.',
  },
  // No secret in itself; as one it may come as a file beside the password, as the Secret of a cluster gives them.
  natsUser: { env: 'NATS_USER', decode: decode.nonEmpty, optional: true, secret: true, help: 'User name at NATS.' },
  natsPassword: {
    env: 'NATS_PASSWORD',
    decode: decode.nonEmpty,
    optional: true,
    secret: true,
    help: 'Password of NATS_USER.',
  },
  natsToken: {
    env: 'NATS_TOKEN',
    decode: decode.nonEmpty,
    optional: true,
    secret: true,
    help: 'Token, instead of user and password.',
  },
  natsCreds: {
    env: 'NATS_CREDS',
    decode: credsText,
    optional: true,
    secret: true,
    help: 'Content of a creds file (user JWT and seed), instead of user and password.',
  },
  natsNkeySeed: {
    env: 'NATS_NKEY_SEED',
    decode: nkeySeed,
    optional: true,
    secret: true,
    help: 'User nkey seed (SU…), instead of user and password.',
  },
  natsCaFile: {
    env: 'NATS_CA_FILE',
    decode: decode.nonEmpty,
    optional: true,
    readable: true,
    help: 'PEM file with the authorities for NATS; with it, TLS is required. Read again at each connect.',
  },
  natsCertFile: {
    env: 'NATS_CERT_FILE',
    decode: decode.nonEmpty,
    optional: true,
    readable: true,
    help: 'PEM file with our own certificate.',
  },
  natsKeyFile: {
    env: 'NATS_KEY_FILE',
    decode: decode.nonEmpty,
    optional: true,
    readable: true,
    help: 'PEM file with the key of NATS_CERT_FILE.',
  },
  natsTlsHandshake: {
    env: 'NATS_TLS_HANDSHAKE',
    decode: decode.oneOf('standard', 'first'),
    default: 'standard' as const,
    help: 'first: TLS begins before the server has said a word, as servers with handshake_first want it. Then TLS is required.',
  },
} as const satisfies SettingsTable

export type NatsConfig = ConfigOf<typeof natsSettings>

export type NatsCredentials =
  | { readonly kind: 'none' }
  | { readonly kind: 'user'; readonly user: Secret; readonly password: Secret }
  | { readonly kind: 'token'; readonly token: Secret }
  | { readonly kind: 'creds'; readonly creds: Secret }
  | { readonly kind: 'nkey'; readonly seed: Secret }

export type NatsTarget = {
  readonly servers: readonly string[]
  readonly credentials: NatsCredentials
  readonly caFile?: string | undefined
  readonly certFile?: string | undefined
  readonly keyFile?: string | undefined
  /** TLS before the server's first word. */
  readonly handshakeFirst?: boolean
}

export function natsMistakes(config: Incomplete<NatsConfig>): string[] {
  const mistakes: string[] = []
  if (config.natsServers?.length === 0) mistakes.push('NATS_URL must name at least one server')
  if (config.natsUser !== undefined && config.natsPassword === undefined)
    mistakes.push('NATS_USER is set without NATS_PASSWORD')
  if (config.natsPassword !== undefined && config.natsUser === undefined)
    mistakes.push('NATS_PASSWORD is set without NATS_USER')
  if ((config.natsCertFile === undefined) !== (config.natsKeyFile === undefined))
    mistakes.push('NATS_CERT_FILE and NATS_KEY_FILE belong together: set both or none')
  const ways = waysToSayWho(config)
  if (ways.length > 1) mistakes.push(`${ways.join(' and ')} are set together: use only one`)
  return mistakes
}

function waysToSayWho(config: Incomplete<NatsConfig>): string[] {
  const ways: (readonly [string, unknown])[] = [
    ['NATS_USER/NATS_PASSWORD', config.natsUser ?? config.natsPassword],
    ['NATS_TOKEN', config.natsToken],
    ['NATS_CREDS', config.natsCreds],
    ['NATS_NKEY_SEED', config.natsNkeySeed],
  ]
  return ways.filter(([, value]) => value !== undefined).map(([name]) => name)
}

export function natsTarget(config: NatsConfig): NatsTarget {
  return {
    servers: config.natsServers,
    credentials: natsCredentials(config),
    caFile: config.natsCaFile,
    certFile: config.natsCertFile,
    keyFile: config.natsKeyFile,
    handshakeFirst: config.natsTlsHandshake === 'first',
  }
}

/** For a config that natsMistakes found nothing in. */
export function natsCredentials({
  natsUser,
  natsPassword,
  natsToken,
  natsCreds,
  natsNkeySeed,
}: NatsConfig): NatsCredentials {
  if (natsCreds !== undefined) return { kind: 'creds', creds: natsCreds }
  if (natsNkeySeed !== undefined) return { kind: 'nkey', seed: natsNkeySeed }
  if (natsToken !== undefined) return { kind: 'token', token: natsToken }
  if (natsUser !== undefined && natsPassword !== undefined)
    return { kind: 'user', user: natsUser, password: natsPassword }
  return { kind: 'none' }
}
