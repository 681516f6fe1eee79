// Reads server frames by RFC 6455, written apart from the code that builds them: the witness of what a browser would understand.
export type Frame = { readonly opcode: number; readonly payload: Buffer }

export function readFrames(bytes: Buffer): Frame[] {
  const frames: Frame[] = []
  for (let at = 0; at < bytes.length;) {
    const opcode = bytes.readUInt8(at) & 0x0f
    const short = bytes.readUInt8(at + 1)
    if (short > 127 || (bytes.readUInt8(at) & 0xf0) !== 0x80) throw new Error('masked, reserved or unfinished')
    const head = short === 127 ? 10 : short === 126 ? 4 : 2
    const length =
      short === 127 ? Number(bytes.readBigUInt64BE(at + 2)) : short === 126 ? bytes.readUInt16BE(at + 2) : short
    if (at + head + length > bytes.length) throw new Error('cut off')
    frames.push({ opcode, payload: bytes.subarray(at + head, at + head + length) })
    at += head + length
  }
  return frames
}

export const textOpcode = 1
export const pingOpcode = 9

/** The JSON messages among these bytes. */
export const readMessages = (bytes: Buffer): unknown[] =>
  readFrames(bytes)
    .filter(({ opcode, payload }) => opcode === textOpcode && payload.toString() !== 'pong')
    .map(({ payload }) => JSON.parse(payload.toString()) as unknown)
