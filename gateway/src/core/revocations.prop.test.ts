// The list of revoked tokens: what is written is what is refused, and no text makes it throw or say half of itself.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { isRevoked, noRevocations, readRevocations } from './revocations.ts'

const name = fc
  .string({ minLength: 1 })
  .filter((text) => text.trim() === text && text !== '' && !/[\n\r\u2028\u2029]/.test(text))
const entry = fc.record({ kind: fc.constantFrom('sub', 'jti'), name })

it('[G35] exactly who stands on the list is revoked, by subject or by id, whatever else stands around', () => {
  fc.assert(
    fc.property(fc.array(entry), name, fc.constantFrom('\n', '\r\n', '\n\n# a remark\n'), (entries, other, between) => {
      const read = readRevocations(entries.map((one) => `${one.kind}:${one.name}`).join(between))
      if (!read.ok) throw new Error(read.problem)
      const has = (kind: string, wanted: string) => entries.some((one) => one.kind === kind && one.name === wanted)
      for (const { name: wanted } of [...entries, { name: other }]) {
        expect(isRevoked(read.value, { subject: wanted })).toBe(has('sub', wanted))
        expect(isRevoked(read.value, { tokenId: wanted })).toBe(has('jti', wanted))
      }
      expect(isRevoked(read.value, {})).toBe(false)
      expect(isRevoked(noRevocations, { subject: other, tokenId: other })).toBe(false)
    }),
  )
})

it('[G35] any text is read whole or refused whole, and a refusal quotes nothing of it', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(fc.string()).map((lines) => lines.join('\n')),
      ),
      (text) => {
        const read = readRevocations(text)
        if (read.ok) return
        expect(read.problem).toMatch(/^line \d+ is neither sub:… nor jti:…$/)
      },
    ),
  )
  expect(readRevocations('sub:alice\neyJhbGciOi.canary.x')).toEqual({
    ok: false,
    problem: 'line 2 is neither sub:… nor jti:…',
  })
  const many = Array.from({ length: 100_001 }, (_, index) => `jti:${index}`).join('\n')
  expect(readRevocations(many)).toEqual({ ok: false, problem: 'more than 100000 entries' })
})
