// Who people are and what opens doors, looked for wherever the whole city says anything: every frame, answer, page, log line, and
// every subject that nats-server carries, over a run in which people live, tokens are wrong, and somebody leaves.
import { connect, type NatsConnection } from '@nats-io/transport-node'
import WebSocket from 'ws'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { stopAll } from '../stop-all.ts'
import { makeToken } from '../tokens.ts'
import { until } from '../until.ts'
import { startWholeCity, type WholeCity } from '../whole-city.ts'

let whole: WholeCity
let admin: NatsConnection
let stopped = false
const subjects = new Set<string>()
const events: string[] = []
/** All that browsers are told: frames, reasons of closes, answers and their headers. */
const told: string[] = []

beforeAll(async () => {
  const aggregatorEnv = { USER_EVENTS: 'on', LOG_LEVEL: 'debug' }
  const gatewayEnv = { LOG_LEVEL: 'debug', DRAIN_MS: '200' }
  whole = await startWholeCity({ size: 'small', gateways: 1, throttleMs: 100, quiet: true, aggregatorEnv, gatewayEnv })
  const { user, pass } = whole.nats.admin
  admin = await connect({ servers: whole.nats.url, user, pass })
  for (const tapped of ['city.>', 'ingest.>'])
    admin.subscribe(tapped, {
      callback: (_, { subject, data }) => {
        subjects.add(subject)
        events.push(new TextDecoder().decode(data))
      },
    })
  await admin.flush()
})
afterAll(async () => {
  await stopAll(admin, stopped ? undefined : whole)
})

function listen(token: string): WebSocket {
  const socket = new WebSocket(`${first().webSocketUrl}?token=${encodeURIComponent(token)}`)
  socket.on('message', (data: Buffer) => told.push(data.toString()))
  socket.on('close', (code, reason) => told.push(`close ${code} ${reason.toString()}`))
  socket.on('unexpected-response', (request, { statusCode, headers }) => {
    told.push(`${statusCode} ${JSON.stringify(headers)}`)
    request.destroy()
  })
  socket.on('error', () => undefined)
  return socket
}

const first = () => {
  const [gateway] = whole.gateways
  if (gateway === undefined) throw new Error('a city without a gateway')
  return gateway
}

async function ask(url: string): Promise<string> {
  const answer = await fetch(url, { headers: { authorization: `Bearer ${whole.token}` } })
  return JSON.stringify([...answer.headers]) + (await answer.text())
}

const soon = (what: string, condition: () => boolean) => until(condition, { deadlineMs: 20_000, what })

it('[CITY20] no frame, answer, page, metric or log line tells who somebody is or what opens a door; each subject has its form', async () => {
  const { city, aggregator } = whole
  const wrongToken = makeToken({ secret: 'some other secret of thirty-two bytes', subject: 'canary-subject' })
  const canary = makeToken({ secret: whole.jwtSecret, subject: 'canary-subject', claims: { jti: 'canary-id' } })
  for (const token of [canary, wrongToken, 'canary-nonsense']) listen(token)
  const [ada, boris, chidi] = ['ada', 'boris', 'chidi'].map((name) => city.clientOf(name))
  if (!ada || !boris || !chidi) throw new Error('three people were asked for')
  for (const person of [ada, boris, chidi]) await person.setPresence('online', 'canary status message')
  const [room = ''] = await ada.joinedRooms()
  await ada.typing(room, true)
  await ada.send(room, 'canary body of a message')
  for (const roomId of await boris.joinedRooms()) await boris.leave(roomId)
  await soon('their events', () => [ada, boris].every(({ userId }) => events.some((event) => event.includes(userId))))
  await soon('somebody typing to be told', () => told.some((text) => text.includes('"typing_count":1')))
  const talker = listen(canary)
  await soon('a talker to be in', () => talker.readyState === WebSocket.OPEN)
  talker.send(`hello from ${ada.userId} with ${canary}`)
  await soon('the talker to be shown out', () => told.some((text) => text.startsWith('close 1008')))

  const gateway = first()
  for (const path of ['/api/city/presence', '/city', '/nothing/@ada:x', '/api/city/presence?token=canary-nonsense'])
    told.push(await ask(gateway.url + path))
  const pages: string[] = []
  for (const { adminUrl } of [gateway, aggregator])
    for (const page of ['metrics', 'readyz', 'healthz', 'nothing']) pages.push(await ask(`${adminUrl}/${page}`))
  const heard = [...subjects]
  await whole.stop()
  stopped = true
  const logs = [gateway.log(), aggregator.log()]

  // INV-10, INV-11: of people nothing but counts; of secrets nothing anywhere.
  const people = city.residents.flatMap(({ userId, localpart }) => [userId, `"${localpart}"`])
  const canaries = ['canary-subject', 'canary-id', 'canary-nonsense', 'canary status', 'canary body']
  for (const text of [...told, gateway.log(), ...pages])
    for (const name of [...people, ...canaries]) expect(text).not.toContain(name)
  for (const name of people) expect(aggregator.log()).not.toContain(name)
  const { nats } = whole
  const secrets = [
    whole.jwtSecret,
    city.daemon.accessToken,
    nats.leader.pass,
    nats.gateway.pass,
    whole.cityService.token,
  ]
  const tokens = [canary, wrongToken, whole.token].flatMap((token) => token.split('.').slice(1))
  for (const text of [...told, ...pages, ...logs, ...events])
    for (const secret of [...secrets, ...tokens]) expect(text).not.toContain(secret)
  // Something was said at all, by each of them.
  expect(logs.map((log) => log.includes('listens'))).toEqual([true, true])
  expect(pages.join('')).toMatch(/citypresence_gateway_connections[^]*citypresence_aggregator_rooms/)
  expect(told.filter((text) => text.includes('room.presence')).length).toBeGreaterThan(3)

  // INV-12, as the server carries them.
  const form = /^(?:ingest\.)?city\.presence\.(?:u?epoch|beat|(?:room|user)\.[A-Za-z0-9_=-]{1,200})$/
  expect(heard.filter((subject) => !form.test(subject))).toEqual([])
  for (const kind of ['.room.', '.user.', '.beat']) expect(heard.join('\n')).toContain(kind)
})
