// A peer that speaks WebSocket as bytes: what no browser would send, in pieces that no library would make, and what it hears back.
// Frames are built here apart from the library that reads them (RFC 6455, 5.2).
import { connect, type Socket } from 'node:net'
import { until } from '@citypresence/stack/until'
import { upgradeRequest } from './raw-request.ts'

export const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const

export type FrameOptions = {
  readonly opcode?: number
  readonly payload?: Buffer | string
  readonly fin?: boolean
  /** The three reserved bits as a number from 0 to 7; 4 is RSV1. */
  readonly reserved?: number
  /** Undefined: no mask at all, as only a server may. */
  readonly mask?: Buffer | undefined
  /** What the header says instead of the true length. */
  readonly claimedLength?: bigint
  /** How many bytes the length is written in: 1, 3 or 9; by default as few as possible. */
  readonly lengthBytes?: 1 | 3 | 9
}

const usualMask = Buffer.from([0x11, 0x22, 0x33, 0x44])

export function clientFrame(options: FrameOptions = {}): Buffer {
  const { opcode = opcodes.text, fin = true, reserved = 0 } = options
  const mask = 'mask' in options ? options.mask : usualMask
  const payload = Buffer.from(options.payload ?? '')
  const length = options.claimedLength ?? BigInt(payload.length)
  const masked = mask === undefined ? payload : payload.map((byte, at) => byte ^ (mask[at % 4] ?? 0))
  return Buffer.concat([
    Buffer.from([(fin ? 0x80 : 0) | (reserved << 4) | opcode]),
    lengthField(length, options.lengthBytes ?? fewest(length), mask === undefined ? 0 : 0x80),
    mask ?? Buffer.alloc(0),
    masked,
  ])
}

const fewest = (length: bigint): 1 | 3 | 9 => (length < 126n ? 1 : length < 65_536n ? 3 : 9)

function lengthField(length: bigint, bytes: 1 | 3 | 9, maskBit: number): Buffer {
  if (bytes === 1) return Buffer.from([maskBit | Number(length)])
  const field = Buffer.alloc(bytes)
  field[0] = maskBit | (bytes === 3 ? 126 : 127)
  if (bytes === 3) field.writeUInt16BE(Number(length), 1)
  else field.writeBigUInt64BE(length, 1)
  return field
}

/** The payload of a close frame. */
export function closePayload(code: number, reason: Buffer | string = ''): Buffer {
  const head = Buffer.alloc(2)
  head.writeUInt16BE(code)
  return Buffer.concat([head, Buffer.from(reason)])
}

export type ServerFrame = { readonly opcode: number; readonly payload: Buffer }

export class RawPeer {
  readonly socket: Socket
  /** The answer to the handshake; undefined until it is whole. */
  head: string | undefined
  bytes = Buffer.alloc(0)
  #taken = Buffer.alloc(0)

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1').setNoDelay(true)
    this.socket.on('error', () => undefined)
    this.socket.on('data', (data) => {
      this.#taken = Buffer.concat([this.#taken, data])
      if (this.head !== undefined) {
        this.bytes = this.#taken
        return
      }
      const end = this.#taken.indexOf('\r\n\r\n')
      if (end === -1) return
      this.head = this.#taken.subarray(0, end).toString('latin1')
      this.bytes = this.#taken = this.#taken.subarray(end + 4)
    })
  }

  /** Everything that came after the handshake, as far as it is whole. */
  get frames(): ServerFrame[] {
    return wholeFrames(this.bytes)
  }

  /** The code of the close frame it got; undefined where there was none. */
  get closeCode(): number | undefined {
    const payload = this.frames.find(({ opcode }) => opcode === opcodes.close)?.payload
    return payload === undefined ? undefined : payload.length < 2 ? 1005 : payload.readUInt16BE(0)
  }

  get closeReason(): string {
    return this.frames.find(({ opcode }) => opcode === opcodes.close)?.payload.toString('utf8', 2) ?? ''
  }

  texts(): string[] {
    return this.frames.filter(({ opcode }) => opcode === opcodes.text).map(({ payload }) => payload.toString())
  }

  write(...pieces: readonly (Buffer | string)[]): void {
    for (const piece of pieces) if (this.socket.writable) this.socket.write(piece)
  }

  /** Let in, with its snapshot. */
  async enter(token: string, headers: readonly string[] = []): Promise<this> {
    this.write(upgradeRequest(`/ws/city/presence?token=${token}`, ['Host: x', ...headers]))
    await this.until('a raw peer to be in', () => this.texts().length > 0)
    return this
  }

  /** Its own end, or what it waits for. */
  async until(what: string, condition: () => boolean): Promise<void> {
    await until(condition, { deadlineMs: 15_000, what, everyMs: 5 })
  }

  /** Told to go, or hung up on. */
  shownOut(): Promise<void> {
    return this.until('a raw peer to be shown out', () => this.closeCode !== undefined || this.socket.closed)
  }
}

function wholeFrames(bytes: Buffer): ServerFrame[] {
  const frames: ServerFrame[] = []
  for (let at = 0; at + 2 <= bytes.length;) {
    const short = bytes.readUInt8(at + 1)
    const head = short === 127 ? 10 : short === 126 ? 4 : 2
    if (at + head > bytes.length) break
    const length =
      short === 127 ? Number(bytes.readBigUInt64BE(at + 2)) : short === 126 ? bytes.readUInt16BE(at + 2) : short
    if (at + head + length > bytes.length) break
    frames.push({ opcode: bytes.readUInt8(at) & 0x0f, payload: bytes.subarray(at + head, at + head + length) })
    at += head + length
  }
  return frames
}
