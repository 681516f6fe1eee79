// When the vote by Lease begins, and what a voice may build on it. The machines have their own tests.
import { expect, it } from 'vitest'
import { createFakeClock } from '@citypresence/chassis/testing/fake-clock'
import { electByLease, electBySilence } from './city-election.ts'
import { firstTermOf } from './core/lease-terms.ts'
import { silenceMs, termFloorAt } from './core/lone-election.ts'

function play(isReady: () => boolean) {
  const clock = createFakeClock()
  const raised: number[] = []
  const heldBack: number[] = []
  const handedOver: string[] = []
  let ageMs: number | undefined = 0
  let started = 0
  let left = 0
  let term: number | undefined
  let lose: (why: string) => void = () => undefined
  const election = electByLease({
    clock,
    isReady,
    sourceAgeMs: () => ageMs,
    handOver: (cutFrom) => handedOver.push(cutFrom),
    start(on) {
      started++
      lose = on.lost
      return {
        leads: () => term !== undefined,
        confirmedTerm: () => term,
        raise: (to) => raised.push(to),
        holdBack: (ms) => heldBack.push(ms),
        leave() {
          left++
          return Promise.resolve()
        },
      }
    },
  })
  return {
    clock,
    election,
    raised,
    heldBack,
    handedOver,
    age: (ms: number | undefined) => (ageMs = ms),
    win: (to?: number) => (term = to),
    lose: () => lose(''),
    counts: () => ({ started, left }),
  }
}

it('[E27] whoever knows the city votes at once, and whoever does not, after five seconds', async () => {
  const ready = play(() => true)
  await ready.clock.advance(0)
  expect(ready.counts().started).toBe(1)
  const late = play(() => false)
  await late.clock.advance(4_900)
  expect(late.counts().started).toBe(0)
  expect(late.election.elected(0)).toBeUndefined()
  await late.clock.advance(200)
  expect(late.counts().started).toBe(1)
  await late.clock.advance(60_000)
  expect(late.counts().started).toBe(1)
})

it('[E27] the term is the first that the Lease opens, and silence on the beats is no vote', async () => {
  const one = play(() => true)
  await one.clock.advance(60_000)
  expect(one.election.elected(60_000)).toBeUndefined()
  one.win(4)
  expect(one.election.elected(60_000)).toBe(4_000)
  one.election.heardBeat(60_000)
  one.election.standBy(60_000)
  expect(one.election.elected(60_000)).toBe(4_000)
  one.raised.length = 0
  for (const term of [9_000, 9_001, 219_000_000]) one.election.raise(term)
  expect(one.raised).toEqual([9, 10, 219_000])
})

it('[L14] a Lease that is taken opens terms above the milliseconds since 2020; who led already is not held up by them', async () => {
  const one = play(() => true)
  await one.clock.advance(60_000)
  const floor = one.election.termFloor(true)
  expect(floor).toBe(termFloorAt(one.clock.wallMs()))
  const asked = one.raised.at(-1) ?? 0
  // Each once, as the seconds go by.
  expect(one.raised).toEqual([...new Set(one.raised)])
  expect(firstTermOf(asked)).toBeGreaterThan(floor)
  expect(firstTermOf(asked)).toBeLessThan(floor + 10_000)
  expect(one.election.termFloor(false)).toBe(0)
  // Not while it leads: that would be a write.
  one.win(asked)
  one.raised.length = 0
  await one.clock.advance(60_000)
  expect(one.raised).toEqual([])
  // What a lost term wanted died with it.
  one.win(undefined)
  await one.clock.advance(50)
  one.win(asked)
  await one.clock.advance(50)
  one.win(undefined)
  await one.clock.advance(50)
  expect(one.raised).toHaveLength(2)
})

it('[L25] without a Lease, who was too late waits for four seconds of silence again before it tries', async () => {
  const clock = createFakeClock()
  const election = electBySilence(clock)
  await clock.advance(silenceMs)
  expect(election.elected(clock.monotonicMs())).toBe(0)
  election.standBy(clock.monotonicMs())
  await clock.advance(silenceMs - 1)
  expect(election.elected(clock.monotonicMs())).toBeUndefined()
  await clock.advance(1)
  expect(election.elected(clock.monotonicMs())).toBe(0)
})

it('[E9] who leaves before it voted never does; who voted lets go', async () => {
  const early = play(() => false)
  await early.election.leave()
  await early.clock.advance(60_000)
  expect(early.counts()).toEqual({ started: 0, left: 0 })
  const voted = play(() => true)
  await voted.clock.advance(0)
  let lost = 0
  voted.election.onLost(() => lost++)
  voted.lose()
  await voted.election.leave()
  expect([voted.counts().left, lost]).toEqual([1, 1])
})

it('[E28] a leader cut from NATS hands over after ten seconds, a standby does not try meanwhile', async () => {
  const one = play(() => true)
  await one.clock.advance(1_000)
  one.win(4)
  await one.clock.advance(1_000)
  one.election.linkChanged(false)
  await one.clock.advance(9_900)
  expect([one.handedOver, one.heldBack.at(-1)]).toEqual([[], Number.POSITIVE_INFINITY])
  await one.clock.advance(200)
  expect(one.handedOver[0]).toBe('NATS')
  one.election.linkChanged(true)
  await one.clock.advance(100)
  expect(one.heldBack.at(-1)).toBe(0)
})

it('[E28] a leader whose last good sync is a minute old hands over', async () => {
  const one = play(() => true)
  one.win(4)
  await one.clock.advance(1_000)
  one.age(60_000)
  await one.clock.advance(100)
  expect(one.handedOver[0]).toBe('Matrix')
})
