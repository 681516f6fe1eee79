// One browser's socket over a real connection of this machine, with a listener that writes down what the loop would hear.
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import WebSocket, { WebSocketServer } from 'ws'
import { upgradeRequest } from '@citypresence/sim/hostile/raw-request'
import { until } from '@citypresence/stack/until'
import { closeCodes } from '@citypresence/wire/client-messages'
import type { Client } from '../core/client.ts'
import { pingFrame, pongId, textFrame } from '../core/frames.ts'
import { boundRest, ClientSocket, listenTo, SocketOutlet } from './client-socket.ts'

let server: Server
let library: WebSocketServer
let others: Set<ClientSocket>
let heard: unknown[]
/** Whether what goes out goes past Node's stream; both have to hold. */
let isDirect = true
let ends: { outlet: SocketOutlet; client: Client }[]
const browsers: { terminate(): void }[] = []

beforeEach(async () => {
  others = new Set()
  isDirect = true
  // Its own list for each test: a late end belongs to the test before.
  const list: unknown[] = (heard = [])
  ends = []
  server = createServer()
  // The types lack closeTimeout.
  const settings = { noServer: true, WebSocket: ClientSocket, maxPayload: 1_024, closeTimeout: 200 }
  library = new WebSocketServer(settings)
  server.on('upgrade', (request, socket: Socket, head) =>
    library.handleUpgrade(request, socket, head, (ws) => {
      if (!(ws instanceof ClientSocket)) throw new Error('the library made it of another class')
      ws.raw = socket
      ws.on('error', boundRest)
      const outlet = new SocketOutlet(socket, ws, isDirect)
      const client: Client = { outlet, session: { kind: 'closing' } }
      ends.push({ outlet, client })
      const number = ends.length
      listenTo(
        ws,
        client,
        {
          message: (from, text) => list.push(['message', from === client && number, text]),
          pong: (from, payload) => list.push(['pong', from === client && number, pongId(payload)]),
          left: (from) => list.push(['left', from === client && number]),
        },
        others,
      )
    }),
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})

afterEach(async () => {
  for (const browser of browsers.splice(0)) browser.terminate()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

const soon = (what: string, condition: () => boolean) => until(condition, { deadlineMs: 10_000, what })
const portOf = (): number => (server.address() as AddressInfo).port

async function open(): Promise<WebSocket & { got: string[]; code: number | undefined }> {
  const socket = Object.assign(new WebSocket(`ws://127.0.0.1:${portOf()}/`), {
    got: [] as string[],
    code: undefined as number | undefined,
  })
  browsers.push(socket)
  socket.on('error', () => undefined)
  socket.on('message', (data: Buffer) => socket.got.push(data.toString()))
  socket.on('close', (code: number) => (socket.code = code))
  await once(socket, 'open')
  return socket
}

function lastEnd(): { outlet: SocketOutlet; client: Client } {
  const end = ends.at(-1)
  if (end === undefined) throw new Error('nobody is there')
  return end
}

it('[G27] a text no longer than a ping comes by its letters, a longer one as empty, a binary one as undefined', async () => {
  const browser = await open()
  for (const text of ['ping', 'PING', '', 'pin', 'pings', 'x'.repeat(1_024), 'ü']) browser.send(text)
  browser.send(Buffer.from('ping'))
  await soon('all of it', () => heard.length === 8)
  expect(heard.map((entry) => (entry as unknown[])[2])).toEqual(['ping', 'PING', '', 'pin', '', '', 'Ã¼', undefined])
})

it('[G27] a ping in fragments is the same ping; a pong comes with the number of its ping', async () => {
  const browser = await open()
  browser.send('pi', { fin: false })
  browser.send('ng', { fin: true })
  lastEnd().outlet.send(pingFrame(77))
  browser.pong('unasked')
  await soon('all of it', () => heard.length === 3)
  expect(heard).toContainEqual(['message', 1, 'ping'])
  expect(heard).toContainEqual(['pong', 1, 77])
  expect(heard).toContainEqual(['pong', 1, 0])
})

it('[G27] each end of a connection is told once, for the right browser, and nothing keeps the socket', async () => {
  const [closing, cut, broken, big] = [await open(), await open(), await open(), await open()]
  expect(others.size).toBe(4)
  closing.close(1000)
  await soon('the first to be gone', () => others.size === 3)
  cut.terminate()
  await soon('the second to be gone', () => others.size === 2)
  ;(broken as unknown as { _socket: Socket })._socket.write(Buffer.from([0xff, 0xff]))
  await soon('the third to be gone', () => others.size === 1)
  big.send('x'.repeat(1_025))
  await soon('the last to be gone', () => others.size === 0)
  expect(heard).toEqual([
    ['left', 1],
    ['left', 2],
    ['left', 3],
    ['left', 4],
  ])
  expect([broken.code, big.code]).toEqual([1002, 1009])
})

it.each([true, false])(
  '[G27] after a close nothing more is written (direct: %s); the code and the reason arrive',
  async (way) => {
    isDirect = way
    const browser = await open()
    const { _socket: reading } = browser as unknown as { _socket: Socket }
    const from = reading.bytesRead
    const { outlet } = lastEnd()
    const before = textFrame('before')
    outlet.send(before)
    outlet.close(closeCodes.restarting)
    outlet.send(textFrame('after'))
    outlet.close(closeCodes.notReading)
    await soon('its close', () => browser.code !== undefined)
    expect([browser.got, browser.code]).toEqual([['before'], 1012])
    // The library hears nothing after a close: the bytes tell. A close frame is its head, the code and the reason.
    expect(reading.bytesRead - from).toBe(before.length + 4 + closeCodes.restarting.reason.length)
    await soon('it to be told', () => heard.length === 1)
    outlet.send(textFrame('long after'))
    outlet.close(closeCodes.restarting)
    expect(outlet.raw.destroyed).toBe(true)
  },
)

it('[G27] who does not answer a close is cut; bytes that nobody takes are seen as pending and go with it', async () => {
  const silent = connect(portOf(), '127.0.0.1')
  browsers.push({ terminate: () => silent.destroy() })
  silent.on('error', () => undefined).pause()
  const lines = ['GET / HTTP/1.1', 'Host: x', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13']
  silent.write([...lines, 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', '', ''].join('\r\n'))
  await soon('it to be in', () => ends.length === 1)
  const { outlet } = lastEnd()
  expect(outlet.pendingBytes).toBe(0)
  const frame = textFrame('x'.repeat(60_000))
  // As much as the system's own buffers take, and then some.
  while (outlet.pendingBytes === 0) outlet.send(frame)
  outlet.close(closeCodes.notReading)
  await soon('it to be cut', () => others.size === 0)
  expect(heard).toEqual([['left', 1]])
  expect(outlet.raw.destroyed).toBe(true)
  expect(outlet.pendingBytes).toBe(0)
})

it('[G27] after a reset nothing is written, though the library has not heard of it yet', async () => {
  await open()
  const { outlet } = lastEnd()
  outlet.raw.destroy()
  const write = vi.spyOn(outlet.raw, 'write')
  expect(outlet.socket.readyState).toBe(WebSocket.OPEN)
  outlet.send(textFrame('nobody is there'))
  expect(write).not.toHaveBeenCalled()
  await soon('it to be told', () => heard.length === 1)
})

it('[G27] who broke the protocol and goes on is cut at once, however long a close may take', async () => {
  Object.assign(library.options, { closeTimeout: 600_000 })
  const endless = connect({ port: portOf(), host: '127.0.0.1', allowHalfOpen: true })
  browsers.push({ terminate: () => endless.destroy() })
  endless.on('error', () => undefined).resume()
  endless.write(upgradeRequest('/'))
  await soon('it to be in', () => ends.length === 1)
  // It does not mind that we have ended our side.
  endless.write(Buffer.concat([Buffer.from([0xff, 0xff]), Buffer.alloc(1_024 * 1_024)]))
  await soon('it to be cut', () => others.size === 0)
  expect(heard).toEqual([['left', 1]])
})
