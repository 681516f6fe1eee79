// The user's own acceptance criteria, one test each, on a real Synapse, a real nats-server and our services as processes.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { freePort } from '../free-port.ts'
import { bareEnv, repositoryRoot } from '../machine.ts'
import { stopAll } from '../stop-all.ts'
import { makeTemporaryFolder } from '../temporary-folder.ts'
import { until } from '../until.ts'
import { makeToken, randomSecret } from '../tokens.ts'
import { startWholeCity, type WholeCity } from '../whole-city.ts'
import { openSocket, type Message, type SocketLog } from './socket-log.ts'

const throttleMs = 300 // the seed's rule in a tenth of its time
let whole: WholeCity
let spy: NatsConnection
const sockets: SocketLog[] = []

beforeAll(async () => {
  whole = await startWholeCity({ size: 'small', gateways: 1, throttleMs, quiet: true })
  const { user, pass } = whole.nats.gateway
  spy = await connect({ servers: whole.nats.url, user, pass, inboxPrefix: '_INBOX_gateway' })
})

afterAll(() => stopAll(...sockets, spy, whole))

const browser = (): SocketLog => {
  const socket = openSocket(`${address()}?token=${whole.token}`)
  sockets.push(socket)
  return socket
}
const address = (): string => whole.gateways[0]?.webSocketUrl ?? ''
const ada = () => whole.city.clientOf('ada')
const homeOfAda = () =>
  whole.city.roomOf(whole.city.residents.find(({ localpart }) => localpart === 'ada')?.rooms[0] ?? '')
const onlineIn = (snapshot: Message, slug: string): unknown =>
  (snapshot['rooms'] as Message[]).find((room) => room['room_slug'] === slug)?.['online_count']

it('[CITY1] the aggregator starts and follows Matrix', async () => {
  const ready = await fetch(`${whole.aggregator.adminUrl}/readyz`)
  expect(ready.status).toBe(200)
  const numbers = await whole.aggregator.metrics()
  expect(numbers).toMatch(/^citypresence_aggregator_source_stale 0$/m)
  expect(numbers).toMatch(/^citypresence_aggregator_source_age_seconds [0-9.]*[1-9]/m)
  expect(numbers).toMatch(/^citypresence_aggregator_rooms_without_matrix_room\{why="missing"\} 0$/m)
  // Following means that it goes on: somebody changes, and it is seen in the streams of the next tests. Here: the daemon is in
  // every room, the one that the fixture left out included.
  expect((await whole.city.clientOf('presence_daemon').joinedRooms()).length).toBe(whole.city.rooms.length)
})

it("[CITY2] NATS gets events on city.presence.room.<slug> with the seed's keys and types", async () => {
  const { slug, roomId, alias } = homeOfAda()
  const heard: Record<string, unknown>[] = []
  const subscription = spy.subscribe('city.presence.room.*', {
    callback: (_, message) => {
      heard.push({ subject: message.subject, ...message.json<Record<string, unknown>>() })
    },
  })
  const beforeMs = Date.now()
  await ada().setPresence('online')
  await ada().typing(roomId, true)
  const event = await until(() => heard.find((one) => one['room_slug'] === slug && one['typing_count'] === 1), {
    deadlineMs: 15_000,
    what: 'the event about a typist',
  })
  expect(event).toMatchObject({
    subject: `city.presence.room.${slug}`,
    type: 'room.presence',
    room_slug: slug,
    matrix_room_id: roomId,
    matrix_room_alias: alias,
    online_count: 1,
    typing_count: 1,
    typing_users: [ada().userId],
  })
  expect(Number.isInteger(event['last_event_ts'])).toBe(true)
  expect(event['last_event_ts']).toBeGreaterThanOrEqual(beforeMs)
  expect(event['last_event_ts']).toBeLessThanOrEqual(Date.now())
  await ada().typing(roomId, false)
  await ada().setPresence('offline')
  const isOver = (one: Record<string, unknown>) => one['room_slug'] === slug && one['online_count'] === 0
  await until(() => heard.some(isOver), { deadlineMs: 15_000, what: 'the event about the end' })
  subscription.unsubscribe()
})

it('[CITY3] the gateway opens /ws/city/presence for a token in header, subprotocol or query, and for nothing else', async () => {
  const good = [
    openSocket(`${address()}?token=${whole.token}`),
    openSocket(address(), { headers: { authorization: `Bearer ${whole.token}` } }),
    openSocket(address(), { protocols: ['city-presence', `bearer.${whole.token}`] }),
  ]
  for (const socket of good) await socket.next(({ type }) => type === 'snapshot', 'a snapshot')
  const forged = makeToken({ secret: randomSecret() })
  const expired = makeToken({ secret: whole.jwtSecret, expiresInS: -3_600 })
  const bad = ['', `?token=${forged}`, `?token=${expired}`].map((query) => openSocket(`${address()}${query}`))
  for (const socket of bad) {
    await until(() => socket.end, { deadlineMs: 10_000, what: 'a refusal' })
    expect(socket.end).toEqual({ status: 401 })
    expect(socket.messages).toEqual([])
  }
  for (const socket of good) socket.close()
})

it('[CITY4] a client that connects gets the snapshot of every room first', async () => {
  const socket = browser()
  await socket.next(({ type }) => type === 'snapshot', 'a snapshot')
  const [first] = socket.messages
  expect(first?.type).toBe('snapshot')
  const rooms = first?.['rooms'] as Message[]
  expect(rooms.map((room) => room['room_slug']).sort()).toEqual(whole.city.rooms.map(({ slug }) => slug).sort())
  for (const room of rooms) {
    expect(Number.isInteger(room['online_count'])).toBe(true)
    expect(Number.isInteger(room['typing_count'])).toBe(true)
  }
})

it('[CITY5] when presence changes the client gets an update, and no name of anybody', async () => {
  const { slug, roomId } = homeOfAda()
  const socket = browser()
  const snapshot = await socket.next(({ type }) => type === 'snapshot', 'a snapshot')
  const before = Number(onlineIn(snapshot, slug))
  await ada().setPresence('online')
  const update = await socket.next(
    (one) => one.type === 'room.presence' && one['room_slug'] === slug && one['online_count'] === before + 1,
    'ada online',
  )
  expect(update).toMatchObject({ type: 'room.presence', room_slug: slug, online_count: before + 1, typing_count: 0 })
  await ada().typing(roomId, true)
  const after = socket.messages.length
  await socket.next((one) => one['room_slug'] === slug && one['typing_count'] === 1, 'ada typing')
  await ada().typing(roomId, false)
  await socket.next((one) => one['room_slug'] === slug && one['typing_count'] === 0, 'ada silent', after)
  await ada().setPresence('offline')
  await socket.next((one) => one['room_slug'] === slug && one['online_count'] === before, 'ada offline', after)
  const everything = JSON.stringify(socket.messages)
  expect(everything).not.toContain('ada')
  expect(everything).not.toContain(roomId)
})

it('[CITY8] GET /api/city/presence answers what the socket shows, to the same token only', async () => {
  const url = `${whole.gateways[0]?.url ?? ''}/api/city/presence`
  const socket = browser()
  const snapshot = await socket.next(({ type }) => type === 'snapshot', 'a snapshot')
  const answer = await fetch(url, { headers: { authorization: `Bearer ${whole.token}` } })
  expect(answer.status).toBe(200)
  expect(await answer.json()).toEqual(snapshot)
  expect((await fetch(url)).status).toBe(401)
})

/** One of the scripts that `helm test` runs in the cluster: its exit code and what it said. */
async function helmTest(script: string, env: Readonly<Record<string, string>>) {
  const file = join(repositoryRoot, 'helm/city-presence/files', script)
  const child = spawn(process.execPath, [file], { env: { ...bareEnv(), ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, said }
}

it('[CH10] helm test opens the socket of a city and sees its snapshot; with a wrong key it fails and says why', async () => {
  const folder = makeTemporaryFolder('helm-test')
  const secret = (name: string, text: string): string => {
    writeFileSync(join(folder.path, name), text)
    return join(folder.path, name)
  }
  const look = (file: string, seconds: string) =>
    helmTest('await-snapshot.mjs', { SOCKET_URL: address(), JWT_SECRET_FILE: file, TIMEOUT_S: seconds })
  const good = await look(secret('good', `${whole.jwtSecret}\n`), '20')
  expect(good, good.said).toMatchObject({ code: 0 })
  expect(good.said).toContain(`a snapshot of ${whole.city.rooms.length} rooms`)
  const bad = await look(secret('bad', randomSecret()), '0')
  expect(bad.code).toBe(1)
  expect(bad.said).not.toContain('a snapshot of')
  folder.remove()
})

it('[CH10] helm test waits for an operator that is ready, and says what it answered meanwhile', async () => {
  const ready = await helmTest('operator-ready.mjs', {
    READY_URL: `${whole.aggregator.adminUrl}/readyz`,
    TIMEOUT_S: '5',
  })
  expect(ready).toMatchObject({ code: 0, said: expect.stringContaining(': ready') as string })
  const nobody = await helmTest('operator-ready.mjs', {
    READY_URL: `http://127.0.0.1:${await freePort()}/readyz`,
    TIMEOUT_S: '1',
  })
  expect(nobody).toMatchObject({ code: 1, said: expect.stringContaining('ECONNREFUSED') as string })
})
