import { expect, it } from 'vitest'
import { readConfig } from './config.ts'
import { natsMistakes, natsSettings, natsTarget } from './nats-settings.ts'

const creds =
  '-----BEGIN NATS USER JWT-----\nx.y.z\n------END NATS USER JWT------\n-----BEGIN USER NKEY SEED-----\nSUx\n------END'
const seed = `SU${'A'.repeat(56)}`

function read(env: Record<string, string>) {
  return readConfig(natsSettings, { NATS_URL: 'nats://a:4222', ...env }, { read: () => 'from-file\n' })
}

function mistakesOf(env: Record<string, string>): string {
  const answer = read(env)
  return (answer.ok ? natsMistakes(answer.config) : answer.mistakes).join('\n')
}

function credentialsOf(env: Record<string, string>) {
  const answer = read(env)
  if (!answer.ok) throw new Error(answer.mistakes.join())
  return natsTarget(answer.config).credentials
}

it('[C23] each way to say who we are is accepted alone', () => {
  const ways: [string, Record<string, string>][] = [
    ['none', {}],
    ['user', { NATS_USER: 'u', NATS_PASSWORD: 'p' }],
    ['user', { NATS_USER: 'u', NATS_PASSWORD_FILE: '/p' }],
    ['user', { NATS_USER_FILE: '/u', NATS_PASSWORD_FILE: '/p' }],
    ['token', { NATS_TOKEN: 't' }],
    ['creds', { NATS_CREDS: creds }],
    ['nkey', { NATS_NKEY_SEED: seed }],
  ]
  for (const [kind, env] of ways) {
    expect(mistakesOf(env)).toBe('')
    expect(credentialsOf(env).kind).toBe(kind)
  }
})

it.each([
  [{ NATS_USER: 'u' }, /NATS_USER is set without NATS_PASSWORD/],
  [{ NATS_PASSWORD: 'p' }, /NATS_PASSWORD is set without NATS_USER/],
  [{ NATS_TOKEN: 't', NATS_CREDS: creds }, /NATS_TOKEN and NATS_CREDS are set together/],
  [{ NATS_USER: 'u', NATS_PASSWORD: 'p', NATS_NKEY_SEED: seed }, /NATS_USER\/NATS_PASSWORD and NATS_NKEY_SEED/],
  [{ NATS_CERT_FILE: '/c' }, /NATS_CERT_FILE and NATS_KEY_FILE belong together/],
  [{ NATS_CREDS: 'not creds' }, /NATS_CREDS was refused/],
  [{ NATS_NKEY_SEED: 'SAxx' }, /NATS_NKEY_SEED was refused/],
  [{ NATS_URL: 'nats://u:hunter2@a:4222' }, /NATS_URL must not hold a user or password/],
  [{ NATS_URL: 'ws://a:4222' }, /NATS_URL must be an address that begins with nats:\/\/ or tls:\/\//],
  [{ NATS_URL: ',' }, /NATS_URL must name at least one server/],
])('[C23] %j is a mistake that names its fields and no secret', (env, sentence) => {
  expect(mistakesOf(env)).toMatch(sentence)
  expect(mistakesOf(env)).not.toMatch(/hunter2|SAxx|not creds/)
})

it.each(['NATS_CA_FILE', 'NATS_CERT_FILE', 'NATS_KEY_FILE'])('[C23] %s that cannot be read is a mistake', (name) => {
  const read = (): string => {
    throw Object.assign(new Error('no such file'), { code: 'ENOENT' })
  }
  const answer = readConfig(natsSettings, { NATS_URL: 'nats://a:4222', [name]: '/none.pem' }, { read })
  expect(answer.ok ? '' : answer.mistakes.join('\n')).toMatch(new RegExp(`${name}.*/none.pem`))
})

it('[C23] name and password from files are read at each use', () => {
  const files: Record<string, string> = { '/u': 'anna\n', '/p': 'one\n' }
  const env = { NATS_URL: 'nats://a:4222', NATS_USER_FILE: '/u', NATS_PASSWORD_FILE: '/p' }
  const answer = readConfig(natsSettings, env, { read: (path) => files[path] ?? '' })
  const credentials = answer.ok && natsTarget(answer.config).credentials
  if (credentials === false || credentials.kind !== 'user') throw new Error('expected a user')
  expect([credentials.user.read(), credentials.password.read()]).toEqual(['anna', 'one'])
  Object.assign(files, { '/u': 'berta', '/p': 'two' })
  expect([credentials.user.read(), credentials.password.read()]).toEqual(['berta', 'two'])
})

it('[C23] TLS may begin before the first word of the server', () => {
  const firstIn = (env: Record<string, string>) => {
    const answer = read(env)
    return answer.ok && natsTarget(answer.config).handshakeFirst
  }
  expect([firstIn({}), firstIn({ NATS_TLS_HANDSHAKE: 'first' })]).toEqual([false, true])
  expect(mistakesOf({ NATS_TLS_HANDSHAKE: 'early' })).toMatch(/NATS_TLS_HANDSHAKE must be one of standard, first/)
})

it('[C23] a list of servers is a list', () => {
  const answer = read({ NATS_URL: 'nats://a:4222, tls://b' })
  expect(answer.ok && natsTarget(answer.config).servers).toEqual(['nats://a:4222', 'tls://b'])
})
