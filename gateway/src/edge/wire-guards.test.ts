// What the public port refuses before a message is one: each bound of the wire, met by a peer that speaks in raw bytes.
import { connect, type Socket } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { until } from '@citypresence/stack/until'
import { startHall, tokenFor, type Hall } from '../testing/hall.ts'
import { clientFrame, opcodes, RawPeer } from '@citypresence/sim/hostile/raw-peer'
import { rawExchange, upgradeRequest } from '@citypresence/sim/hostile/raw-request'

let hall: Hall
const peers: { destroy(): unknown }[] = []
const start = async (...options: Parameters<typeof startHall>): Promise<Hall> => (hall = await startHall(...options))
afterEach(async () => {
  for (const peer of peers.splice(0)) peer.destroy()
  await hall.stop()
})

function peer(): RawPeer {
  const one = new RawPeer(hall.port)
  peers.push(one.socket)
  return one
}
const enter = (headers?: readonly string[]): Promise<RawPeer> => peer().enter(tokenFor(), headers)

it('[G30] compression that is offered is not taken, and a frame that calls itself compressed ends with 1002', async () => {
  await start()
  for (const offer of [
    'permessage-deflate',
    'permessage-deflate; client_max_window_bits; server_no_context_takeover',
  ]) {
    const one = await enter([`Sec-WebSocket-Extensions: ${offer}`])
    expect(one.head).toMatch(/^HTTP\/1.1 101 /)
    expect(one.head).not.toMatch(/extensions/i)
    one.write(clientFrame({ payload: 'ping', reserved: 4 }))
    await one.shownOut()
    expect(one.closeCode).toBe(1002)
  }
})

it('[G30] a message in more pieces than 16 ends with 1008 before it is one, also when the pieces are empty', async () => {
  await start()
  for (const payload of ['x', '']) {
    const one = await enter()
    const piece = clientFrame({ opcode: opcodes.continuation, fin: false, payload })
    one.write(clientFrame({ fin: false, payload }), ...Array.from({ length: 15 }, () => piece))
    // An answer in between: sixteen are still fine.
    one.write(clientFrame({ opcode: opcodes.ping, payload: 'here' }))
    await one.until('its pong', () => one.frames.some(({ opcode }) => opcode === opcodes.pong))
    expect(one.closeCode).toBeUndefined()
    one.write(piece)
    await one.shownOut()
    expect([one.closeCode, one.closeReason]).toEqual([1008, ''])
  }
})

it('[G30] a frame that comes in more than 64 bits and pieces ends with 1008 before it is whole', async () => {
  await start()
  const one = await enter()
  const frame = clientFrame({ payload: 'x'.repeat(1_000) })
  let sent = 0
  // Each byte in a turn of its own: two that meet are read as one.
  while (sent < frame.length - 1 && one.closeCode === undefined) {
    one.write(frame.subarray(sent, ++sent))
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  await one.shownOut()
  expect([one.closeCode, one.closeReason]).toEqual([1008, ''])
  expect(sent).toBeLessThan(frame.length - 1)
})

it('[G30] a length is refused when it is said: 1,025 bytes and 2^62 alike end with 1009 before a byte of them has come', async () => {
  await start()
  for (const claimedLength of [1_025n, 65_536n, 2n ** 31n, 2n ** 53n, 2n ** 62n]) {
    const one = await enter()
    one.write(clientFrame({ claimedLength }))
    await one.shownOut()
    expect(one.closeCode, String(claimedLength)).toBe(1009)
  }
})

it('[G31] handshakes that wait for their token count as connections', async () => {
  let release: () => void = () => undefined
  const gate = new Promise<void>((resolve) => (release = resolve))
  await start({
    connectionsMax: 3,
    authenticate: async () => {
      await gate
      return { ok: true, expiresAtWallMs: Date.now() + 60_000 }
    },
  })
  const request = upgradeRequest('/ws/city/presence?token=x')
  const waiting = Array.from({ length: 3 }, () => peer())
  for (const one of waiting) one.write(request)
  // The fourth is told at once, while nobody is in yet.
  await until(
    async () => (await rawExchange(hall.port, request, (text) => text.includes('\r\n\r\n'))).includes(' 503 '),
    {
      deadlineMs: 10_000,
      what: 'the fourth to be refused',
    },
  )
  expect(hall.gateway.size()).toBe(0)
  release()
  await until(() => hall.gateway.size() === 3, { deadlineMs: 10_000, what: 'the three to be in' })
})

it('[G31] beyond the cap and a thousand more the port hangs up without a word', async () => {
  await start({ connectionsMax: 1 })
  const wordless = (socket: Socket): boolean => socket.closed && socket.bytesRead === 0
  const sockets: Socket[] = []
  for (let count = 0; count < 1_100; count++) {
    const socket = connect(hall.port, '127.0.0.1')
    socket.on('error', () => undefined).resume()
    socket.write('GET /api')
    sockets.push(socket)
    peers.push(socket)
  }
  await until(() => sockets.filter(wordless).length >= 1_100 - 1 - 1_024, {
    deadlineMs: 15_000,
    what: 'those beyond to be hung up on',
  })
  // The others had their five seconds, and were told.
  await until(() => sockets.every((socket) => socket.closed), { deadlineMs: 15_000, what: 'the others to be told' })
  expect(sockets.filter(wordless)).toHaveLength(1_100 - 1 - 1_024)
})
