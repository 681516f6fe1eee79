// The gateway as a process with a real nats-server: strangers at the door, secrets in what it writes, the end of its sessions.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { authorityPem } from '@citypresence/chassis/testing/tls-fixture'
import { startNats, type NatsServer } from '@citypresence/stack/nats-server'
import { startGateway, type Gateway } from '@citypresence/stack/service'
import { stopAll } from '@citypresence/stack/stop-all'
import { until } from '@citypresence/stack/until'
import { badTokens, goodToken, type Making } from './testing/bad-tokens.ts'
import { Browser } from './testing/hall.ts'
import { makeKey, startKeyServer } from '@citypresence/sim/key-server'
import { startLittleLeader, type LittleLeader } from './testing/little-leader.ts'
import { rawExchange, upgradeRequest } from '@citypresence/sim/hostile/raw-request'

const secret = 'canary-secret-of-at-least-thirty-two-bytes'
let nats: NatsServer
let leader: LittleLeader
let beating: NodeJS.Timeout
const stops: (() => unknown)[] = []

beforeAll(async () => {
  nats = await startNats()
  leader = await startLittleLeader(nats)
  await leader.claim(1)
  await leader.room('energy', 3)
  const beat = (): void => void leader.beat(1).catch(() => undefined)
  beat()
  beating = setInterval(beat, 1_000)
})
afterAll(async () => {
  clearInterval(beating)
  await stopAll(leader, nats)
})
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

async function start(env: Record<string, string>): Promise<Gateway> {
  const { user, pass } = nats.gateway
  const gateway = await startGateway({
    env: { NATS_URL: nats.url, NATS_USER: user, NATS_PASSWORD: pass, HOST: '127.0.0.1', ...env },
  })
  stops.push(() => gateway.stop())
  return gateway
}

const soon = (what: string, condition: () => boolean | Promise<boolean>) =>
  until(condition, { deadlineMs: 20_000, what })

/** One after another in eight rows: a crowd, and no storm. */
async function eachOf<T>(all: readonly T[], visit: (one: T) => Promise<void>): Promise<void> {
  const rest = all.values()
  const row = async (): Promise<void> => {
    for (const one of rest) await visit(one)
  }
  await Promise.all(Array.from({ length: 8 }, row))
}

/** Every page it shows to the people who run it, and every line it wrote. */
async function writtenBy(gateway: Gateway): Promise<string> {
  const pages = ['/metrics', '/readyz', '/healthz', '/nothing'].map(async (page) => {
    const answer = await fetch(gateway.adminUrl + page)
    return JSON.stringify([...answer.headers]) + (await answer.text())
  })
  return [gateway.log(), ...(await Promise.all(pages))].join('\n')
}

const socketPath = '/ws/city/presence'
const snapshotPath = '/api/city/presence'
const hasEnded = (text: string): boolean => text.includes('\r\n\r\n')

/** The parts of a token by which one would know it again. */
const marksOf = (token: string): string[] =>
  token.split('.').flatMap((part) => (part.length >= 24 ? [part.slice(-24)] : []))

it.each(['debug', 'info'])(
  '[A8] [G17] no bad token gets a 101 or a byte of data by any road; at level %s neither they nor the secret are written anywhere',
  async (level) => {
    const trap = await startKeyServer()
    stops.push(() => trap.stop())
    const issuer = 'https://id.city.example'
    const gateway = await start({ JWT_SECRET: secret, JWT_ISSUER: issuer, JWT_AUDIENCE: 'city-ws', LOG_LEVEL: level })
    const making: Making = { secret, issuer, audience: 'city-ws', nowMs: Date.now(), trapUrl: trap.url }
    const bad = badTokens(making)
    const answers: string[] = []
    let asked = 0
    await eachOf(bad, async ({ kind, token }) => {
      const query = `?token=${encodeURIComponent(token)}`
      const requests = [
        upgradeRequest(socketPath + query),
        `GET ${snapshotPath}${query} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
      ]
      // A header holds no control characters, and the header of a subprotocol no commas.
      if (/^[\x21-\x7e]+$/.test(token))
        requests.push(upgradeRequest(socketPath, ['Host: x', `Authorization: Bearer ${token}`]))
      if (/^[\w.-]+$/.test(token))
        requests.push(upgradeRequest(socketPath, ['Host: x', `Sec-WebSocket-Protocol: city-presence, bearer.${token}`]))
      asked += requests.length
      for (const request of requests) {
        const answer = await rawExchange(gateway.port, request, (text) => text.startsWith('HTTP/1.1 101'))
        expect(answer, kind).toMatch(/^HTTP\/1.1 401 /)
        expect(answer, kind).not.toMatch(/energy|snapshot|room_slug/)
        answers.push(answer)
      }
    })
    // Broken requests around a good token, and the good token itself, in and out again.
    const good = goodToken(making)
    for (const request of [
      upgradeRequest(`/nowhere?token=${good}`),
      upgradeRequest(`${socketPath}?token=${good}`, ['Host: a', 'Host: b']),
      upgradeRequest(`${socketPath}?token=${good}`, ['Host: x', 'Origin: https://evil.example']),
      upgradeRequest(`${socketPath}?token=${good}`).replace('Version: 13', 'Version: 99'),
      upgradeRequest(`${socketPath}?token=${good}&token=${bad[0]?.token ?? ''}`),
      `GET /city?token=${good} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
      `POST ${snapshotPath}?token=${good} HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n${good}`,
      `BREW ${snapshotPath}?token=${good} HTCPCP/1.0\r\n\r\n`,
      `GET ${snapshotPath}?token=${good} HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
    ])
      answers.push(await rawExchange(gateway.port, request, hasEnded))
    const viewer = new Browser(`${gateway.webSocketUrl}?token=${good}`, {})
    await soon('the good one to be in', () => viewer.shows('energy') === 3)
    viewer.socket.send(good.slice(0, 1_000))
    await soon('it to be out again', () => viewer.closed !== undefined)
    expect(viewer.closed?.code).toBe(1008)
    const written = (await writtenBy(gateway)) + answers.join('\n')
    expect((await gateway.stop()).code).toBe(0)
    const everything = written + gateway.log()
    for (const mark of [
      secret,
      Buffer.from(secret).toString('base64url'),
      ...[good, ...bad.map(({ token }) => token)].flatMap(marksOf),
    ])
      expect(everything).not.toContain(mark)
    const refusals = [...written.matchAll(/^citypresence_gateway_errors_total\{code="Token\w+"\} (\d+)$/gm)]
    expect(refusals.reduce((sum, [, count]) => sum + Number(count), 0)).toBeGreaterThanOrEqual(asked)
    expect(trap.asked()).toBe(0)
  },
)

it('[A4] [A7] keys over TLS with a CA file: rotated, flooded with invented kids, gone; known keys serve, and the address is not flooded', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-'))
  stops.push(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'ca.pem'), authorityPem)
  const keys = await startKeyServer({ tls: true })
  stops.push(() => keys.stop())
  const [first, second] = [makeKey('first'), makeKey('second', 'RS256')]
  keys.publish(first.jwk)
  const gateway = await start({
    JWKS_URL: keys.url,
    JWKS_CA_FILE: join(folder, 'ca.pem'),
    JWT_ALGORITHMS: 'ES256,RS256',
    LOG_LEVEL: 'debug',
  })
  const statusOf = async (token: string): Promise<number> =>
    (await fetch(`${gateway.url}${snapshotPath}`, { headers: { authorization: `Bearer ${token}` } })).status
  expect(await statusOf(first.token())).toBe(200)
  const statuses = new Set<number>()
  const flood = Array.from({ length: 2_000 }, (_, index) => first.token({}, { kid: `invented-${index}` }))
  await eachOf(flood, async (token) => void statuses.add(await statusOf(token)))
  // Within 30 s of the last answer a new key may have come: 503, and not the 401 that stops a page.
  keys.publish(first.jwk, second.jwk)
  statuses.add(await statusOf(second.token()))
  expect(statuses).toEqual(new Set([503]))
  expect(keys.asked()).toBeLessThanOrEqual(2)
  await keys.stop()
  const viewer = new Browser(`${gateway.webSocketUrl}?token=${first.token()}`, {})
  await soon('the known key to serve', () => viewer.shows('energy') === 3)
  viewer.socket.terminate()
  expect(gateway.log()).not.toMatch(/invented-/)
})

it('[G19] at SIGTERM all sessions end with 1012, spread over DRAIN_MS; nobody new gets in; the process ends with 0', async () => {
  const gateway = await start({ JWT_SECRET: secret, DRAIN_MS: '1500' })
  const token = goodToken({ secret, issuer: 'i', audience: 'a', nowMs: Date.now(), trapUrl: '' })
  const ends: number[] = []
  const viewers = Array.from({ length: 90 }, () => {
    const viewer = new Browser(`${gateway.webSocketUrl}?token=${token}`, {})
    viewer.socket.on('close', () => ends.push(performance.now()))
    return viewer
  })
  await soon('all to be in', () => viewers.every((viewer) => viewer.shows('energy') === 3))
  const silent = new Browser(`${gateway.webSocketUrl}?token=${token}`, {})
  await soon('the silent one to be in', () => silent.isOpen)
  const { _socket: raw } = silent.socket as unknown as { _socket: { pause(): void } }
  raw.pause()
  const stopping = gateway.stop('SIGTERM')
  await soon('the first to be shown out', () => ends.length > 0)
  const late = await rawExchange(gateway.port, upgradeRequest(`${socketPath}?token=${token}`), hasEnded)
  expect(late).toMatch(/^HTTP\/1.1 503 [^]*Retry-After: \d/)
  expect(await stopping).toEqual({ code: 0, signal: null })
  await soon('the closes', () => ends.length === viewers.length)
  expect(new Set(viewers.map(({ closed }) => closed?.code))).toEqual(new Set([1012]))
  // A lower bound only: fifteen ticks lie a tenth of a second apart at least, and hurry is what must not be.
  expect(Math.max(...ends) - Math.min(...ends)).toBeGreaterThan(1_000)
  silent.socket.terminate()
})
