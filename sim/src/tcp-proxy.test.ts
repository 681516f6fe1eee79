import { createServer, connect, type Server, type Socket } from 'node:net'
import { createFakeClock } from '@citypresence/chassis/testing/fake-clock'
import { until } from '@citypresence/stack/until'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { startTcpProxy, type TcpProxy, type TcpProxyOptions } from './tcp-proxy.ts'

type Peer = { readonly socket: Socket; heard: string; ended: boolean; closed: string | undefined }

let server: Server
let atServer: Peer[]
let proxy: TcpProxy
const ends: (() => unknown)[] = []

const peerOf = (socket: Socket): Peer => {
  const peer: Peer = { socket, heard: '', ended: false, closed: undefined }
  let how = 'closed'
  socket.on('data', (bytes) => (peer.heard += bytes.toString()))
  socket.on('end', () => (peer.ended = true))
  socket.on('error', (error: NodeJS.ErrnoException) => (how = error.code ?? 'error'))
  socket.on('close', () => (peer.closed = how))
  ends.push(() => socket.destroy())
  return peer
}

beforeEach(async () => {
  atServer = []
  server = createServer({ allowHalfOpen: true }, (socket) => atServer.push(peerOf(socket)))
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)))
  ends.push(() => server.close())
})
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function start(options: Partial<TcpProxyOptions> = {}): Promise<void> {
  proxy = await startTcpProxy({ to: (server.address() as { port: number }).port, ...options })
  ends.push(() => proxy.stop())
}

const dial = (): Peer => peerOf(connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true }))
const soon = (what: string, condition: () => boolean): Promise<unknown> => until(condition, { deadlineMs: 5_000, what })

async function linked(): Promise<{ client: Peer; server: Peer }> {
  const before = atServer.length
  const client = dial()
  client.socket.write('hello ')
  await soon('the first word', () => atServer[before]?.heard === 'hello ')
  const far = atServer[before]
  if (far === undefined) throw new Error('nobody came to the server')
  return { client, server: far }
}

it('[D12] what it is not told to break it carries both ways, and each goodbye on its own', async () => {
  await start()
  const { client, server: far } = await linked()
  client.socket.end('bye')
  await soon('the goodbye at the server', () => far.ended && far.heard === 'hello bye')
  far.socket.end('a last word')
  await soon('the goodbye at the client', () => client.closed === 'closed' && client.heard === 'a last word')
  await soon('nothing to be left', () => proxy.open === 0)
  expect(proxy.dials).toBe(1)
})

it('[D12] refused: who was connected is reset, who comes finds nobody; later the same port carries again', async () => {
  await start()
  const { client, server: far } = await linked()
  await proxy.become({ kind: 'refuse' })
  await soon('both ends to be reset', () => client.closed === 'ECONNRESET' && far.closed === 'ECONNRESET')
  const late = dial()
  await soon('the refusal', () => late.closed === 'ECONNREFUSED')
  await proxy.become({ kind: 'pass' })
  await linked()
  expect(proxy.dials).toBe(2)
})

it('[D12] reset: each connection comes about and is thrown out, and is counted', async () => {
  await start()
  await proxy.become({ kind: 'reset' })
  for (let attempt = 1; attempt <= 3; attempt++) {
    const late = dial()
    await soon('the reset', () => late.closed !== undefined)
    expect(proxy.dials).toBe(attempt)
  }
  expect(atServer).toEqual([])
})

it('[D12] swallowed: both ends stay open and hear nothing, for good; who comes afterwards is carried', async () => {
  await start()
  const old = await linked()
  await proxy.become({ kind: 'swallow' })
  old.client.socket.write('into the dark')
  old.server.socket.write('into the dark')
  await proxy.become({ kind: 'pass' })
  const { client } = await linked()
  client.socket.end()
  // By the time a whole conversation has gone through beside it, the old one would have been heard.
  old.client.socket.write('and again')
  await linked()
  expect([old.client.heard, old.client.closed, old.server.heard, old.server.closed]).toEqual([
    '',
    undefined,
    'hello ',
    undefined,
  ])
  old.client.socket.destroy()
  await linked()
  expect(old.server.ended).toBe(false)
})

it('[D12] held: nothing comes through, and then all of it at once and in order, the goodbye last', async () => {
  await start()
  const { client, server: far } = await linked()
  await proxy.become({ kind: 'hold' })
  for (const word of ['one ', 'two ', 'three']) client.socket.write(word)
  client.socket.end()
  const late = dial()
  late.socket.write('late')
  await soon('the late one to be taken', () => atServer.length === 2)
  expect([far.heard, far.ended, atServer[1]?.heard]).toEqual(['hello ', false, ''])
  await proxy.become({ kind: 'pass' })
  await soon('what was held', () => far.heard === 'hello one two three' && far.ended && atServer[1]?.heard === 'late')
})

it('[D12] late: nothing comes before its time, or before the fault is over', async () => {
  const clock = createFakeClock()
  await start({ clock })
  const { client, server: far } = await linked()
  await proxy.become({ kind: 'pass', latencyMs: 400 })
  client.socket.write('later')
  await soon('the word to be on its way', () => clock.pendingTimers() > 0)
  await clock.advance(399)
  expect(far.heard).toBe('hello ')
  await clock.advance(1)
  await soon('the late word', () => far.heard === 'hello later')
  client.socket.write(' and last')
  await soon('the last word to be on its way', () => clock.pendingTimers() > 0)
  await proxy.become({ kind: 'pass' })
  await soon('the last word', () => far.heard === 'hello later and last')
})

it('[D12] sliced and slow, a megabyte comes whole', async () => {
  await start()
  const { client, server: far } = await linked()
  await proxy.become({ kind: 'pass', sliceBytes: 777, bytesPerSecond: 8_000_000 })
  client.socket.write('x'.repeat(1_000_000))
  await soon('all of it', () => far.heard.length === 1_000_006)
})

it('[D12] one goodbye from the side of the server: what the client says still arrives', async () => {
  await start()
  const { client, server: far } = await linked()
  proxy.halfCloseAll()
  await soon('the goodbye', () => client.ended)
  client.socket.write('still here')
  await soon('its words', () => far.heard === 'hello still here')
  proxy.resetAll()
  await soon('the reset', () => far.closed === 'ECONNRESET')
})
