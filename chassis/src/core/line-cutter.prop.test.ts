import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createLineCutter } from './line-cutter.ts'

const anyLine = fc.string({ unit: 'grapheme', maxLength: 20 }).filter((line) => !line.includes('\n'))

/** The same bytes in pieces of these sizes. */
function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = []
  let at = 0
  for (const size of sizes) pieces.push(bytes.subarray(at, (at += size)))
  return [...pieces, bytes.subarray(at)]
}

it('[OA4] however the bytes are torn apart, the lines are whole', () => {
  fc.assert(
    fc.property(fc.array(anyLine), fc.array(fc.integer({ min: 0, max: 9 })), (lines, sizes) => {
      const bytes = new TextEncoder().encode(lines.map((line) => `${line}\n`).join(''))
      const cutter = createLineCutter(1_000)
      const got = cut(bytes, sizes).flatMap((piece) => {
        const taken = cutter.take(piece)
        expect(taken.ok).toBe(true)
        return taken.ok ? taken.value : []
      })
      expect(got).toEqual(lines.filter((line) => line.trim() !== ''))
    }),
  )
})

it('[OA4] a line that does not end is refused at its cap, in one piece or in many, and so is what is no text', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 50 }), fc.array(fc.integer({ min: 1, max: 9 })), (bytesMax, sizes) => {
      const line = new Uint8Array(bytesMax).fill(0x61)
      const cutter = createLineCutter(bytesMax)
      expect(cut(line, sizes).every((piece) => cutter.take(piece).ok)).toBe(true)
      expect(cutter.take(new Uint8Array([0x61])).ok).toBe(false)
      expect(createLineCutter(bytesMax).take(new Uint8Array([...line, 0x61, 0x0a])).ok).toBe(false)
      expect(createLineCutter(bytesMax).take(new Uint8Array([...line, 0x0a])).ok).toBe(true)
    }),
  )
  expect(createLineCutter(10).take(new Uint8Array([0xc3, 0x0a]))).toEqual({ ok: false, problem: 'is no UTF-8' })
})
