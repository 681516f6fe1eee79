// The aggregator's settings as an operator gives them: the names of the first description, their aliases, and what excludes what.
import { expect, it } from 'vitest'
import { readConfig, type Environment, type FileReader } from '@citypresence/chassis/config'
import { mistakesOf, settings } from './config.ts'

const good = {
  MATRIX_HS_URL: 'https://matrix.example',
  MATRIX_ACCESS_TOKEN: 'a token',
  MATRIX_USER_ID: '@presence_daemon:matrix.example',
  CITY_SERVICE_INTERNAL_URL: 'http://city-service:7001',
  NATS_URL: 'nats://nats:4222',
}
const files: FileReader = { read: (path) => `what stands in ${path}\n` }

const read = (env: Environment, from = files) => readConfig(settings, { ...good, ...env }, from)

function judge(env: Environment, from = files): readonly string[] {
  const answer = read(env, from)
  return answer.ok ? mistakesOf(answer.config) : answer.mistakes
}

function configOf(env: Environment) {
  const answer = read(env)
  if (!answer.ok) throw new Error(answer.mistakes.join('; '))
  return answer.config
}

it('[R14] the names of the first description are enough, and nothing is on that it did not name', () => {
  expect(judge({})).toEqual([])
  expect(configOf({})).toMatchObject({
    cityServiceUrl: 'http://city-service:7001',
    throttleMs: 3_000,
    roomRefreshIntervalMs: 300_000,
    staleAfterMs: 90_000,
    offlineGraceMs: 0,
    activeWindowMs: 300_000,
    leaderElection: 'none',
    userEvents: false,
    userEventsRemote: false,
    unknownPresence: 'online',
  })
})

it('[R14] the older names of the city service and the homeserver mean the same', () => {
  const env = {
    ...{ CITY_SERVICE_INTERNAL_URL: '', CITY_SERVICE_URL: 'http://one' },
    ...{ MATRIX_HS_URL: '', MATRIX_BASE_URL: 'http://two' },
  }
  expect(judge(env)).toEqual([])
  expect(configOf(env)).toMatchObject({ cityServiceUrl: 'http://one', homeserverUrl: 'http://two' })
  expect(judge({ CITY_SERVICE_URL: 'http://other' })).toEqual([
    'CITY_SERVICE_INTERNAL_URL and CITY_SERVICE_URL are both set: set only one',
  ])
})

it('[R14] every secret may come as a file', () => {
  const secrets = { MATRIX_ACCESS_TOKEN: '', MATRIX_ACCESS_TOKEN_FILE: '/token', CITY_SERVICE_TOKEN_FILE: '/city' }
  const config = configOf(secrets)
  expect(config.accessToken.read()).toBe('what stands in /token')
  expect(config.cityServiceToken?.read()).toBe('what stands in /city')
})

const mistakes: [Environment, RegExp][] = [
  [{ ROOM_DIRECTORY_FILE: '/rooms.json' }, /^CITY_SERVICE_INTERNAL_URL and ROOM_DIRECTORY_FILE: give exactly one/],
  [{ CITY_SERVICE_INTERNAL_URL: '' }, /give exactly one/],
  [{ USER_EVENTS_REMOTE: 'on' }, /^USER_EVENTS_REMOTE: needs USER_EVENTS=on/],
  [{ NATS_USER: 'a' }, /^NATS_USER is set without NATS_PASSWORD/],
  [{ MATRIX_USER_ID: 'presence_daemon' }, /^MATRIX_USER_ID must be a Matrix user id/],
  [{ CITY_PRESENCE_NAME: 'daarion' }, /^CITY_PRESENCE_NAME: needs LEADER_ELECTION=kubernetes/],
  [{ LEADER_ELECTION: 'maybe' }, /^LEADER_ELECTION must be one of/],
  [{ ROOM_PRESENCE_THROTTLE_MS: '3s' }, /^ROOM_PRESENCE_THROTTLE_MS must be a whole number/],
  [{ SUBJECT_PREFIX: 'city.>' }, /^SUBJECT_PREFIX must be words/],
  [{ STREAM_NAME: 'CITY.PRESENCE' }, /^STREAM_NAME must be one word/],
  [{ USER_STREAM_NAME: 'CITY USERS' }, /^USER_STREAM_NAME must be one word/],
]
it.each(mistakes)('[R14] a mistake, named: %o', (env, sentence) => {
  const found = judge(env)
  expect(found).toHaveLength(1)
  expect(found[0]).toMatch(sentence)
})

it('[R14] CA files of homeserver and city service that cannot be read are told together with all other mistakes', () => {
  const nowhere: FileReader = {
    read: (path) => {
      throw Object.assign(new Error(path), { code: 'ENOENT' })
    },
  }
  const env = { MATRIX_CA_FILE: '/a.pem', CITY_SERVICE_CA_FILE: '/b.pem', UNKNOWN_PRESENCE: 'perhaps' }
  expect(judge(env, nowhere)).toEqual([
    'MATRIX_CA_FILE: /a.pem cannot be read (ENOENT)',
    'CITY_SERVICE_CA_FILE: /b.pem cannot be read (ENOENT)',
    expect.stringMatching(/^UNKNOWN_PRESENCE must be one of/),
  ])
  expect(judge({ ...env, UNKNOWN_PRESENCE: 'offline' })).toEqual([])
})

it('[R14] a file of rooms, and users of other homeservers beside our own, are fine', () => {
  expect(judge({ CITY_SERVICE_INTERNAL_URL: '', ROOM_DIRECTORY_FILE: '/rooms.json' })).toEqual([])
  expect(judge({ USER_EVENTS: 'on', USER_EVENTS_REMOTE: 'on' })).toEqual([])
})
