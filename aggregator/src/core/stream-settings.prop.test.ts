// Of any stream that differs from the wish, in whatever and however many settings, one that differs is named.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { differenceOf, wantedStream } from './stream-settings.ts'

const anyWish = fc.record({
  name: fc.constantFrom('CITY', 'OTHER'),
  prefix: fc.constantFrom('city.presence', 'p'),
  kind: fc.constantFrom('rooms' as const, 'users' as const),
  replicas: fc.constantFrom(1, 3, 5),
})
const anyOther = fc.oneof(fc.constantFrom(0, 7, true, false, 'other', null), fc.array(fc.string(), { maxLength: 2 }))
// What a server may leave out of its answer, and what is said then.
const isSilence = (field: string, value: unknown): boolean =>
  (field === 'allow_rollup_hdrs' && value === false) || (field === 'max_age' && value === 0)

it('[L11] a difference is named by a field that differs, and where none does there is none', () => {
  fc.assert(
    fc.property(anyWish, fc.dictionary(fc.nat(40).map(String), anyOther), fc.boolean(), (wish, picks, takesOut) => {
      const wanted: Record<string, unknown> = wantedStream(wish)
      const found = { ...wanted, first_seq: 9, sealed: false }
      const fields = Object.keys(wanted).filter((field) => field !== 'num_replicas')
      const differing = new Set<string>()
      for (const [pick, other] of Object.entries(picks)) {
        const field = fields[Number(pick)]
        if (field === undefined || JSON.stringify(other) === JSON.stringify(wanted[field])) continue
        // Null says as much as nothing.
        const value = takesOut ? undefined : other
        Object.assign(found, { [field]: value })
        if (!isSilence(field, wanted[field]) || (value !== undefined && value !== null)) differing.add(field)
      }
      const said = differenceOf(wanted, found)
      if (differing.size === 0) expect(said).toBeUndefined()
      else expect([...differing]).toContain(said?.split(' ')[0])
    }),
  )
})

it('[L11] neither the order of subjects nor more than was asked for is a difference; a missing or a foreign subject is', () => {
  fc.assert(
    fc.property(anyWish, fc.dictionary(fc.stringMatching(/^x_[a-z]{1,8}$/), fc.jsonValue()), (wish, more) => {
      const wanted: Record<string, unknown> = wantedStream(wish)
      const subjects = wanted['subjects'] as string[]
      expect(differenceOf(wanted, { ...more, ...wanted, subjects: subjects.toReversed() })).toBeUndefined()
      for (const others of [subjects.slice(1), [...subjects, 'x.>'], subjects.with(0, 'x.>')])
        expect(differenceOf(wanted, { ...wanted, subjects: others })).toMatch(/^subjects is /)
    }),
  )
})
