// The gateway's settings as an operator gives them: what is taken, and every mistake by its name.
import { expect, it } from 'vitest'
import { readConfig, type Environment, type FileReader } from '@citypresence/chassis/config'
import { mistakesOf, settings } from './config.ts'

const good = { NATS_URL: 'nats://nats:4222', JWT_SECRET: 'a secret of at least thirty-two bytes' }
const jwks = { JWT_SECRET: '', JWKS_URL: 'https://id.example/keys' }
const noFiles: FileReader = {
  read: (path) => {
    if (path === '/ca.pem') return 'authorities'
    throw new Error('no file was named')
  },
}

function judge(env: Environment, files = noFiles): readonly string[] {
  const read = readConfig(settings, { ...good, ...env }, files)
  return read.ok ? mistakesOf(read.config) : read.mistakes
}

function configOf(env: Environment, files = noFiles) {
  const read = readConfig(settings, { ...good, ...env }, files)
  if (!read.ok) throw new Error(read.mistakes.join('; '))
  return read.config
}

it('[G26] NATS_URL and JWT_SECRET are enough; the defaults are those of the README', () => {
  expect(judge({})).toEqual([])
  expect(configOf({})).toMatchObject({
    port: 7001,
    adminPort: 9091,
    host: '0.0.0.0',
    page: false,
    allowedOrigins: [],
    connectionsMax: 20_000,
    trustedProxies: [],
    perAddressMax: 100,
    perSubjectMax: 0,
    privacyFloor: 0,
    drainMs: 20_000,
    subjectPrefix: 'city.presence',
    streamName: 'CITY_PRESENCE',
    natsInboxPrefix: '_INBOX_gateway',
  })
})

const fine: Environment[] = [
  { JWT_ALGORITHMS: 'HS256,HS512' },
  { ...jwks },
  { ...jwks, JWT_ALGORITHMS: 'RS256, ES256', JWKS_CA_FILE: '/ca.pem', JWT_ISSUER: 'x', JWT_AUDIENCE: 'y' },
  { ALLOWED_ORIGINS: 'https://city.example, http://localhost:5173' },
  { ALLOWED_ORIGINS: '*' },
  { JWT_AUDIENCE: 'y, z', TOKEN_AGE_MAX_S: '3600' },
  { PORT: '9000', ADMIN_PORT: '9000', HOST: '192.0.2.1', ADMIN_HOST: '127.0.0.1' },
  { TRUSTED_PROXIES: '10.0.0.0/8, fd00::/8', CONNECTIONS_PER_ADDRESS_MAX: '0', REVOKED_FILE: '/revoked' },
  { PAGE: 'on', DRAIN_MS: '0', PORT: '0', CONNECTIONS_MAX: '1' },
  { SUBJECT_PREFIX: 'one.city', STREAM_NAME: 'ONE', NATS_INBOX_PREFIX: '_INBOX.one' },
  { JWT_SECRET: 'ü'.repeat(16) },
]
it.each(fine)('[G26] fine: %o', (env) => {
  expect(judge(env)).toEqual([])
})

const mistakes: [Environment, RegExp][] = [
  [{ TRUSTED_PROXIES: 'balancer' }, /^TRUSTED_PROXIES must be an address range/],
  [{ NATS_URL: '' }, /^NATS_URL is required/],
  [{ NATS_URL: 'http://nats:4222' }, /^NATS_URL must be an address/],
  [{ JWT_SECRET: '' }, /^JWT_SECRET \(or JWT_SECRET_FILE\) and JWKS_URL: give exactly one/],
  [{ ...jwks, JWT_SECRET: good.JWT_SECRET }, /give exactly one/],
  [{ JWT_SECRET: 'short' }, /^JWT_SECRET was refused: .*32 bytes/],
  [{ JWT_SECRET: 'x'.repeat(31) }, /^JWT_SECRET was refused/],
  [{ ...jwks, JWKS_URL: 'ftp://id.example/keys' }, /^JWKS_URL must be an address/],
  [{ ...jwks, JWKS_URL: 'https://user:password@id.example/keys' }, /^JWKS_URL must not hold a user/],
  [{ ...jwks, JWT_ALGORITHMS: 'HS256' }, /^JWT_ALGORITHMS: no HS/],
  [{ ...jwks, JWT_ALGORITHMS: 'RS256,HS512' }, /^JWT_ALGORITHMS: no HS/],
  [{ JWT_ALGORITHMS: 'RS256' }, /^JWT_ALGORITHMS: only HS/],
  [{ JWT_ALGORITHMS: 'none' }, /^JWT_ALGORITHMS must be one of HS256/],
  [{ JWT_ALGORITHMS: 'hs256' }, /^JWT_ALGORITHMS must be one of HS256/],
  [{ JWT_ALGORITHMS: 'EdDSA' }, /^JWT_ALGORITHMS must be one of HS256/],
  [{ JWT_ALGORITHMS: ',' }, /^JWT_ALGORITHMS: names none/],
  [{ JWKS_CA_FILE: '/ca.pem' }, /^JWKS_CA_FILE: is for JWKS_URL/],
  [{ ...jwks, JWKS_URL: 'http://id.example/keys', JWKS_CA_FILE: '/ca.pem' }, /^JWKS_CA_FILE: is for an https/],
  [{ ALLOWED_ORIGINS: '*,https://city.example' }, /^ALLOWED_ORIGINS: \* stands alone/],
  [{ JWT_AUDIENCE: ',' }, /^JWT_AUDIENCE: names none/],
  [{ TOKEN_AGE_MAX_S: '0' }, /^TOKEN_AGE_MAX_S must be a whole number/],
  [{ ALLOWED_ORIGINS: 'https://city.example/' }, /^ALLOWED_ORIGINS must be an origin/],
  [{ ALLOWED_ORIGINS: 'https://city.example,city.example' }, /^ALLOWED_ORIGINS must be an origin.*entry 2/],
  [{ ALLOWED_ORIGINS: 'https://*.city.example' }, /^ALLOWED_ORIGINS must be an origin/],
  [{ ALLOWED_ORIGINS: 'HTTPS://City.Example' }, /^ALLOWED_ORIGINS must be an origin/],
  [{ ALLOWED_ORIGINS: 'https://city.example:443' }, /^ALLOWED_ORIGINS must be an origin/],
  [{ ALLOWED_ORIGINS: 'null' }, /^ALLOWED_ORIGINS must be an origin/],
  [{ PORT: '70000' }, /^PORT must be a whole number/],
  [{ PORT: '7001x' }, /^PORT must be a whole number/],
  [{ PORT: '9091' }, /^PORT and ADMIN_PORT: must differ/],
  [{ ADMIN_PORT: '7001' }, /^PORT and ADMIN_PORT: must differ/],
  [{ PAGE: 'maybe' }, /^PAGE must be on or off/],
  [{ CONNECTIONS_MAX: '0' }, /^CONNECTIONS_MAX must be a whole number/],
  [{ DRAIN_MS: '-1' }, /^DRAIN_MS must be a whole number/],
  [{ SUBJECT_PREFIX: 'city.*' }, /^SUBJECT_PREFIX must be words/],
  [{ SUBJECT_PREFIX: 'city..presence' }, /^SUBJECT_PREFIX must be words/],
  [{ STREAM_NAME: 'CITY.PRESENCE' }, /^STREAM_NAME must be one word/],
  [{ STREAM_NAME: 'CITY PRESENCE' }, /^STREAM_NAME must be one word/],
  [{ NATS_INBOX_PREFIX: '>' }, /^NATS_INBOX_PREFIX must be words/],
  [{ NATS_USER: 'gateway' }, /NATS_PASSWORD/],
  [{ LOG_LEVEL: 'loud' }, /^LOG_LEVEL must be one of/],
]
it.each(mistakes)('[G26] a mistake, named: %o', (env, sentence) => {
  expect(judge(env)).toEqual([expect.stringMatching(sentence)])
})

it('[G26] many mistakes are told together, and none quotes a secret', () => {
  const told = judge({ NATS_URL: 'x', JWT_SECRET: 'canary', PORT: 'x', PAGE: 'x', ALLOWED_ORIGINS: 'x', DRAIN_MS: 'x' })
  expect(told.length).toBe(6)
  expect(told.join()).not.toContain('canary')
})

it('[G26] the secret may lie in a file, which is read again; a worse content does not replace a good one', () => {
  const file = { text: 'the first secret of thirty-two bytes\n' }
  const { jwtSecret } = configOf({ JWT_SECRET: '', JWT_SECRET_FILE: '/secret' }, { read: () => file.text })
  expect(jwtSecret?.read()).toBe('the first secret of thirty-two bytes')
  file.text = 'short'
  expect(jwtSecret?.read()).toBe('the first secret of thirty-two bytes')
  file.text = 'the second secret of thirty-two bytes'
  expect(jwtSecret?.read()).toBe('the second secret of thirty-two bytes')
})
