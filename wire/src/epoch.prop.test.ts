// The order of voices is total, and its header says exactly one of them.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { compareEpochs, formatEpoch, parseEpoch, type Epoch } from './epoch.ts'
import { anyText } from './testing/any-message.ts'

const anyPart = fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }))
const anyEpoch: fc.Arbitrary<Epoch> = fc.record({ term: anyPart, epoch: anyPart })

it('[W5] an epoch survives its header', () => {
  fc.assert(
    fc.property(anyEpoch, (epoch) => {
      expect(parseEpoch(formatEpoch(epoch))).toEqual(epoch)
    }),
  )
})

it('[W5] a header that is read is the one that would be written: one epoch has one header', () => {
  const digits = fc.stringMatching(/^[0-9]{0,18}$/)
  const near = fc
    .tuple(digits, fc.constantFrom('.', '', '..', ' .', '.\n', ',', '.+', '.-'), digits)
    .map((parts) => parts.join(''))
  fc.assert(
    fc.property(fc.oneof(near, anyText(40)), (header) => {
      const epoch = parseEpoch(header)
      if (epoch === undefined) return
      expect(formatEpoch(epoch)).toBe(header)
      expect(Number.isSafeInteger(epoch.term) && Number.isSafeInteger(epoch.epoch)).toBe(true)
    }),
    { numRuns: 1_000 },
  )
})

it('[W5] what is not `<term>.<epoch>` in plain decimal is no header', () => {
  const wrong = [
    '',
    '1',
    '1.',
    '.1',
    '0.1',
    '1.0',
    '01.1',
    '1.01',
    '1.1\n',
    ' 1.1',
    '1.1.1',
    '+1.1',
    '1e3.1',
    '9007199254740992.1',
  ]
  expect(wrong.map(parseEpoch)).toEqual(wrong.map(() => undefined))
})

it('[W6] the order is total: one of three holds, it is turned by turning, and it passes on', () => {
  fc.assert(
    fc.property(anyEpoch, anyEpoch, anyEpoch, (a, b, c) => {
      const sign = (x: Epoch, y: Epoch): number => Math.sign(compareEpochs(x, y))
      expect(sign(a, b) + sign(b, a)).toBe(0)
      expect(sign(a, b) === 0).toBe(a.term === b.term && a.epoch === b.epoch)
      if (sign(a, b) <= 0 && sign(b, c) <= 0) expect(sign(a, c)).toBeLessThanOrEqual(0)
    }),
  )
})

it('[W6] a higher term wins over any epoch, and within a term the higher epoch wins', () => {
  fc.assert(
    fc.property(anyEpoch, anyEpoch, (a, b) => {
      const twin = a.term !== b.term ? (a.term > b.term ? 1 : -1) : a.epoch === b.epoch ? 0 : a.epoch > b.epoch ? 1 : -1
      expect(Math.sign(compareEpochs(a, b))).toBe(twin)
    }),
  )
})
