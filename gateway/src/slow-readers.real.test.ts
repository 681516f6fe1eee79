// Browsers that never read, on the gateway as a process with a real nats-server: what they cost the process, and the others.
import { readdirSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startNats, type NatsServer } from '@citypresence/stack/nats-server'
import { startGateway, type Gateway } from '@citypresence/stack/service'
import { stopAll } from '@citypresence/stack/stop-all'
import { makeToken } from '@citypresence/stack/tokens'
import { until } from '@citypresence/stack/until'
import { Browser } from './testing/hall.ts'
import { startLittleLeader, type LittleLeader } from './testing/little-leader.ts'
import { upgradeRequest } from '@citypresence/sim/hostile/raw-request'

const secret = 'a secret of at least thirty-two bytes'
// Some 60 KB a round: in ten seconds of it more than what the system's own buffers hide.
const rooms = Array.from({ length: 600 }, (_, index) => `${'a-long-name-'.repeat(4)}${index}`)
const [firstRoom = '', lastRoom = ''] = [rooms[0], rooms.at(-1)]
/** Who stops reading at once, and who reads on but answers no ping. */
const [deafCount, muteCount] = [120, 40]

let nats: NatsServer
let leader: LittleLeader
let gateway: Gateway

beforeAll(async () => {
  nats = await startNats()
  leader = await startLittleLeader(nats)
  await leader.claim(1)
  await publish(0)
  const { user, pass } = nats.gateway
  const env = { NATS_URL: nats.url, NATS_USER: user, NATS_PASSWORD: pass, JWT_SECRET: secret, HOST: '127.0.0.1' }
  gateway = await startGateway({ env })
})
afterAll(() => stopAll(gateway, leader, nats))

const soon = (what: string, condition: () => boolean | Promise<boolean>) =>
  until(condition, { deadlineMs: 45_000, what })

async function publish(online: number): Promise<void> {
  await Promise.all(rooms.map((slug) => leader.room(slug, online)))
  await leader.beat(rooms.length)
}

const openFiles = (): number => readdirSync(`/proc/${gateway.pid}/fd`).length
const token = (): string => makeToken({ secret })
const enter = (more = {}): Browser => new Browser(`${gateway.webSocketUrl}?token=${token()}`, more)

async function metric(name: string): Promise<number> {
  const line = (await gateway.metrics()).split('\n').find((one) => one.startsWith(`citypresence_gateway_${name} `))
  return Number(line?.split(' ')[1] ?? 0)
}

function startDeaf(): Socket {
  const socket = connect(gateway.port, '127.0.0.1')
  socket.on('error', () => undefined).pause()
  socket.write(upgradeRequest(`/ws/city/presence?token=${token()}`))
  return socket
}

it('[G20] [G14] those who do not read or do not answer: closed with 4408 or cut, memory bounded, nothing of them left; a good reader misses nothing', async () => {
  const good = enter()
  await soon('the good one to be in', () => good.shows(firstRoom) === 0)
  // The first flushes and their garbage are no growth.
  for (let round = 1; round <= 5; round++) await publish(round)
  await soon('the good one to have it', () => good.shows(lastRoom) === 5)
  const [filesBefore, rssBefore] = [openFiles(), gateway.rss()]
  const deaf = Array.from({ length: deafCount }, startDeaf)
  const mute = Array.from({ length: muteCount }, () => enter({ autoPong: false }))
  await soon('all to be in', async () => (await metric('connections')) === 1 + deafCount + muteCount)
  expect(openFiles()).toBeGreaterThanOrEqual(filesBefore + deafCount + muteCount)
  let round = 5
  let rssMost = 0
  do {
    round++
    await publish(round)
    await soon(`the good one to have round ${round}`, () => good.shows(lastRoom) === round)
    rssMost = Math.max(rssMost, gateway.rss())
  } while ((await metric('connections')) > 1)
  expect(await metric('closes_total{code="4408"}')).toBe(deafCount + muteCount)
  await soon('the mute ones to hear of it', () => mute.every(({ closed }) => closed !== undefined))
  expect(new Set(mute.map(({ closed }) => closed?.code))).toEqual(new Set([4408]))
  await soon('their files to be closed', () => openFiles() <= filesBefore + 2)
  // In the 2 s until a ping shows them as lagging each is sent some flushes; after that nothing. The good one got all of them.
  const goodBytes = good.texts.reduce((sum, text) => sum + text.length, 0)
  const sentToEachOther = ((await metric('sent_bytes_total')) - goodBytes) / (deafCount + muteCount)
  expect(sentToEachOther).toBeLessThan(goodBytes / 2)
  // Of the bytes that wait there is one copy for all, so what grows is the garbage of ordinary work: 60 to 210 MB were seen, as the
  // collector likes. Had each of them kept what the good one got, it would be the product.
  expect(rssMost - rssBefore).toBeLessThan((goodBytes * (deafCount + muteCount)) / 2)
  const seen = good.messages
    .filter(({ room_slug: slug }) => slug === firstRoom)
    .map((one) => Number(one['online_count']))
  expect(seen.slice(-(round - 5))).toEqual(Array.from({ length: round - 5 }, (_, index) => 6 + index))
  expect(good.closed).toBeUndefined()
  good.socket.terminate()
  for (const socket of deaf) socket.resume()
  await soon('the deaf ones to find themselves cut', () => deaf.every(({ closed }) => closed))
})
