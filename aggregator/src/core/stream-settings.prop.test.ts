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
/** Never asked for. A stream that says nothing of them has them right. */
const never = {
  mirror: null,
  sources: [],
  sealed: false,
  no_ack: false,
  discard_new_per_subject: false,
  max_msg_size: -1,
  allow_msg_counter: false,
  allow_msg_schedules: false,
  persist_mode: 'default',
  subject_delete_marker_ttl: 0,
}
const comparedOf = (wanted: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries({ ...wanted, ...never }).filter(([field]) => field !== 'num_replicas'))
const anyOther = fc.oneof(
  fc.constantFrom(0, -1, 7, true, false, 'other', 'default', null, undefined),
  fc.array(fc.string(), { maxLength: 2 }),
  fc.dictionary(fc.constantFrom('src', 'dest', 'name', 'headers_only'), fc.oneof(fc.string(), fc.boolean())),
)
/** A server may leave these out, and then they are right. */
const mayBeSilent = new Set([...Object.keys(never), 'allow_rollup_hdrs', 'max_age'])
const isSame = (field: string, value: unknown, right: unknown): boolean =>
  value === undefined || value === null ? mayBeSilent.has(field) : JSON.stringify(value) === JSON.stringify(right)

it('[L11] any one setting that is compared, changed to anything else, is named with what it is', () => {
  fc.assert(
    fc.property(anyWish, fc.nat(), anyOther, (wish, pick, value) => {
      const wanted: Record<string, unknown> = wantedStream(wish)
      const compared = comparedOf(wanted)
      const field = Object.keys(compared)[pick % Object.keys(compared).length] ?? ''
      fc.pre(!isSame(field, value, compared[field]))
      const difference = differenceOf(wanted, { ...wanted, first_seq: 9, [field]: value })
      expect(difference?.startsWith(`${field} is `)).toBe(true)
      expect(difference).toContain(`, and has to be ${JSON.stringify(compared[field])}`)
    }),
  )
})

it('[L11] a difference is named by a field that differs, and where none does there is none', () => {
  fc.assert(
    fc.property(anyWish, fc.dictionary(fc.nat(40).map(String), anyOther), (wish, picks) => {
      const wanted: Record<string, unknown> = wantedStream(wish)
      const compared = comparedOf(wanted)
      const found: Record<string, unknown> = { ...wanted, first_seq: 9, sealed: false }
      const differing = new Set<string>()
      for (const [pick, value] of Object.entries(picks)) {
        const field = Object.keys(compared)[Number(pick)]
        if (field === undefined) continue
        found[field] = value
        if (!isSame(field, value, compared[field])) differing.add(field)
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
