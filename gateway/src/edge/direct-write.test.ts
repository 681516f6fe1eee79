import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { until } from '@citypresence/stack/until'
import { writeAtOnce } from './direct-write.ts'

let server: Server
let ours: Socket
let theirs: Socket
let got: Buffer[]

beforeEach(async () => {
  server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  theirs = connect((server.address() as AddressInfo).port, '127.0.0.1')
  theirs.on('error', () => undefined)
  ;[ours] = (await once(server, 'connection')) as [Socket]
  ours.on('error', () => undefined)
  got = []
})

afterEach(async () => {
  for (const socket of [ours, theirs]) socket.destroy()
  await new Promise((resolve) => server.close(resolve))
})

const soon = (what: string, condition: () => boolean) => until(condition, { deadlineMs: 20_000, what })
const read = (): void => void theirs.on('data', (data) => got.push(data))
const send = (bytes: Buffer): Buffer | undefined => {
  const rest = writeAtOnce(ours, bytes)
  if (rest !== undefined) ours.write(rest)
  return rest
}
const numbered = (number: number, length: number): Buffer => Buffer.alloc(length, `${number};`)

it('[G38] what the system takes is not given to the stream as well', async () => {
  read()
  expect(send(Buffer.from('all of it'))).toBeUndefined()
  expect([ours.bytesWritten, ours.writableLength]).toEqual([0, 0])
  await soon('it to arrive', () => Buffer.concat(got).toString() === 'all of it')
})

it('[G38] with a reader who stops and reads on, everything comes once and in order', async () => {
  const sent: Buffer[] = []
  const write = (): Buffer | undefined => {
    const bytes = numbered(sent.length, 60_000 + sent.length)
    sent.push(bytes)
    return send(bytes)
  }
  // As much as the system's own buffers take, and then some.
  while (ours.writableLength === 0) write()
  const waiting = ours.writableLength
  expect([write(), write()].map((rest) => rest === sent.at(-1) || rest === sent.at(-2))).toEqual([true, true])
  expect(ours.writableLength).toBeGreaterThan(waiting)
  read()
  await soon('the stream to drain', () => ours.writableLength === 0)
  expect(write()).toBeUndefined()
  const all = Buffer.concat(sent)
  await soon('all of it', () => got.reduce((sum, { length }) => sum + length, 0) >= all.length)
  expect(Buffer.concat(got).equals(all)).toBe(true)
})

it('[G38] while something waits in the stream the system is not asked, though it had room', () => {
  const { _handle: handle } = ours as unknown as { _handle: { fd: number } }
  const waiting = { writableLength: 1, writable: true, _handle: { fd: handle.fd } }
  const bytes = Buffer.from('too early')
  expect(writeAtOnce(waiting as unknown as Socket, bytes)).toBe(bytes)
  expect(writeAtOnce({ ...waiting, writableLength: 0 } as unknown as Socket, bytes)).toBeUndefined()
})

it('[G38] nothing overtakes what is corked', async () => {
  read()
  ours.cork()
  ours.write('first, ')
  send(Buffer.from('second, '))
  ours.uncork()
  await soon('the stream to drain', () => ours.writableLength === 0)
  send(Buffer.from('third'))
  await soon('all of it', () => Buffer.concat(got).toString().endsWith('third'))
  expect(Buffer.concat(got).toString()).toBe('first, second, third')
})

it('[G38] a peer that is gone, a socket that is closed, and a handle that tells no number go the way of the stream', async () => {
  const bytes = Buffer.from('late')
  theirs.resetAndDestroy()
  // Until our side has read of it the system may still take some.
  await until(() => send(bytes) !== undefined || ours.destroyed, {
    deadlineMs: 10_000,
    what: 'the peer to be seen gone',
  })
  await soon('it to be closed', () => ours.closed)
  expect(writeAtOnce(ours, bytes)).toBe(bytes)
  const unknown = { writableLength: 0, writable: true }
  for (const handle of [undefined, null, {}, { fd: -1 }])
    expect(writeAtOnce({ ...unknown, _handle: handle } as unknown as Socket, bytes)).toBe(bytes)
})

it('[G38] the system says no, once as a full buffer and once as a bad number: no error leaves, the bytes stay', () => {
  while (writeAtOnce(ours, numbered(1, 60_000)) === undefined);
  const bytes = numbered(2, 100)
  // Nothing waits in the stream, so the system itself is asked, and is full.
  expect(writeAtOnce(ours, bytes)).toBe(bytes)
  const closed = { writableLength: 0, writable: true, _handle: { fd: 1_000_000 } }
  expect(writeAtOnce(closed as unknown as Socket, bytes)).toBe(bytes)
})
