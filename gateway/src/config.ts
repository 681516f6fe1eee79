// The gateway's settings: name, default, and what each costs or excludes.
import { decode, type Cidr, type ConfigOf, type Incomplete, type SettingsTable } from '@citypresence/chassis/config'
import { natsMistakes, natsSettings } from '@citypresence/chassis/nats-settings'
import { serviceSettings } from '@citypresence/chassis/service-settings'
import { accept, refuse, type Result } from '@citypresence/chassis/core/result'
import { defaultPrefix, roomStream } from '@citypresence/wire/subjects'
import { anyOrigin } from './core/handshake.ts'

// HMAC with SHA-256: a key shorter than its output is weaker than the signature (RFC 7518, 3.2).
const secretBytesMin = 32
const hmacSecret = (text: string): Result<string> =>
  Buffer.byteLength(text) >= secretBytesMin ? accept(text) : refuse(`must have at least ${secretBytesMin} bytes`)

const algorithms = ['HS256', 'HS384', 'HS512', 'RS256', 'RS384', 'RS512', 'PS256', 'ES256', 'ES384', 'ES512'] as const
export type Algorithm = (typeof algorithms)[number]

/** To the letter, as a browser writes it. A pattern (https://*.example) would be a letter that never comes; * alone is any. */
const origin = (text: string): Result<string> =>
  text === anyOrigin || (URL.canParse(text) && new URL(text).origin === text && !text.includes('*'))
    ? accept(text)
    : refuse('must be an origin, as https://city.example')

export const settings = {
  ...serviceSettings,
  ...natsSettings,
  adminPort: { ...serviceSettings.adminPort, default: 9091 },
  port: {
    env: 'PORT',
    decode: decode.integer({ min: 0, max: 65_535 }),
    default: 7001,
    help: 'Port of the WebSocket, the snapshot and the page; 0 picks a free one.',
  },
  host: { env: 'HOST', decode: decode.nonEmpty, default: '0.0.0.0', help: 'Address that PORT listens on.' },
  jwtSecret: {
    env: 'JWT_SECRET',
    decode: hmacSecret,
    optional: true,
    secret: true,
    help: 'Key of HS256 tokens, at least 32 bytes. Either this or JWKS_URL. A file is read again at each handshake.',
  },
  jwksUrl: {
    env: 'JWKS_URL',
    decode: decode.url('http:', 'https:'),
    optional: true,
    help: 'Where the public keys of the tokens are; either this or JWT_SECRET. Keys are cached, and kept when it is away.',
  },
  jwksCaFile: {
    env: 'JWKS_CA_FILE',
    decode: decode.nonEmpty,
    optional: true,
    readable: true,
    help: 'PEM file with the authorities for JWKS_URL.',
  },
  jwtAlgorithms: {
    env: 'JWT_ALGORITHMS',
    decode: decode.list(decode.oneOf(...algorithms)),
    optional: true,
    help: 'Algorithms that tokens may be signed with; by default HS256 with JWT_SECRET and RS256 with JWKS_URL.',
  },
  jwtIssuer: { env: 'JWT_ISSUER', decode: decode.nonEmpty, optional: true, help: 'The iss that tokens must carry.' },
  jwtAudiences: {
    env: 'JWT_AUDIENCE',
    decode: decode.list(decode.nonEmpty),
    optional: true,
    help: 'The aud that tokens must carry; of several, separated by commas, one.',
  },
  tokenAgeMaxS: {
    env: 'TOKEN_AGE_MAX_S',
    decode: decode.integer({ min: 1, max: 315_360_000 }),
    optional: true,
    help: 'A token counts for at most so many seconds after its iat, which it then must carry, whatever its exp says.',
  },
  allowedOrigins: {
    env: 'ALLOWED_ORIGINS',
    decode: decode.list(origin),
    default: [] as readonly string[],
    help: "Origins of pages that may connect, separated by commas, or * for all; by default only the page's own host.",
  },
  page: {
    env: 'PAGE',
    decode: decode.boolean,
    default: false,
    help: 'Whether the page is served at /city (on, off). It has to be built: npm run build -w web.',
  },
  connectionsMax: {
    env: 'CONNECTIONS_MAX',
    decode: decode.integer({ min: 1, max: 1_000_000 }),
    default: 20_000,
    help: 'Connections at once; more are refused. An idle one costs about 10 KiB.',
  },
  trustedProxies: {
    env: 'TRUSTED_PROXIES',
    decode: decode.cidrs,
    default: [] as readonly Cidr[],
    help: 'Address ranges of our own proxies, separated by commas: only they are believed in X-Forwarded-For.',
  },
  perAddressMax: {
    env: 'CONNECTIONS_PER_ADDRESS_MAX',
    decode: decode.integer({ min: 0, max: 1_000_000 }),
    // An office or a school behind one address, with a page or two each.
    default: 100,
    help: 'Connections at once of one address (of IPv6 a /64), 0 for no cap; without TRUSTED_PROXIES there is none.',
  },
  perSubjectMax: {
    env: 'CONNECTIONS_PER_SUBJECT_MAX',
    decode: decode.integer({ min: 0, max: 1_000_000 }),
    // Off: a city may give one token to all its pages.
    default: 0,
    help: 'Connections at once of one token subject (sub), 0 for no cap; 10 where each person has a token of their own.',
  },
  revokedFile: {
    env: 'REVOKED_FILE',
    decode: decode.nonEmpty,
    optional: true,
    help: 'File with tokens that no longer count, one a line: sub:<subject> or jti:<id>. Read again when it changes.',
  },
  privacyFloor: {
    env: 'PRIVACY_FLOOR',
    decode: decode.integer({ min: 0, max: 1_000 }),
    default: 0,
    help: 'Rooms with fewer people online are shown as that, from 0 up, and nothing else of them; 0 tells every count. Pages that do not know `below` show 0.',
  },
  directWrites: {
    env: 'DIRECT_WRITES',
    decode: decode.boolean,
    default: true,
    help: "Whether sockets with nothing waiting are written to past Node's streams, which costs a fifth less (on, off).",
  },
  drainMs: {
    env: 'DRAIN_MS',
    decode: decode.integer({ min: 0, max: 600_000 }),
    // At most a tenth of all browsers a second may look for another gateway: 5 % leave, each waits up to a second,
    // and some meet in the same one. It fits into the 30 s that Kubernetes gives by default.
    default: 20_000,
    help: 'Over how long connections are closed at a stop, so that browsers do not all come back in one moment.',
  },
  subjectPrefix: {
    env: 'SUBJECT_PREFIX',
    decode: decode.words,
    default: defaultPrefix,
    help: 'What all subjects begin with.',
  },
  streamName: {
    env: 'STREAM_NAME',
    decode: decode.word,
    default: roomStream,
    help: 'Name of the stream that holds the rooms.',
  },
  natsInboxPrefix: {
    env: 'NATS_INBOX_PREFIX',
    decode: decode.words,
    default: '_INBOX_gateway',
    help: 'Where answers of NATS come in; the account needs the right to subscribe there.',
  },
} as const satisfies SettingsTable

export type Config = ConfigOf<typeof settings>

/** Rules over several settings; each sentence names its fields. */
export const mistakesOf = (config: Incomplete<Config>): readonly string[] => [
  ...natsMistakes(config),
  ...tokenMistakes(config),
  ...portMistakes(config),
  ...originMistakes(config),
]

const originMistakes = ({ allowedOrigins = [] }: Incomplete<Config>): string[] =>
  allowedOrigins.includes(anyOrigin) && allowedOrigins.length > 1
    ? ['ALLOWED_ORIGINS: * stands alone, or not at all']
    : []

const isHmac = (algorithm: string): boolean => algorithm.startsWith('HS')

function tokenMistakes(config: Incomplete<Config>): string[] {
  const { jwtSecret, jwksUrl, jwtAlgorithms, jwksCaFile, jwtAudiences } = config
  const mistakes: string[] = []
  const some = (test: (algorithm: string) => boolean): boolean => jwtAlgorithms?.some(test) ?? false
  if ((jwtSecret === undefined) === (jwksUrl === undefined))
    mistakes.push('JWT_SECRET (or JWT_SECRET_FILE) and JWKS_URL: give exactly one of them')
  // A public key taken for an HMAC secret would let anybody sign.
  else if (jwksUrl !== undefined && some(isHmac)) mistakes.push('JWT_ALGORITHMS: no HS… with JWKS_URL')
  else if (jwtSecret !== undefined && some((one) => !isHmac(one)))
    mistakes.push('JWT_ALGORITHMS: only HS… with JWT_SECRET')
  if (jwtAlgorithms?.length === 0) mistakes.push('JWT_ALGORITHMS: names none, so that every token would be refused')
  if (jwtAudiences?.length === 0) mistakes.push('JWT_AUDIENCE: names none')
  if (jwksCaFile !== undefined && jwksUrl === undefined)
    mistakes.push('JWKS_CA_FILE: is for JWKS_URL, which is not set')
  else if (jwksCaFile !== undefined && jwksUrl?.startsWith('http:') === true)
    mistakes.push('JWKS_CA_FILE: is for an https address, and JWKS_URL is none')
  return mistakes
}

const everywhere = new Set(['0.0.0.0', '::'])

function portMistakes({ port, host = '', adminPort, adminHost = '' }: Incomplete<Config>): string[] {
  const sameHost = host === adminHost || everywhere.has(host) || everywhere.has(adminHost)
  return port !== undefined && port === adminPort && port !== 0 && sameHost ? ['PORT and ADMIN_PORT: must differ'] : []
}
