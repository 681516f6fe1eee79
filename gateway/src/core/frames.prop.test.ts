// Frames against a reader written apart.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { decodeJson } from '@citypresence/wire/decode'
import { clientMessage } from '@citypresence/wire/client-messages'
import { pingOpcode, readFrames, textOpcode } from '../testing/read-frames.ts'
import { nextPingId, pingFrame, pongId, snapshotText, statusFrame, textFrame, updateFrame } from './frames.ts'

it('[G10] any text is one final unmasked frame that reads back the same, at every border of the length', () => {
  const lengths = fc.constantFrom(0, 1, 125, 126, 127, 65_535, 65_536, 70_000)
  const texts = fc.oneof(
    fc.string({ unit: 'binary' }),
    lengths.map((length) => 'x'.repeat(length)),
  )
  fc.assert(
    fc.property(texts, (text) => {
      const bytes = textFrame(text)
      const length = Buffer.byteLength(text)
      // The shortest way to write the length is the only one allowed.
      expect(bytes.length - length).toBe(length < 126 ? 2 : length < 65_536 ? 4 : 10)
      const [frame, ...more] = readFrames(bytes)
      expect(more).toEqual([])
      expect(frame?.opcode).toBe(textOpcode)
      expect(frame?.payload.equals(Buffer.from(text))).toBe(true)
    }),
  )
})

it('[G10] what is framed for browsers decodes as the contract says', () => {
  const view = { room_slug: 'energy', online_count: 3, typing_count: 1, active: true }
  const texts = [
    ...[updateFrame(view), statusFrame({ stale: true, reason: 'source' })].map((bytes) =>
      String(readFrames(bytes)[0]?.payload),
    ),
    snapshotText([view]),
  ]
  for (const text of texts) expect(decodeJson(clientMessage, text).ok).toBe(true)
})

it('[G10] a pong says which ping it answers; no ping is number 0', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 0xffffffff }), (id) => {
      const [frame] = readFrames(pingFrame(id))
      expect(frame?.opcode).toBe(pingOpcode)
      expect(pongId(frame?.payload ?? Buffer.alloc(0))).toBe(id)
      expect(nextPingId(id)).toBeGreaterThan(0)
    }),
  )
  expect(nextPingId(0xffffffff)).toBe(1)
  expect(pongId(Buffer.from('hello'))).toBe(0)
})
