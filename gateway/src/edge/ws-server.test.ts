// The public port on real sockets of this machine: who gets in, what they see, how they are shown out.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { makeToken } from '@citypresence/stack/tokens'
import { until } from '@citypresence/stack/until'
import { rawExchange as exchange, upgradeRequest } from '@citypresence/sim/hostile/raw-request'
import { Browser, secret, startHall, tokenFor, type Hall } from '../testing/hall.ts'

let hall: Hall
const start = async (...options: Parameters<typeof startHall>): Promise<Hall> => (hall = await startHall(...options))
afterEach(() => hall.stop())

const soon = (what: string, condition: () => boolean) => until(condition, { deadlineMs: 10_000, what })

const rawExchange = (request: string, enough?: (text: string) => boolean) => exchange(hall.port, request, enough)

it('[G17] a viewer gets 101, the snapshot and the status first, then updates; the alias is the same socket', async () => {
  await start()
  hall.room('energy', 3)
  const viewers = [hall.open(), hall.open(undefined, { path: '/ws/city/global-presence' })]
  await soon('both to be in', () => viewers.every(({ messages }) => messages.length === 2))
  hall.room('energy', 4)
  await soon('the update', () => viewers.every((viewer) => viewer.shows('energy') === 4))
  for (const { messages } of viewers)
    expect(messages).toEqual([
      { type: 'snapshot', rooms: [{ room_slug: 'energy', online_count: 3, typing_count: 0 }] },
      { type: 'status', stale: true, reason: 'no-beat' },
      { type: 'room.presence', room_slug: 'energy', online_count: 4, typing_count: 0 },
    ])
})

it('[A3] the token may come as header or subprotocol too; the protocol that names the token is never echoed', async () => {
  await start()
  const [header, ...none] = [hall.open('', { headers: { authorization: `Bearer ${tokenFor()}` } })]
  await soon('the header to do', () => header.isOpen)
  expect(none).toEqual([])
  const enough = (text: string): boolean => text.includes('snapshot')
  const host = 'Host: x'
  const both = `Sec-WebSocket-Protocol: city-presence, bearer.${tokenFor()}`
  const answer = await rawExchange(upgradeRequest('/ws/city/presence', [host, both]), enough)
  expect(answer).toMatch(/^HTTP\/1.1 101 /)
  expect(answer).toMatch(/Sec-WebSocket-Protocol: city-presence\r\n/)
  const alone = `Sec-WebSocket-Protocol: bearer.${tokenFor()}`
  const answerAlone = await rawExchange(upgradeRequest('/ws/city/presence', [host, alone]), enough)
  expect(answerAlone).not.toMatch(/Sec-WebSocket-Protocol/)
})

it('[G17] no 101 and no byte of data before a good token, host, origin and path', async () => {
  await start()
  hall.room('energy', 3)
  const path = '/ws/city/presence'
  const good = tokenFor()
  const cases: [string, number][] = [
    [upgradeRequest(path), 401],
    [upgradeRequest(`${path}?token=${good.slice(0, -2)}`), 401],
    [upgradeRequest(`${path}?token=${tokenFor(-60)}`), 401],
    [upgradeRequest(`${path}?token=${good}&token=other`), 401],
    [upgradeRequest(`/ws/other?token=${good}`), 404],
    [upgradeRequest(`${path}?token=${good}`, ['Host: a', 'Host: b']), 400],
    [upgradeRequest(`${path}?token=${good}`, []), 400],
    [upgradeRequest(`${path}?token=${good}`, ['Host: x', 'Origin: https://evil.example']), 403],
    [upgradeRequest(`${path}?token=${good}`, ['Host: x', 'Origin: null']), 403],
    [upgradeRequest(`${path}?token=${good}`).replace('Version: 13', 'Version: 7'), 400],
    [upgradeRequest(`${path}?token=${good}`).replace('dGhlIHNhbXBsZSBub25jZQ==', 'short'), 400],
  ]
  for (const [request, status] of cases) {
    const answer = await rawExchange(request)
    expect(answer, request).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    expect(answer).not.toMatch(/101|energy|snapshot/)
  }
  expect(hall.gateway.size()).toBe(0)
})

it('[G17] who is too early, or one too many, is told when to come back', async () => {
  let ready = false
  await start({ isReady: () => ready, connectionsMax: 1 })
  const request = upgradeRequest(`/ws/city/presence?token=${tokenFor()}`)
  expect(await rawExchange(request)).toMatch(/^HTTP\/1.1 503 [^]*Retry-After: \d/)
  ready = true
  const viewer = hall.open()
  await soon('the first to be in', () => viewer.isOpen)
  expect(await rawExchange(request)).toMatch(/^HTTP\/1.1 503 [^]*Retry-After: \d/)
  viewer.socket.terminate()
  await soon('its place to be free', () => hall.gateway.size() === 0)
  const next = hall.open()
  await soon('the next to be in', () => next.isOpen)
  const written = await hall.written()
  for (const code of ['NotReady', 'TooManyConnections']) expect(written).toContain(`errors_total{code="${code}"} 1`)
})

it('[G16] ping is answered with pong, any other message ends with 1008, a big one with 1009, a broken frame with 1002', async () => {
  await start()
  const [polite, chatty, binary, big, broken] = Array.from({ length: 5 }, () => hall.open())
  if (!polite || !chatty || !binary || !big || !broken) throw new Error('five were asked for')
  await soon('all to be in', () => hall.gateway.size() === 5)
  await soon('all to see it', () => [polite, chatty, binary, big, broken].every((one) => one.isOpen))
  polite.socket.send('ping')
  chatty.socket.send('hello')
  binary.socket.send(Buffer.from('ping'))
  big.socket.send('x'.repeat(2_000))
  const { _socket: raw } = broken.socket as unknown as { _socket: Socket }
  raw.write(Buffer.from([0xf1, 0x80, 0, 0, 0, 0]))
  await soon('the answers', () => polite.texts.includes('pong'))
  await soon('the closes', () => [chatty, binary, big, broken].every(({ closed }) => closed !== undefined))
  expect([chatty, binary, big, broken].map(({ closed }) => closed?.code)).toEqual([1008, 1008, 1009, 1002])
  expect(polite.closed).toBeUndefined()
  expect(hall.gateway.size()).toBe(1)
})

it('[G16] at the token’s end the session closes with 4401', async () => {
  await start()
  const viewer = hall.open(tokenFor(2))
  await soon('it to be in', () => viewer.isOpen)
  await soon('its end', () => viewer.closed !== undefined)
  expect(viewer.closed).toEqual({ code: 4401, reason: 'token expired' })
})

it('[G19] at a stop all are closed with 1012, nobody new is let in, and nothing is left', async () => {
  await start({ drainMs: 300 })
  const viewers = Array.from({ length: 12 }, () => hall.open())
  await soon('all to be in', () => hall.gateway.size() === 12)
  const draining = hall.gateway.drain()
  expect(await rawExchange(upgradeRequest(`/ws/city/presence?token=${tokenFor()}`))).toMatch(/^HTTP\/1.1 503 /)
  await draining
  await soon('the closes', () => viewers.every(({ closed }) => closed !== undefined))
  expect(new Set(viewers.map(({ closed }) => closed?.code))).toEqual(new Set([1012]))
  await hall.server.stop()
  await expect(fetch(hall.url)).rejects.toThrow()
})

it('[G19] who does not answer its close is cut when the port stops', async () => {
  await start()
  const silent = connect(hall.port, '127.0.0.1')
  silent.on('error', () => undefined)
  silent.write(upgradeRequest(`/ws/city/presence?token=${tokenFor()}`))
  await soon('it to be in', () => hall.gateway.size() === 1)
  await hall.gateway.drain()
  await hall.server.stop()
  silent.resume()
  await soon('it to be cut', () => silent.closed)
})

it('[G17] resets at every moment of a handshake harm nobody', async () => {
  let release: () => void = () => undefined
  const gate = new Promise<void>((resolve) => (release = resolve))
  await start({
    authenticate: async () => {
      await gate
      return { ok: true, expiresAtWallMs: Date.now() + 60_000 }
    },
  })
  const request = upgradeRequest('/ws/city/presence?token=x')
  const sockets = Array.from({ length: 20 }, () => connect(hall.port, '127.0.0.1'))
  for (const [index, socket] of sockets.entries()) {
    socket.on('error', () => undefined)
    await once(socket, 'connect')
    socket.write(index % 2 === 0 ? request : request.slice(0, 40))
  }
  for (const socket of sockets) socket.resetAndDestroy()
  release()
  const viewer = hall.open()
  await soon('somebody else to be in', () => viewer.isOpen)
  await soon('the broken ones to be gone', () => hall.gateway.size() === 1)
})

it('[G20] a reader who stops reading is passed over while others go on, and gets only the newest when it reads again', async () => {
  await start()
  const rooms = Array.from({ length: 100 }, (_, index) => `room-${index}`)
  const [good, slow] = [hall.open(), hall.open()]
  await soon('both to be in', () => good.isOpen && slow.isOpen)
  const { _socket: raw } = slow.socket as unknown as { _socket: Socket }
  raw.pause()
  let round = 0
  const change = async (): Promise<void> => {
    round++
    for (const slug of rooms) hall.room(slug, round)
    await soon('the good one to have it', () => good.shows('room-99') === round)
  }
  // Its pings are unanswered: bytes that the system took for it do not hide that it does not read.
  while (!/^citypresence_gateway_behind 1$/m.test(await hall.written())) await change()
  const passedOverAt = round
  for (let more = 0; more < 50; more++) await change()
  raw.resume()
  await soon('the slow one to have it', () => rooms.every((slug) => slow.shows(slug) === round))
  const counts = slow.messages.filter((one) => one['room_slug'] === 'room-0').map((one) => Number(one['online_count']))
  expect(counts).toEqual(counts.toSorted((a, b) => a - b))
  expect(counts.filter((count) => count > passedOverAt)).toEqual([round])
  expect(slow.closed).toBeUndefined()
})

it('[G21] the snapshot by REST is for the same token and says the same; 401 only for the token', async () => {
  let ready = true
  await start({ isReady: () => ready, allowedOrigins: ['https://app.example'] })
  hall.room('energy', 3)
  const ask = (headers: Record<string, string>, query = '') =>
    fetch(`${hall.url}/api/city/presence${query}`, { headers })
  const bearer = { authorization: `Bearer ${tokenFor()}` }
  for (const answer of [await ask(bearer), await ask({}, `?token=${tokenFor()}`)]) {
    expect(answer.status).toBe(200)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(await answer.json()).toEqual({
      type: 'snapshot',
      rooms: [{ room_slug: 'energy', online_count: 3, typing_count: 0 }],
    })
  }
  expect((await ask({})).status).toBe(401)
  expect((await ask({ ...bearer, origin: 'https://evil.example' })).status).toBe(403)
  const other = await ask({ ...bearer, origin: 'https://app.example' })
  expect(other.headers.get('access-control-allow-origin')).toBe('https://app.example')
  const preflight = await fetch(`${hall.url}/api/city/presence`, {
    method: 'OPTIONS',
    headers: { origin: 'https://app.example', 'access-control-request-headers': 'authorization' },
  })
  expect(preflight.status).toBe(204)
  expect(preflight.headers.get('access-control-allow-headers')).toBe('authorization')
  ready = false
  expect((await ask(bearer)).status).toBe(503)
})

it('[G22] the page is served with a policy that lets nothing else in, and only where it is switched on', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'page-'))
  writeFileSync(join(folder, 'index.html'), '<!doctype html>the city')
  writeFileSync(join(folder, 'app.js'), 'void 0')
  try {
    await start({ pageFolder: folder })
    const page = await fetch(`${hall.url}/city`)
    expect(await page.text()).toContain('the city')
    expect(page.headers.get('content-security-policy')).toMatch(/default-src 'none'; script-src 'self'/)
    expect(page.headers.get('referrer-policy')).toBe('no-referrer')
    expect(page.headers.get('x-content-type-options')).toBe('nosniff')
    expect((await fetch(`${hall.url}/city/app.js`)).headers.get('content-type')).toMatch(/javascript/)
    for (const path of ['/city/..%2f..%2fetc/passwd', '/city/%00', '/city/missing.js'])
      expect((await fetch(hall.url + path)).status).toBeGreaterThanOrEqual(400)
    await hall.stop()
    await start()
    expect((await fetch(`${hall.url}/city`)).status).toBe(404)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

it('[A8] a token never reaches a log line, a metric, or an answer, however wrong the request', async () => {
  await start()
  const canary = makeToken({ secret, claims: { canary: 'kept' } })
  const spoiled = `${canary}x`
  for (const token of [canary, spoiled]) {
    for (const path of ['/ws/city/presence', '/ws/other', '/api/city/presence', '/nowhere', '/city']) {
      const answers = [
        await rawExchange(upgradeRequest(`${path}?token=${token}`), (text) => text.includes('\r\n\r\n')),
        await rawExchange(`GET ${path}?token=${token} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`),
        await rawExchange(`BAD ${path}?token=${token} HTTP/9\r\n\r\n`),
      ]
      for (const answer of answers) expect(answer).not.toContain(token.slice(-20))
    }
  }
  const viewer = new Browser(`ws://127.0.0.1:${hall.port}/ws/city/presence?token=${canary}`, {})
  await soon('it to be in', () => viewer.isOpen)
  viewer.socket.send(canary)
  await soon('it to be out', () => viewer.closed !== undefined)
  expect(viewer.closed?.reason).not.toContain(canary)
  const written = await hall.written()
  for (const part of canary.split('.')) expect(written).not.toContain(part.slice(0, 20))
  expect(written).toContain('errors_total{code="Token')
})

it('[G29] who does not finish a request is cut within 12 s, however it delays, and others are served meanwhile', async () => {
  await start()
  const post = 'POST /api/city/presence HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n'
  const begins = ['', 'GET /api', upgradeRequest('/ws/city/presence').slice(0, -2), post]
  const sockets = begins.flatMap((begin) =>
    [false, true].map((drips) => ({ begin, drips, socket: connect(hall.port, '127.0.0.1') })),
  )
  for (const { socket, begin } of sockets) {
    socket.on('error', () => undefined).resume()
    socket.write(begin)
  }
  // A letter now and then: each of them sets back a clock that only measures silence.
  const dripping = setInterval(() => {
    for (const { socket, drips } of sockets) if (drips && socket.writable) socket.write('x')
  }, 400)
  try {
    const viewer = hall.open()
    await soon('a viewer to be in', () => viewer.isOpen)
    await until(() => sockets.every(({ socket }) => socket.closed), { deadlineMs: 12_000, what: 'all to be cut' })
    expect(viewer.closed).toBeUndefined()
  } finally {
    clearInterval(dripping)
  }
})
