import fc from 'fast-check'
import { expect, it } from 'vitest'
import { visit, wholly } from './pieces.ts'

it('[P12] work in pieces visits all in order, with a pause after each so many and none at its end', () => {
  fc.assert(
    fc.property(fc.array(fc.nat()), fc.integer({ min: 1, max: 10 }), (all, perPiece) => {
      const seen: number[] = []
      const pieces = visit(all, perPiece, (one) => seen.push(one))
      let pauses = 0
      while (pieces.next().done !== true) expect(seen).toEqual(all.slice(0, ++pauses * perPiece))
      expect(seen).toEqual(all)
      expect(pauses).toBe(Math.max(0, Math.ceil(all.length / perPiece) - 1))
      const again: number[] = []
      wholly(visit(all, perPiece, (one) => again.push(one)))
      expect(again).toEqual(all)
    }),
  )
})
