// A Lease is anybody's to edit: whatever stands in it is read as something, and nothing of others is lost by a write.
import { expect, it } from 'vitest'
import { leaseWith, readLease, type LeaseRecord } from './lease-record.ts'

const whole = {
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: {
    name: 'city',
    namespace: 'n',
    resourceVersion: '17',
    labels: { a: 'b' },
    ownerReferences: [{ uid: 'u' }],
  },
  spec: {
    holderIdentity: 'b',
    leaseDurationSeconds: 6,
    leaseTransitions: 3,
    acquireTime: '2026-01-01T00:00:00.000000Z',
    renewTime: '2026-01-01T00:00:05.000000Z',
    strategy: 'OldestEmulationVersion',
  },
}

function parsed(json: unknown): LeaseRecord {
  const read = readLease(json)
  if (!read.ok) throw new Error(read.problem)
  return read.value
}

it('[E10] a Lease is read with its holder, its transitions and its own duration', () => {
  expect(parsed(whole)).toMatchObject({ version: '17', holder: 'b', transitions: 3, durationMs: 6_000, body: whole })
})

it('[E10] nonsense in its fields is read as not given', () => {
  const spec = { holderIdentity: 7, leaseDurationSeconds: -1, leaseTransitions: 'many' }
  expect(parsed({ ...whole, spec })).toMatchObject({ holder: '', transitions: 0, durationMs: undefined })
  expect(parsed({ ...whole, spec: null })).toMatchObject({ holder: '', transitions: 0, durationMs: undefined })
  for (const json of [null, [], 'text', {}, { metadata: {} }, { metadata: { resourceVersion: '' } }])
    expect(readLease(json).ok).toBe(false)
})

it('[E10] transitions that no leader of ours comes to before 2054 are read as not given, so that their int32 never fills', () => {
  const read = (leaseTransitions: number) => parsed({ ...whole, spec: { leaseTransitions } }).transitions
  expect([read(2 ** 30), read(2 ** 30 + 1), read(2 ** 31 - 1)]).toEqual([2 ** 30, 0, 0])
})

it('[E10] a write keeps what it does not know: labels, owners, strategy, and when the holding began', () => {
  const change = { holder: 'b', transitions: 3, durationS: 6, acquires: false }
  expect(leaseWith(parsed(whole), change, 0)).toEqual({
    ...whole,
    spec: { ...whole.spec, renewTime: '1970-01-01T00:00:00.000000Z' },
  })
  const acquired = leaseWith(parsed(whole), { ...change, holder: 'a', transitions: 4, acquires: true }, 0)
  expect(acquired['spec']).toMatchObject({
    holderIdentity: 'a',
    leaseTransitions: 4,
    acquireTime: '1970-01-01T00:00:00.000000Z',
  })
})

it('[E8] transitions stay within what the API holds', () => {
  const change = { holder: 'a', transitions: 2 ** 40, durationS: 6, acquires: true }
  expect(leaseWith(parsed(whole), change, 0)['spec']).toMatchObject({ leaseTransitions: 2 ** 31 - 1 })
})

it('[E2] only what a holder writes makes the stamp another', () => {
  const labelled = { ...whole, metadata: { ...whole.metadata, resourceVersion: '18', labels: {} } }
  expect(parsed(labelled).stamp).toBe(parsed(whole).stamp)
  const renewed = { ...whole, spec: { ...whole.spec, renewTime: '2026-01-01T00:00:06.000000Z' } }
  expect(parsed(renewed).stamp).not.toBe(parsed(whole).stamp)
})
