import fc from 'fast-check'
import { expect, it } from 'vitest'
import { reasons, type Reason } from '@citypresence/operator/core/conditions'
import { errorCodes, type ErrorCode } from '@citypresence/chassis/errors'
import { leaderStatus, rounded, type LeaderFacts } from './leader-status.ts'

const code = fc.constantFrom(...(Object.keys(errorCodes) as ErrorCode[]))
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })
const trouble = maybe(fc.record({ code, message: fc.string({ minLength: 1 }) }))
const anyFacts: fc.Arbitrary<LeaderFacts> = fc.record({
  synced: fc.boolean(),
  source: fc.constantFrom('live' as const, 'stale' as const),
  sourceTrouble: maybe(code),
  mapped: fc.boolean(),
  rooms: fc.nat(1_000),
  uncounted: fc.nat(10),
  roomsTrouble: trouble,
  streamTrouble: trouble,
  complete: fc.boolean(),
  online: fc.nat(),
})

it('[LS1] whatever is known, each condition has a reason of the resource with its status, and a sentence', () => {
  fc.assert(
    fc.property(anyFacts, (facts) => {
      const { conditions } = leaderStatus(facts)
      expect(conditions.map(({ type }) => type)).toEqual(['MatrixSynced', 'RoomsResolved', 'StreamReady'])
      for (const { type, status, reason, message } of conditions) {
        expect(reasons[reason as Reason].on).toContain(type)
        expect(reasons[reason as Reason].status).toBe(status)
        expect(message).not.toBe('')
      }
    }),
  )
})

const good: LeaderFacts = {
  ...{ synced: true, source: 'live', sourceTrouble: undefined },
  ...{ mapped: true, rooms: 42, uncounted: 0, roomsTrouble: undefined, streamTrouble: undefined },
  ...{ complete: true, online: 1_234 },
}
const reasonsOf = (facts: Partial<LeaderFacts>) =>
  leaderStatus({ ...good, ...facts }).conditions.map(({ reason }) => reason)

it('[LS1] every trouble has its word, and none is told while it is none', () => {
  expect(reasonsOf({})).toEqual(['Synced', 'AllResolved', 'StreamWritable'])
  expect(reasonsOf({ synced: false, mapped: false, complete: false })).toEqual(['Pending', 'Pending', 'Pending'])
  const matrix = (facts: Partial<LeaderFacts>) => reasonsOf(facts)[0]
  expect(matrix({ sourceTrouble: 'MatrixTokenRefused' })).toBe('HomeserverUnauthorized')
  expect(matrix({ sourceTrouble: 'MatrixUnreachable', source: 'stale' })).toBe('HomeserverUnreachable')
  expect(matrix({ source: 'stale' })).toBe('SourceStale')
  expect(matrix({ source: 'stale', sourceTrouble: 'MatrixPresenceOff' })).toBe('PresenceOff')
  const rooms = (facts: Partial<LeaderFacts>) => reasonsOf(facts)[1]
  expect(rooms({ uncounted: 1 })).toBe('SomeUnresolved')
  expect(rooms({ roomsTrouble: { code: 'RoomDirectoryRefused', message: 'x' } })).toBe('RoomDirectoryRefused')
  expect(rooms({ roomsTrouble: { code: 'RoomDirectoryUnreadable', message: 'x' } })).toBe('CityServiceUnreachable')
  const stream = (word: ErrorCode) => reasonsOf({ streamTrouble: { code: word, message: 'x' } })[2]
  expect(
    ['StreamDiffers', 'StreamOwnedByAnother', 'NatsForbidden', 'NatsTooOld', 'NatsClosed'].map((one) =>
      stream(one as ErrorCode),
    ),
  ).toEqual([...['StreamMismatch', 'StreamMismatch', 'NatsUnauthorized', 'NatsTooOld', 'NatsUnreachable']])
})

it('[LS2] the number online has two digits, is within a twentieth, and none stays none', () => {
  fc.assert(
    fc.property(fc.nat(), (count) => {
      expect(Math.abs(rounded(count) - count)).toBeLessThanOrEqual(count / 20)
      expect(String(rounded(count)).replace(/0+$/, '').length).toBeLessThanOrEqual(2)
    }),
  )
  expect([0, 7, 99, 101, 1_234, 98_765].map(rounded)).toEqual([0, 7, 99, 100, 1_200, 99_000])
})
