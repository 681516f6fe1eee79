// The daemon's requests against the homeserver double: what arrives, what is refused, and who has to wait.
import { createFakeClock } from '@citypresence/chassis/testing/fake-clock'
import type { Secret } from '@citypresence/chassis/secret'
import { startHomeserver, type Homeserver } from '@citypresence/sim/homeserver'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createDaemon, type Daemon } from '../testing/matrix.ts'

let homeserver: Homeserver
let daemon: Daemon
const clock = createFakeClock()

beforeEach(async () => {
  homeserver = await startHomeserver()
  daemon = createDaemon({ url: homeserver.url, ...homeserver.account('presence_daemon'), clock })
})
afterEach(async () => {
  await daemon.stop()
  await homeserver.stop()
})

const asked = (path: RegExp) => homeserver.requests.filter((request) => path.test(request.path))

it('[M38] each request arrives as the specification writes it, with the token in a header only', async () => {
  const { client, userId } = daemon
  const ada = homeserver.account('ada').userId
  const roomId = homeserver.script.createRoom({ alias: '#city_market:test.local', members: [ada], isPublic: true })
  expect(await client.whoami()).toBe(userId)
  expect((await client.resolveAlias('#city_market:test.local')).roomId).toBe(roomId)
  await client.join(roomId, ['test.local'])
  expect(await client.joinedRooms()).toEqual([roomId])
  expect([...(await client.joinedMembers(roomId))].sort()).toEqual([ada, '@mayor:test.local', userId].sort())
  await client.setPresence(userId, 'unavailable')
  expect(await client.presenceOf(userId)).toBe('unavailable')
  expect(asked(/^\/join\//)[0]?.query.getAll('via')).toEqual(['test.local'])
  for (const { query, headers } of homeserver.requests) {
    expect(headers.authorization).toMatch(/^Bearer /)
    expect(query.has('access_token')).toBe(false)
  }
})

it('[R15] the list of a room of a hundred thousand comes; one that is larger than any first sync may be does not', async () => {
  const { client } = daemon
  const names = Array.from(
    { length: 100_000 },
    (_, person) => `"@u${person}:t":{"avatar_url":"mxc://t/${'x'.repeat(80)}"}`,
  )
  const body = `{"joined":{${names.join()}}}`
  expect(body.length).toBeGreaterThan(8 * 1024 * 1024)
  homeserver.fault({ path: /joined_members/, times: 1, fault: { kind: 'bytes', body } })
  expect(await client.joinedMembers('!r:t')).toHaveLength(100_000)
  homeserver.fault({
    path: /joined_members/,
    times: 1,
    fault: { kind: 'bytes', body: 'x'.repeat(64 * 1024 * 1024 + 1) },
  })
  await expect(client.joinedMembers('!r:t')).rejects.toMatchObject({
    code: 'MatrixGarbled',
    cause: { code: 'HttpTooLarge' },
  })
})

it('[M39] a list that is refused, or is none, is told apart like every other answer', async () => {
  const { client } = daemon
  const answered = (fault: Parameters<Homeserver['fault']>[0]['fault']) => {
    homeserver.fault({ path: /joined_members/, times: 1, fault })
    return expect(client.joinedMembers('!r:t')).rejects
  }
  await expect(client.joinedMembers(homeserver.script.createRoom())).rejects.toMatchObject({
    code: 'MatrixRefused',
    status: 403,
    errcode: 'M_FORBIDDEN',
  })
  await answered({ kind: 'bytes', body: '{"joined":7}' }).toThrow('GET /joined_members: joined: expected')
  await answered({ kind: 'bytes', body: 'no' }).toMatchObject({ code: 'MatrixGarbled' })
  await answered({ kind: 'reset' }).toMatchObject({ code: 'MatrixUnreachable' })
  // Joins and presence have limits of their own: only reads wait.
  await answered({ kind: 'rate-limited', retryAfterMs: 5_000 }).toMatchObject({ code: 'MatrixRateLimited' })
  await expect(client.joinedMembers('!r:t')).rejects.toThrow('not asked')
  await expect(client.joinedRooms()).rejects.toThrow('not asked')
  expect(await client.whoami()).toBe(daemon.userId)
  await clock.advance(5_000)
  homeserver.fault({ path: /joined_members/, times: 1, fault: { kind: 'silent' } })
  const abort = new AbortController()
  const call = client.joinedMembers('!r:t', abort.signal)
  abort.abort()
  await expect(call).rejects.toMatchObject({ code: 'Aborted' })
})

it('[M38] the same filter is stored once and has one id', async () => {
  const { client, userId } = daemon
  const filter = { room: { timeline: { limit: 5 } } }
  expect(await client.storeFilter(userId, filter)).toBe(await client.storeFilter(userId, filter))
})

it('[M39] a refusal carries status and error code, an answer that is no Matrix is garbled, no answer is unreachable', async () => {
  const { client } = daemon
  await expect(client.resolveAlias('#nobody:test.local')).rejects.toMatchObject({
    code: 'MatrixRefused',
    status: 404,
    errcode: 'M_NOT_FOUND',
  })
  homeserver.fault({ path: /whoami/, times: 1, fault: { kind: 'html', status: 502 } })
  await expect(client.whoami()).rejects.toMatchObject({ code: 'MatrixUnreachable', status: 502, errcode: '' })
  homeserver.fault({ path: /whoami/, times: 1, fault: { kind: 'html', status: 200 } })
  await expect(client.whoami()).rejects.toMatchObject({ code: 'MatrixGarbled' })
  homeserver.fault({ path: /whoami/, times: 1, fault: { kind: 'bytes', body: '{"user_id":7}' } })
  await expect(client.whoami()).rejects.toThrow('user_id: expected text')
  homeserver.fault({ path: /whoami/, times: 1, fault: { kind: 'status', status: 403, body: 'no' } })
  await expect(client.whoami()).rejects.toMatchObject({ code: 'MatrixRefused', status: 403, errcode: '' })
  homeserver.fault({ path: /whoami/, times: 1, fault: { kind: 'reset' } })
  await expect(client.whoami()).rejects.toMatchObject({ code: 'MatrixUnreachable' })
})

it('[M31] after a 429 that kind of call does not leave before its time, while others do', async () => {
  const { client } = daemon
  const roomId = homeserver.script.createRoom({ isPublic: true })
  homeserver.fault({ path: /^\/join/, times: 1, fault: { kind: 'rate-limited', retryAfterMs: 9_602 } })
  await expect(client.join(roomId, [])).rejects.toMatchObject({ code: 'MatrixRateLimited', retryAfterMs: 9_602 })
  await expect(client.join(roomId, [])).rejects.toThrow('not asked')
  expect(asked(/^\/join/)).toHaveLength(1)
  expect(await client.joinedRooms()).toEqual([])
  await clock.advance(9_602)
  await client.join(roomId, [])
  expect(await client.joinedRooms()).toEqual([roomId])
})

it('[M31] a refused token is tried once a minute by all calls together, another one within two seconds', async () => {
  const { userId, accessToken } = homeserver.account('presence_daemon')
  let token = accessToken
  const secret: Secret = { read: () => token, source: 'file', toJSON: () => '***', toString: () => '***' }
  const rotating = createDaemon({ url: homeserver.url, userId, accessToken: secret, clock })
  const { client } = rotating
  homeserver.setSession(userId, 'unknown')
  await expect(client.whoami()).rejects.toMatchObject({ code: 'MatrixTokenRefused', errcode: 'M_UNKNOWN_TOKEN' })
  await expect(client.joinedRooms()).rejects.toThrow('not asked')
  await clock.advance(60_000)
  await expect(client.joinedRooms()).rejects.toMatchObject({ status: 401 })
  await expect(client.whoami()).rejects.toThrow('not asked')
  expect(homeserver.requests).toHaveLength(2)
  const allowed = client.untilAllowed('read', new AbortController().signal)
  token = homeserver.account('presence_daemon').accessToken
  await clock.advance(2_000)
  await allowed
  expect(await client.whoami()).toBe(userId)
  await rotating.stop()
})

it('[M39] a cancelled call is no failure of the homeserver', async () => {
  homeserver.fault({ path: /whoami/, fault: { kind: 'silent' } })
  const abort = new AbortController()
  const call = daemon.client.whoami(abort.signal)
  abort.abort()
  await expect(call).rejects.toMatchObject({ code: 'Aborted' })
})
