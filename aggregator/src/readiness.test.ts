import { expect, it } from 'vitest'
import { CityError } from '@citypresence/chassis/errors'
import { createFakeClock } from '@citypresence/chassis/testing/fake-clock'
import { electByLease, electBySilence } from './city-election.ts'
import { mayTell, roleOf, whyNotReady } from './readiness.ts'

const known = { synced: true, mapped: true }
const speech = (complete: boolean) => ({ isComplete: () => complete })
const standby = (heardAtMs?: number) => ({
  leads: () => false,
  trouble: () => undefined,
  foreignBeatAtMs: () => heardAtMs,
})
const leader = { leads: () => true, trouble: () => undefined, foreignBeatAtMs: () => undefined }

it('[L35] a leader is ready when it has said the whole city', () => {
  expect(whyNotReady(known, speech(true), leader, 0)).toEqual([])
  expect(whyNotReady(known, speech(false), leader, 0)).toEqual(['the city is not published completely yet'])
})

it('[L35] a standby is ready while it hears a leader', () => {
  expect(whyNotReady(known, speech(false), standby(1_000), 6_000)).toEqual([])
  expect(whyNotReady(known, speech(false), standby(1_000), 6_001)).toEqual(['nobody leads yet'])
  expect(whyNotReady(known, speech(true), standby(), 0)).toEqual(['nobody leads yet'])
})

it('[L39] a standby that waits is ready without a map and a sync; the leader that it becomes is not', () => {
  const nothing = { synced: false, mapped: false }
  const source = new CityError('MatrixUnreachable', 'GET /sync: no answer')
  const waits = { standby: 'waits', source } as const
  expect(whyNotReady(nothing, speech(false), standby(1_000), 6_000, waits)).toEqual([])
  expect(whyNotReady(nothing, speech(false), leader, 0, waits)).toHaveLength(4)
})

it('[L35] neither is before it has a map and a sync, and all that is missing is told', () => {
  const nothing = { synced: false, mapped: false }
  expect(whyNotReady(nothing, speech(true), leader, 0)).toEqual(['no room map yet', 'no sync with Matrix yet'])
  expect(whyNotReady(nothing, speech(true), standby(), 0)).toHaveLength(3)
})

it('[L35] [M56] why there is no map, and why the source is not believed, is told by its word', () => {
  const map = new CityError('RoomDirectoryUnreadable', 'GET /rooms: answered with status 500')
  const source = new CityError('MatrixPresenceOff', 'presence is off')
  expect(whyNotReady({ synced: true, mapped: false }, speech(true), leader, 0, { map })).toEqual([
    'RoomDirectoryUnreadable: GET /rooms: answered with status 500',
  ])
  expect(whyNotReady(known, speech(true), leader, 0, { map, source })).toEqual(['MatrixPresenceOff: presence is off'])
})

it('[E20] says which part it plays: a leader under its term, one that still claims, a standby', () => {
  const view = (leads: boolean, term?: number) => roleOf({ leads: () => leads, term: () => term })
  expect(view(true, 7)).toEqual({ role: 'leader', term: 7 })
  expect(view(true)).toEqual({ role: 'claiming' })
  expect(view(false)).toEqual({ role: 'standby' })
})

it('[L35] what keeps it from writing or hearing is told, and it is not ready', () => {
  const trouble = () => new CityError('NatsForbidden', 'no right to publish on ingest.city.presence.beat')
  expect(whyNotReady({ synced: true, mapped: true }, speech(true), { ...leader, trouble }, 0)).toEqual([
    'NatsForbidden: no right to publish on ingest.city.presence.beat',
  ])
})

it('[LS4] a leader tells the status while the Lease lately named it, and not when it was frozen until it may name another', async () => {
  const clock = createFakeClock()
  let confirmed: number | undefined = 7
  const election = electByLease({
    clock,
    isReady: () => true,
    sourceAgeMs: () => 0,
    handOver: () => undefined,
    start: () => ({
      leads: () => true,
      confirmedTerm: () => confirmed,
      raise: () => undefined,
      holdBack: () => undefined,
      leave: () => Promise.resolve(),
    }),
  })
  await clock.advance(100)
  const may = (who: typeof leader | ReturnType<typeof standby>) => mayTell(who, election, clock.monotonicMs())
  expect([may(leader), may(standby(0))]).toEqual([true, false])
  confirmed = undefined
  expect(may(leader)).toBe(false)
})

it('[LS4] without a Lease, while it hears no other', async () => {
  const clock = createFakeClock()
  const election = electBySilence(clock)
  await clock.advance(10_000)
  expect(mayTell(leader, election, clock.monotonicMs())).toBe(true)
  election.heardBeat(clock.monotonicMs())
  expect(mayTell(leader, election, clock.monotonicMs())).toBe(false)
})
