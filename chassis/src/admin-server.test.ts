import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, expect, it } from 'vitest'
import { type AdminServer, startAdminServer } from './admin-server.ts'
import { createLogger } from './log.ts'
import { createMetrics } from './metrics.ts'

const log = createLogger({ service: 'test', level: 'silent' })
const servers: AdminServer[] = []
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()))
})

async function start(readiness = () => ({ ready: true, reasons: [] as string[] })) {
  const server = await startAdminServer({ host: '127.0.0.1', port: 0, metrics: createMetrics('test'), readiness, log })
  servers.push(server)
  return { server, get: (path: string) => fetch(`http://127.0.0.1:${server.port}${path}`) }
}

it('[C12] /healthz is 200 and /metrics is Prometheus text', async () => {
  const { get } = await start()
  expect((await get('/healthz')).status).toBe(200)
  const metrics = await get('/metrics')
  expect(metrics.headers.get('content-type')).toContain('text/plain')
  expect(await metrics.text()).toContain('process_cpu')
})

it('[C12] /readyz is 200 when ready and 503 with the reasons when not', async () => {
  let reasons: string[] = ['NatsUnreachable']
  const { get } = await start(() => ({ ready: reasons.length === 0, reasons }))
  const refused = await get('/readyz')
  expect([refused.status, await refused.json()]).toEqual([503, { ready: false, reasons: ['NatsUnreachable'] }])
  reasons = []
  expect((await get('/readyz')).status).toBe(200)
})

it('[C12] an unknown address is a 404 that does not repeat it', async () => {
  const { get } = await start()
  const answer = await get('/secret-path?token=hunter2')
  expect(answer.status).toBe(404)
  expect(await answer.text()).not.toMatch(/secret-path|hunter2/)
})

it('[C12] a failing readiness is a 500 without its details', async () => {
  const { get } = await start(() => {
    throw new Error('hunter2')
  })
  const answer = await get('/readyz')
  expect(answer.status).toBe(500)
  expect(await answer.text()).not.toContain('hunter2')
})

it(
  '[C12] a socket that never finishes its headers is cut, others are served meanwhile',
  { timeout: 20_000 },
  async () => {
    const { server, get } = await start()
    const socket = connect(server.port, '127.0.0.1')
    socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ')
    const closed = once(socket.resume(), 'close')
    expect((await get('/healthz')).status).toBe(200)
    // The headers deadline is 5 s, looked after every second; the one for whole requests, at 10 s, would be too late.
    expect(await Promise.race([closed.then(() => 'cut'), delay(9_000, 'still open')])).toBe('cut')
  },
)

it('[C12] large headers and bodies are refused', async () => {
  const { server } = await start()
  const base = `http://127.0.0.1:${server.port}`
  const headers = { 'x-large': 'x'.repeat(9_000) }
  const answer = await fetch(`${base}/healthz`, { headers }).then(
    ({ status }) => status,
    () => 'cut',
  )
  expect([431, 'cut']).toContain(answer)
  expect((await fetch(`${base}/healthz`, { method: 'POST', body: 'x'.repeat(5_000) })).status).toBeGreaterThanOrEqual(
    400,
  )
})

it('[C12] a request that announces a body is refused before it is sent, and its connection cut', async () => {
  const { server } = await start()
  for (const line of ['Content-Length: 99999999', 'Transfer-Encoding: chunked']) {
    const socket = connect(server.port, '127.0.0.1')
    let text = ''
    socket.on('data', (data) => (text += data.toString('latin1')))
    socket.write(`POST /metrics HTTP/1.1\r\nHost: x\r\n${line}\r\n\r\n`)
    await once(socket, 'close')
    expect(text).toMatch(/^HTTP\/1.1 413 /)
  }
})

it('[C12] it stops at once though a scraper keeps its connection open', { timeout: 5_000 }, async () => {
  const { server, get } = await start()
  await (await get('/healthz')).text()
  const idle = connect(server.port, '127.0.0.1')
  await once(idle, 'connect')
  const closed = once(idle.resume(), 'close')
  await server.stop()
  await closed
})

it('[C12] a port in use is PortTaken, and names it', async () => {
  const { server } = await start()
  const second = startAdminServer({
    host: '127.0.0.1',
    port: server.port,
    metrics: createMetrics('test'),
    readiness: () => ({ ready: true, reasons: [] }),
    log,
  })
  await expect(second).rejects.toMatchObject({
    code: 'PortTaken',
    message: expect.stringContaining(String(server.port)) as string,
  })
})

it('[C12] what has to move and does not is not healthy; what is measured by looking is looked at first', async () => {
  const state = { alive: true, looked: 0 }
  const server = await startAdminServer({
    host: '127.0.0.1',
    port: 0,
    metrics: createMetrics('test'),
    readiness: () => ({ ready: true, reasons: [] }),
    alive: () => state.alive,
    measure: () => {
      state.looked++
    },
    log,
  })
  const status = async (path: string) => (await fetch(`http://127.0.0.1:${server.port}${path}`)).status
  expect(await status('/healthz')).toBe(200)
  state.alive = false
  expect(await status('/healthz')).toBe(503)
  expect(await status('/metrics')).toBe(200)
  expect(state.looked).toBe(1)
  await server.stop()
})
