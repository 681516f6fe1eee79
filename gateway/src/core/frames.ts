// WebSocket frames (RFC 6455), built once and written to everybody: a server's frames are not masked, so all readers get the
// same bytes.
//
//   view -> JSON -> [0x81, length, json]       many frames -> one Buffer -> one write a reader
import type { RoomView, SnapshotMessage, StatusMessage } from '@citypresence/wire/client-messages'
import { pongText } from '@citypresence/wire/client-messages'

const textFinal = 0x81
const pingFinal = 0x89
// Lengths up to 125 stand in the second byte, up to 65,535 in two more, above that in eight more.
const shortMax = 125
const mediumMax = 0xffff

/** Own memory for each frame, not a slice of Node's shared pool: a frame lives long, and would keep the pool's page alive. */
function frame(firstByte: number, payload: string): Buffer {
  const length = Buffer.byteLength(payload)
  const headBytes = length <= shortMax ? 2 : length <= mediumMax ? 4 : 10
  const bytes = Buffer.allocUnsafeSlow(headBytes + length)
  bytes[0] = firstByte
  if (headBytes === 2) bytes[1] = length
  else if (headBytes === 4) {
    bytes[1] = 126
    bytes.writeUInt16BE(length, 2)
  } else {
    bytes[1] = 127
    bytes.writeBigUInt64BE(BigInt(length), 2)
  }
  bytes.write(payload, headBytes)
  return bytes
}

export const textFrame = (text: string): Buffer => frame(textFinal, text)

export const updateFrame = (view: RoomView): Buffer => textFrame(JSON.stringify({ type: 'room.presence', ...view }))

export function snapshotText(rooms: readonly RoomView[]): string {
  const message: SnapshotMessage = { type: 'snapshot', rooms }
  return JSON.stringify(message)
}

export const statusFrame = (status: Omit<StatusMessage, 'type'>): Buffer =>
  textFrame(JSON.stringify({ type: 'status', ...status }))

export const pongTextFrame: Buffer = textFrame(pongText)

export const pingFrameBytes = 6
/** A ping whose payload is a number, so that the pong says which ping it answers. */
export function pingFrame(id: number): Buffer {
  const bytes = Buffer.allocUnsafeSlow(pingFrameBytes)
  bytes[0] = pingFinal
  bytes[1] = 4
  bytes.writeUInt32BE(id, 2)
  return bytes
}

/** The number in a pong, or 0 (which no ping carries) where it holds none. */
export const pongId = (payload: Uint8Array): number =>
  payload.length === 4 ? new DataView(payload.buffer, payload.byteOffset, 4).getUint32(0) : 0

/** The number of the next ping: 1 to 2^32 - 1, then again from 1. */
export const nextPingId = (id: number): number => (id >= 0xffffffff ? 1 : id + 1)
