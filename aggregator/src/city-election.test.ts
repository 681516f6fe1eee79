// When the vote by Lease begins, and what a voice may build on it. The machines have their own tests.
import { expect, it } from 'vitest'
import { createFakeClock } from '@citypresence/chassis/testing/fake-clock'
import { electByLease } from './city-election.ts'

function play(isReady: () => boolean) {
  const clock = createFakeClock()
  const raised: number[] = []
  let started = 0
  let left = 0
  let term: number | undefined
  let lose: (why: string) => void = () => undefined
  const election = electByLease({
    clock,
    isReady,
    start(on) {
      started++
      lose = on.lost
      return {
        leads: () => term !== undefined,
        confirmedTerm: () => term,
        raise: (to) => raised.push(to),
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

it('[E27] the term is the one that the Lease confirms, and silence on the beats is no vote', async () => {
  const one = play(() => true)
  await one.clock.advance(60_000)
  expect(one.election.elected(60_000)).toBeUndefined()
  one.win(4)
  expect(one.election.elected(60_000)).toBe(4)
  one.election.heardBeat(60_000)
  one.election.standBy(60_000)
  expect(one.election.elected(60_000)).toBe(4)
  one.election.raise(9)
  expect(one.raised).toEqual([9])
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
