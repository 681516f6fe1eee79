import fc from 'fast-check'
import { expect, it } from 'vitest'
import { formatTraceparent, parseTraceparent } from './trace-context.ts'

const hex = (length: number) =>
  fc.string({ unit: fc.constantFrom(...Array.from('0123456789abcdef')), minLength: length, maxLength: length })
const id = (length: number) => hex(length).filter((text) => !/^0+$/.test(text))
const anyContext = fc.record({ traceId: id(32), spanId: id(16), sampled: fc.boolean() })

it('[C11] what is formatted parses to itself', () => {
  fc.assert(
    fc.property(anyContext, (context) => {
      expect(parseTraceparent(formatTraceparent(context))).toEqual(context)
    }),
  )
})

it('[C11] any text is answered without throwing, and what is accepted has ids that are not zero', () => {
  const almost = fc
    .tuple(hex(2), hex(32), hex(16), hex(2), fc.constantFrom('', '-', '-x', 'x'))
    .map(([version, trace, span, flags, tail]) => `${version}-${trace}-${span}-${flags}${tail}`)
  fc.assert(
    fc.property(fc.oneof(fc.string(), almost), (text) => {
      const context = parseTraceparent(text)
      if (context === undefined) return
      expect(context.traceId).toMatch(/^(?!0{32})[0-9a-f]{32}$/)
      expect(context.spanId).toMatch(/^(?!0{16})[0-9a-f]{16}$/)
    }),
  )
})

it.each([
  ['upper case', '00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01'],
  ['version ff', 'ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'],
  ['version 00 with a tail', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x'],
  ['a zero trace id', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`],
  ['a zero parent id', `00-0af7651916cd43dd8448eb211c80319c-${'0'.repeat(16)}-01`],
  ['a later version glued to its tail', '01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01x'],
  ['a header without end', `01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-${'x'.repeat(300)}`],
])('[C11] %s is ignored', (_name, text) => {
  expect(parseTraceparent(text)).toBeUndefined()
})

it('[C11] a later version with more fields is understood, and only bit 0 means sampled', () => {
  const text = 'cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-'
  expect(parseTraceparent(`${text}03-more`)).toMatchObject({ sampled: true })
  expect(parseTraceparent(`${text}02`)).toMatchObject({ sampled: false })
})
