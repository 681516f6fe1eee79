// A Lease with anything in it: read as something sensible, and written back with nothing of others lost.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { leaseWith, readLease, transitionsBelievedMax, type LeaseRecord } from './lease-record.ts'

const own = ['holderIdentity', 'leaseTransitions', 'leaseDurationSeconds', 'acquireTime', 'renewTime'] as const
const anyName = fc.stringMatching(/^[a-z]{1,12}$/)
const anySpec = fc.oneof(
  fc.jsonValue(),
  fc
    .tuple(
      fc.dictionary(fc.constantFrom(...own), fc.oneof(fc.jsonValue(), fc.constantFrom(1.5, 2 ** 60, -1, 7, '7'))),
      fc.dictionary(anyName, fc.jsonValue()),
    )
    .map(([a, b]) => ({ ...b, ...a })),
)
const anyLease = fc
  .record({
    spec: anySpec,
    metadata: fc.dictionary(anyName, fc.jsonValue()),
    more: fc.dictionary(anyName, fc.jsonValue()),
  })
  .map(({ spec, metadata, more }) => ({
    ...more,
    kind: 'Lease',
    metadata: { ...metadata, resourceVersion: '17' },
    spec,
  }))
const anyChange = fc.record({
  holder: fc.string({ maxLength: 20 }),
  transitions: fc.oneof(fc.nat(9), fc.maxSafeNat()),
  durationS: fc.integer({ min: 1, max: 3_600 }),
  acquires: fc.boolean(),
})

function parsed(json: unknown): LeaseRecord {
  const read = readLease(json)
  if (!read.ok) throw new Error(read.problem)
  return read.value
}

it('[E10] whatever stands in a Lease, transitions are a whole number, a duration is one above 0 or none, and a holder is text', () => {
  fc.assert(
    fc.property(anyLease, (lease) => {
      const { transitions, durationMs, holder, version } = parsed(lease)
      expect(Number.isSafeInteger(transitions) && transitions >= 0 && transitions <= transitionsBelievedMax).toBe(true)
      expect((durationMs ?? 1) > 0).toBe(true)
      expect([typeof holder, version]).toEqual(['string', '17'])
    }),
  )
  fc.assert(fc.property(fc.jsonValue(), (json) => void readLease(json)))
})

it('[E10] [E8] what was written is read back, and of what stood there nothing else changed', () => {
  fc.assert(
    fc.property(anyLease, anyChange, fc.nat(), (lease, change, wallMs) => {
      const record = parsed(lease)
      const body = leaseWith(record, change, wallMs)
      const again = parsed(body)
      expect(again).toMatchObject({
        holder: change.holder,
        transitions: change.transitions <= transitionsBelievedMax ? change.transitions : 0,
        durationMs: change.durationS * 1_000,
      })
      const foreign = (value: unknown) =>
        typeof value === 'object' && value !== null && !Array.isArray(value)
          ? Object.fromEntries(Object.entries(value).filter(([key]) => !own.includes(key as never)))
          : {}
      expect(foreign(body['spec'])).toEqual(foreign(lease.spec))
      expect({ ...body, spec: 0 }).toEqual({ ...lease, apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', spec: 0 })
    }),
  )
})

it('[E2] two writes at different times never have one stamp, and a reading changes none', () => {
  fc.assert(
    fc.property(
      anyLease,
      anyChange,
      fc.nat(),
      fc.integer({ min: 1, max: 60_000 }),
      (lease, change, wallMs, laterMs) => {
        const first = parsed(leaseWith(parsed(lease), change, wallMs))
        const second = parsed(leaseWith(first, { ...change, acquires: false }, wallMs + laterMs))
        expect(second.stamp).not.toBe(first.stamp)
        expect(parsed(structuredClone(first.body)).stamp).toBe(first.stamp)
      },
    ),
  )
})
