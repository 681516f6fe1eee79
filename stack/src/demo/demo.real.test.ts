// The demo's parts on a real Synapse, with a stand-in for our services: residents, latency, truth and verdict.
import { afterEach, expect, it } from 'vitest'
import { startCity, type City } from '../city-fixture.ts'
import { startLittleGateway, type LittleGateway } from '../testing/little-gateway.ts'
import { until } from '../until.ts'
import { measureLatency } from './latency.ts'
import { startResidents } from './residents.ts'
import { show } from './show.ts'
import type { Stage } from './stage.ts'
import { truthOf } from '../truth.ts'
import { differences, startViewer } from '../viewer.ts'

const stops: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

async function smallCity(): Promise<City> {
  const city = await startCity({ size: 'small', quiet: true })
  stops.push(() => city.stop())
  // Seen by the stand-in: the one room that the fixture leaves out.
  for (const { roomId } of city.rooms) await city.clientOf('presence_daemon').join(roomId)
  return city
}

async function gatewayOn(city: City): Promise<LittleGateway> {
  const gateway = await startLittleGateway(city)
  stops.push(() => gateway.stop())
  return gateway
}

it('[S21] residents come online on Synapse, and truth counts them', async () => {
  const city = await smallCity()
  const residents = startResidents(city, 7)
  stops.push(() => residents.stop())
  await until(() => residents.online() === 8, { deadlineMs: 30_000, what: 'everybody to have come' })
  await residents.fallSilent()
  expect([residents.failures, residents.lastFailure]).toEqual([0, undefined])
  const mayor = city.clientOf('mayor')
  let expected = 0
  for (const { localpart, userId } of city.residents) {
    const { presence } = await mayor.presenceOf(userId)
    const rooms = (await city.clientOf(localpart).joinedRooms()).length
    if (presence !== 'offline') expected += rooms
  }
  const total = [...(await truthOf(city)).values()].reduce((sum, { online }) => sum + online, 0)
  expect(total).toBe(expected)
  expect(total).toBeGreaterThan(0)
})

it('[S22] a viewer follows snapshot and updates, and comes back after a drop', async () => {
  const city = await smallCity()
  const gateway = await gatewayOn(city)
  const viewer = startViewer('one', gateway.webSocketUrl, 'a token')
  stops.push(() => viewer.stop())
  await until(() => viewer.rooms.size === 4, { deadlineMs: 5_000, what: 'the snapshot' })
  await city.clientOf('ada').setPresence('online')
  await until(() => viewer.updates > 0, { deadlineMs: 5_000, what: 'an update' })
  gateway.dropAll()
  await until(() => viewer.snapshots === 2, { deadlineMs: 10_000, what: 'a second snapshot' })
  await until(async () => differences(viewer.rooms, await truthOf(city)).length === 0, {
    deadlineMs: 5_000,
    what: 'truth',
  })
  expect(viewer.reconnects).toBe(1)
})

it('[S22] latency is timed in rooms quiet for two windows, and leaves nobody typing', async () => {
  const city = await smallCity()
  const gateway = await gatewayOn(city)
  const viewers = ['one', 'two'].map((name) => startViewer(name, gateway.webSocketUrl, 'a token'))
  stops.push(() => viewers.forEach((viewer) => viewer.stop()))
  const latency = measureLatency(city, viewers, 200)
  await until(() => latency.samplesMs.length >= 4, { deadlineMs: 30_000, what: 'two probes on two sockets' })
  await latency.stop()
  expect([latency.missed, latency.lastFailure]).toEqual([0, undefined])
  for (const ms of latency.samplesMs) expect(ms).toBeGreaterThan(0)
  await until(() => viewers.every(({ rooms }) => [...rooms.values()].every(({ typing }) => typing === 0)), {
    deadlineMs: 10_000,
    what: 'nobody to type',
  })
})

async function play(lie: number): Promise<{ why: string | undefined; lines: string[]; stopped: boolean }> {
  const city = await smallCity()
  const gateways = [await gatewayOn(city), await gatewayOn(city)]
  const [, second] = gateways
  if (second !== undefined) second.lieBy = lie
  const lines: string[] = []
  let stopped = false
  const living = { isRunning: () => true }
  const stage = {
    city,
    aggregators: [living],
    gateways: gateways.map((gateway) => Object.assign(gateway, living)),
    throttleMs: 300,
    token: 'a token',
    address: 'http://here/city#token=x',
    stop: () => {
      stopped = true
      return Promise.resolve()
    },
  } as unknown as Stage
  const options = {
    lengthMs: 8_000,
    throttleMs: 300,
    leaders: 1,
    observe: false,
    seed: 3,
    agreeWithinMs: 8_000,
    signal: new AbortController().signal,
  }
  const why = await show({ ...options, say: (line) => lines.push(line) }, () => Promise.resolve(stage))
  return { why, lines, stopped }
}

it('[S23] a city that lives is told so, a line a second, and everything is stopped', async () => {
  const { why, lines, stopped } = await play(0)
  expect(why).toBeUndefined()
  expect(lines.filter((line) => /^ +\d+ s .*people online/.test(line))).toHaveLength(8)
  expect(lines.join('\n')).toContain('http://here/city#token=x')
  expect(stopped).toBe(true)
})

it('[S23] a gateway that shows other counts than its neighbour is found out', async () => {
  const { why, stopped } = await play(1)
  expect(why).toContain('The gateways disagree')
  expect(stopped).toBe(true)
})
