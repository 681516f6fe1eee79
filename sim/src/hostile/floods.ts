// Floods on raw sockets: many peers that do one wrong thing as hard as they can, each kind until its work is done. The same
// amount each time, so that two runs can be compared; what the server still holds afterwards is what it cost.
import { connect, type Socket } from 'node:net'
import { dice } from '@citypresence/stack/demo/random'
import { until } from '@citypresence/stack/until'
import { clientFrame, opcodes } from './raw-peer.ts'
import { upgradeRequest } from './raw-request.ts'

export type FloodTarget = { readonly port: number; readonly adminPort: number; readonly token: string }
export type Flood = { readonly name: string; readonly play: (target: FloodTarget) => Promise<void> }

const socketPath = '/ws/city/presence'
const entry = ({ token }: FloodTarget): string => upgradeRequest(`${socketPath}?token=${token}`)

type Manner = {
  readonly peers: number
  /** Bytes after the handshake (or instead of it), the same for each. */
  readonly bytes: Buffer
  /** How often each sends them. */
  readonly times?: number
  readonly reads?: boolean
  readonly enters?: boolean
  readonly admin?: boolean
  /** Ends with a reset, while what it sent is still being read. */
  readonly resets?: boolean
}

/** Peers in rows of fifty; each is over when the server has closed it, or when it has sent all and nobody minds. */
async function flood(target: FloodTarget, manner: Manner): Promise<void> {
  let left = manner.peers
  const row = async (): Promise<void> => {
    while (left-- > 0) await attack(target, manner)
  }
  await Promise.all(Array.from({ length: 50 }, row))
}

async function attack(target: FloodTarget, manner: Manner): Promise<void> {
  const { bytes, times = 1, reads = true, enters = true, admin = false, resets: isReset = false } = manner
  const socket = connect(admin ? target.adminPort : target.port, '127.0.0.1')
  socket.on('error', () => undefined)
  if (reads) socket.resume()
  if (enters) socket.write(entry(target))
  for (let sent = 0; sent < times && socket.writable; sent++) if (!socket.write(bytes)) await drained(socket)
  if (isReset) socket.resetAndDestroy()
  else socket.end()
  // Who does not read hears of no end.
  socket.resume()
  await until(() => socket.closed, { deadlineMs: 20_000, what: 'an attacker to be over', everyMs: 10 }).catch(() =>
    socket.destroy(),
  )
}

/** Until it may write again, or nobody takes it any more. */
async function drained(socket: Socket): Promise<void> {
  const before = socket.bytesWritten
  const deadlineAtMs = performance.now() + stuckMs
  await until(
    () =>
      socket.closed ||
      socket.writableLength < before / 2 ||
      performance.now() > deadlineAtMs ||
      !socket.writableNeedDrain,
    {
      deadlineMs: 2 * stuckMs,
      what: 'room for more',
      everyMs: 5,
    },
  )
}

/** The other side has stopped taking: that is its good right. */
const stuckMs = 2_000
const kibibyte = 1_024

const repeated = (piece: Buffer, times: number): Buffer => Buffer.concat(Array.from({ length: times }, () => piece))
const tinyPieces = Buffer.concat([
  clientFrame({ fin: false }),
  repeated(clientFrame({ opcode: opcodes.continuation, fin: false }), 10_000),
])
const pings = repeated(clientFrame({ opcode: opcodes.ping, payload: 'x'.repeat(125) }), 1_000)
const texts = repeated(clientFrame({ payload: 'ping' }), 1_000)
const badText = clientFrame({ payload: Buffer.from([0xce, 0xba, 0xed, 0xa0, 0x80]) })

export const floods: readonly Flood[] = [
  { name: 'empty fragments, 10,000 a peer', play: (target) => flood(target, { peers: 300, bytes: tinyPieces }) },
  {
    name: 'pings of 125 bytes from peers that never read',
    play: (target) => flood(target, { peers: 50, bytes: pings, times: 20, reads: false }),
  },
  {
    name: 'text pings from peers that never read',
    play: (target) => flood(target, { peers: 50, bytes: texts, times: 20, reads: false }),
  },
  {
    name: 'text pings from peers that reset',
    play: (target) => flood(target, { peers: 200, bytes: texts, times: 20, reads: false, resets: true }),
  },
  { name: 'text that is none', play: (target) => flood(target, { peers: 500, bytes: badText }) },
  {
    name: 'reserved bits',
    play: (target) => flood(target, { peers: 500, bytes: clientFrame({ payload: 'ping', reserved: 7 }) }),
  },
  {
    name: 'frames that say 2 GiB, and send 8 MiB of it',
    play: (target) => {
      const head = clientFrame({ opcode: opcodes.binary, claimedLength: 2n ** 31n })
      return flood(target, { peers: 50, bytes: Buffer.concat([head, Buffer.alloc(kibibyte * kibibyte)]), times: 8 })
    },
  },
  {
    name: 'one header of 4 MiB',
    play: (target) =>
      flood(target, {
        peers: 100,
        enters: false,
        bytes: Buffer.from(`GET ${socketPath} HTTP/1.1\r\nX: ${'y'.repeat(4 * kibibyte * kibibyte)}`),
      }),
  },
  {
    name: '100,000 headers',
    play: (target) =>
      flood(target, {
        peers: 100,
        enters: false,
        bytes: Buffer.from(`GET ${socketPath} HTTP/1.1\r\n${'a: b\r\n'.repeat(100_000)}`),
      }),
  },
  {
    name: 'a body of 4 MiB, on both ports',
    play: async (target) => {
      const bytes = Buffer.from(
        `POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n${'z'.repeat(4 * kibibyte * kibibyte)}`,
      )
      for (const admin of [false, true]) await flood(target, { peers: 50, enters: false, bytes, admin })
    },
  },
  { name: 'resets at every byte of a handshake and a session', play: resets },
  { name: 'sockets that drip a letter now and then, on both ports', play: drips },
]

async function resets(target: FloodTarget): Promise<void> {
  const bytes = Buffer.concat([
    Buffer.from(entry(target)),
    clientFrame({ payload: 'ping' }),
    clientFrame({ opcode: opcodes.close }),
  ])
  const chance = dice(1)
  const cuts = Array.from({ length: 1_500 }, () => Math.floor(chance.next() * (bytes.length + 1))).values()
  const row = async (): Promise<void> => {
    for (const cut of cuts) {
      const socket = connect(target.port, '127.0.0.1')
      socket.on('error', () => undefined).resume()
      socket.write(bytes.subarray(0, cut))
      await new Promise((resolve) => setImmediate(resolve))
      if (chance.next() < 0.5)
        await until(() => !socket.connecting || socket.closed, { deadlineMs: 10_000, what: 'a reset', everyMs: 1 })
      socket.resetAndDestroy()
      await until(() => socket.closed, { deadlineMs: 10_000, what: 'a reset to be over', everyMs: 2 })
    }
  }
  await Promise.all(Array.from({ length: 20 }, row))
}

/** Each is over when it was cut, which the server's own deadlines see to. */
async function drips(target: FloodTarget): Promise<void> {
  const begins = [
    '',
    'GET /api',
    entry(target).slice(0, -2),
    'POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n',
  ]
  const sockets = Array.from({ length: 800 }, (_, index) => {
    // The admin port knows no more than 64 at once.
    const socket = connect(index % 20 === 0 ? target.adminPort : target.port, '127.0.0.1')
    socket.on('error', () => undefined).resume()
    socket.write(begins[index % begins.length] ?? '')
    return socket
  })
  const dripping = setInterval(() => {
    for (const socket of sockets) if (socket.writable) socket.write('x')
  }, 500)
  try {
    await until(() => sockets.every((socket) => socket.closed), { deadlineMs: 30_000, what: 'all that drip to be cut' })
  } finally {
    clearInterval(dripping)
    for (const socket of sockets) socket.destroy()
  }
}
