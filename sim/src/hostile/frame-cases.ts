// What a peer may send on an open socket and how a gateway that only listens for `ping` has to answer, as a table: the cases of
// Autobahn's test suite by its sections 1 to 7, 9 and 10 (that suite itself wants a server that echoes, and a Python that is gone).
//
//   bytes -> fine (goes on, with so many pongs), or the code it is closed with; `tooChatty` is a whole message that is no ping
import { clientFrame, closePayload, opcodes, type FrameOptions } from './raw-peer.ts'

export type FrameCase = {
  /** Section and number, after Autobahn's. */
  readonly name: string
  readonly bytes: Buffer
  /** Undefined: the session goes on. Several where the order of bounds decides. */
  readonly closes?: readonly number[]
  /** Protocol pongs and `pong` texts that come first. */
  readonly pongs?: number
}

const protocolError = [1002]
const notUtf8 = [1007]
const tooChatty = [1008]
const tooBig = [1009]

const { continuation, text, binary, close, ping, pong } = opcodes
const frame = (opcode: number, payload: Buffer | string = '', more: FrameOptions = {}): Buffer =>
  clientFrame({ opcode, payload, ...more })
const pieces = (opcode: number, ...parts: readonly (Buffer | string)[]): Buffer =>
  Buffer.concat(
    parts.map((payload, at) => frame(at === 0 ? opcode : continuation, payload, { fin: at === parts.length - 1 })),
  )
const bytes = (...values: readonly number[]): Buffer => Buffer.from(values)

export const frameCases: readonly FrameCase[] = [
  ...lengths(),
  ...pings(),
  ...reservedBits(),
  ...unknownOpcodes(),
  ...fragments(),
  ...encodings(),
  ...closes(),
  ...limits(),
  ...masks(),
]

function lengths(): FrameCase[] {
  const sizes = [0, 1, 3, 5, 125, 126, 127, 128, 1_023, 1_024]
  const fitting = sizes.flatMap((size) =>
    [text, binary].map((opcode) => ({
      name: `1.${opcode}.${size} bytes`,
      bytes: frame(opcode, 'x'.repeat(size)),
      closes: tooChatty,
    })),
  )
  const beyond = [1_025, 65_535, 65_536].flatMap((size) =>
    [text, binary].map((opcode) => ({
      name: `1.${opcode}.${size} bytes`,
      bytes: frame(opcode, 'x'.repeat(size)),
      closes: tooBig,
    })),
  )
  const inMoreBytes = ([3, 9] as const).map((lengthBytes) => ({
    name: `1.1 a length in ${lengthBytes} bytes where one would do`,
    bytes: frame(text, 'ping', { lengthBytes }),
    pongs: 1,
  }))
  return [
    ...fitting,
    ...beyond,
    ...inMoreBytes,
    { name: '1.1 the one text that is meant', bytes: frame(text, 'ping'), pongs: 1 },
  ]
}

function pings(): FrameCase[] {
  return [
    { name: '2.1 a ping without payload', bytes: frame(ping), pongs: 1 },
    { name: '2.2 a ping with text', bytes: frame(ping, 'Hello, world!'), pongs: 1 },
    { name: '2.3 a ping with bytes that are no text', bytes: frame(ping, bytes(0, 255, 254, 253, 0, 255)), pongs: 1 },
    { name: '2.4 a ping of 125 bytes', bytes: frame(ping, 'x'.repeat(125)), pongs: 1 },
    { name: '2.5 a ping of 126 bytes', bytes: frame(ping, 'x'.repeat(126)), closes: protocolError },
    { name: '2.7 a pong that nobody asked for', bytes: frame(pong) },
    { name: '2.8 the same with a payload', bytes: frame(pong, 'unasked') },
    {
      name: '2.9 the same, then a ping',
      bytes: Buffer.concat([frame(pong, 'unasked'), frame(ping, 'asked')]),
      pongs: 1,
    },
    {
      name: '2.10 ten pings',
      bytes: Buffer.concat(Array.from({ length: 10 }, (_, at) => frame(ping, String(at)))),
      pongs: 10,
    },
  ]
}

function reservedBits(): FrameCase[] {
  return [1, 2, 3, 4, 5, 6, 7].flatMap((reserved) =>
    [text, binary, close, ping, pong].map((opcode) => ({
      name: `3.${reserved} reserved bits in opcode ${opcode}`,
      bytes: frame(opcode, 'ping', { reserved }),
      closes: protocolError,
    })),
  )
}

function unknownOpcodes(): FrameCase[] {
  return [3, 4, 5, 6, 7, 11, 12, 13, 14, 15].flatMap((opcode) => [
    { name: `4.${opcode} empty`, bytes: frame(opcode), closes: protocolError },
    { name: `4.${opcode} with a payload`, bytes: frame(opcode, 'ping'), closes: protocolError },
    {
      name: `4.${opcode} behind a good one`,
      bytes: Buffer.concat([frame(text, 'ping'), frame(opcode), frame(ping)]),
      closes: protocolError,
    },
  ])
}

function fragments(): FrameCase[] {
  const open = frame(text, 'pi', { fin: false })
  return [
    { name: '5.1 a ping in two pieces', bytes: pieces(ping, 'a', 'b'), closes: protocolError },
    { name: '5.2 a pong in two pieces', bytes: pieces(pong, 'a', 'b'), closes: protocolError },
    { name: '5.3 the meant text in two pieces', bytes: pieces(text, 'pi', 'ng'), pongs: 1 },
    { name: '5.3 with empty pieces', bytes: pieces(text, '', 'pi', '', 'ng', ''), pongs: 1 },
    { name: '5.3 in bytes', bytes: pieces(text, 'p', 'i', 'n', 'g'), pongs: 1 },
    { name: '5.4 binary in pieces', bytes: pieces(binary, 'pi', 'ng'), closes: tooChatty },
    {
      name: '5.6 a ping between the pieces',
      bytes: Buffer.concat([open, frame(ping, 'x'), frame(continuation, 'ng')]),
      pongs: 2,
    },
    { name: '5.9 a continuation of nothing', bytes: frame(continuation, 'ping'), closes: protocolError },
    { name: '5.10 the same, unfinished', bytes: frame(continuation, 'ping', { fin: false }), closes: protocolError },
    {
      name: '5.15 a whole message, then a continuation',
      bytes: Buffer.concat([pieces(text, 'pi', 'ng'), frame(continuation, 'x')]),
      closes: protocolError,
    },
    { name: '5.18 a new text inside another', bytes: Buffer.concat([open, frame(text, 'ng')]), closes: protocolError },
    { name: '5.18 a binary inside a text', bytes: Buffer.concat([open, frame(binary, 'ng')]), closes: protocolError },
    {
      name: '5.19 another text in pieces, and a ping',
      bytes: Buffer.concat([pieces(text, 'p', 'i'), frame(ping)]),
      closes: tooChatty,
    },
    {
      name: '5.20 a close between the pieces',
      bytes: Buffer.concat([open, frame(close, closePayload(1000))]),
      closes: [1000],
    },
  ]
}

/** Rows of Markus Kuhn's decoder test, the ones that Autobahn took. */
function encodings(): FrameCase[] {
  const good = [
    'κόσμε',
    '\u0000',
    '\u0080',
    '\u0800',
    '\u{10000}',
    '\u007f',
    '\u07ff',
    '\uffff',
    '\u{10ffff}',
    '\ud7ff',
    '\ue000',
    '\ufffd',
    '\ufeff',
  ]
  const bad: [string, Buffer][] = [
    ['lonely continuations', bytes(0x80, 0xbf)],
    ['a lonely first byte of two', bytes(0xc0, 0x20)],
    ['a lonely first byte of three', bytes(0xe0, 0x20)],
    ['a lonely first byte of four', bytes(0xf0, 0x20)],
    ['cut after the first of two', bytes(0xce)],
    ['cut after two of three', bytes(0xe1, 0xbf)],
    ['cut after three of four', bytes(0xf1, 0xbf, 0xbf)],
    ['impossible bytes', bytes(0xfe, 0xff)],
    ['a slash written too long, two', bytes(0xc0, 0xaf)],
    ['a slash written too long, three', bytes(0xe0, 0x80, 0xaf)],
    ['a slash written too long, four', bytes(0xf0, 0x80, 0x80, 0xaf)],
    ['a zero written too long', bytes(0xc0, 0x80)],
    ['half a surrogate', bytes(0xed, 0xa0, 0x80)],
    ['the other half', bytes(0xed, 0xb0, 0x80)],
    ['both halves', bytes(0xed, 0xa0, 0x80, 0xed, 0xb0, 0x80)],
    ['beyond the last character', bytes(0xf4, 0x90, 0x80, 0x80)],
    ['five bytes', bytes(0xf8, 0x88, 0x80, 0x80, 0x80)],
    ['six bytes', bytes(0xfc, 0x84, 0x80, 0x80, 0x80, 0x80)],
    ['good, bad, good', Buffer.concat([Buffer.from('κόσμε'), bytes(0xed, 0xa0, 0x80), Buffer.from('edited')])],
  ]
  return [
    ...good.map((value, at) => ({ name: `6.${at} good letters`, bytes: frame(text, value), closes: tooChatty })),
    { name: '6.2 a letter cut by pieces', bytes: pieces(text, bytes(0xce), bytes(0xba)), closes: tooChatty },
    ...bad.flatMap(([what, payload]) => [
      { name: `6.3 ${what}`, bytes: frame(text, payload), closes: notUtf8 },
      {
        name: `6.4 ${what}, in pieces`,
        bytes: pieces(text, payload.subarray(0, 1), payload.subarray(1)),
        closes: notUtf8,
      },
    ]),
    { name: '6.5 no text at all, in binary', bytes: frame(binary, bytes(0xfe, 0xff)), closes: tooChatty },
  ]
}

function closes(): FrameCase[] {
  const good = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999]
  const bad = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535]
  const bye = frame(close, closePayload(1000))
  return [
    { name: '7.1 a good close', bytes: bye, closes: [1000] },
    { name: '7.1 two of them', bytes: Buffer.concat([bye, bye]), closes: [1000] },
    { name: '7.1 a ping after it', bytes: Buffer.concat([bye, frame(ping)]), closes: [1000] },
    { name: '7.1 a text after it', bytes: Buffer.concat([bye, frame(text, 'hello')]), closes: [1000] },
    { name: '7.3 without a code', bytes: frame(close), closes: [1005] },
    { name: '7.3 half a code', bytes: frame(close, bytes(3)), closes: protocolError },
    { name: '7.3 with a reason', bytes: frame(close, closePayload(1000, 'Hello')), closes: [1000] },
    { name: '7.3 with the longest', bytes: frame(close, closePayload(1000, 'x'.repeat(123))), closes: [1000] },
    { name: '7.3 with one too long', bytes: frame(close, closePayload(1000, 'x'.repeat(124))), closes: protocolError },
    {
      name: '7.5 a reason that is no text',
      bytes: frame(close, closePayload(1000, bytes(0xce, 0xba, 0xed, 0xa0, 0x80))),
      closes: notUtf8,
    },
    ...good.map((code) => ({ name: `7.7 code ${code}`, bytes: frame(close, closePayload(code)), closes: [code] })),
    ...bad.map((code) => ({
      name: `7.9 code ${code}`,
      bytes: frame(close, closePayload(code)),
      closes: protocolError,
    })),
  ]
}

function limits(): FrameCase[] {
  const mebibyte = 1024 * 1024
  return [
    ...[1, 4, 16].map((size) => ({
      name: `9.1 a message of ${size} MiB`,
      bytes: frame(binary, Buffer.alloc(size * mebibyte)),
      closes: tooBig,
    })),
    { name: '9.3 one MiB in pieces of 64 bytes', bytes: pieces(binary, ...chunks(mebibyte, 64)), closes: [1008, 1009] },
    { name: '9.5 one MiB in pieces of 64 KiB', bytes: pieces(text, ...chunks(mebibyte, 65_536)), closes: tooBig },
    { name: '10.1 64 KiB in pieces of 1,300', bytes: pieces(text, ...chunks(65_536, 1_300)), closes: tooBig },
  ]
}

function chunks(total: number, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(total / size) }, () => Buffer.alloc(size))
}

/** Not Autobahn's: its client always masks. */
function masks(): FrameCase[] {
  return [
    { name: 'x.1 a text without a mask', bytes: frame(text, 'ping', { mask: undefined }), closes: protocolError },
    { name: 'x.2 a ping without a mask', bytes: frame(ping, '', { mask: undefined }), closes: protocolError },
    { name: 'x.3 a mask of zeros', bytes: frame(text, 'ping', { mask: Buffer.alloc(4) }), pongs: 1 },
  ]
}
