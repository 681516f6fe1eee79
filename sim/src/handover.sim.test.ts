// Leaders that are cut off, in a simulated city: how long until another leads, and how often the Lease changes hands where all are cut.
// In real time a row of these takes minutes (`make chaos FAULTS="F5d F5e F6c F6d"`).
import { expect, it } from 'vitest'
import { buildCity, type SimCity } from './city/sim-city.ts'
import type { LeaderPod } from './city/leader-pod.ts'

type Cut = (city: SimCity, pod: LeaderPod) => void
const fromMatrix: Cut = (_, pod) => pod.matrix.set('refused')
const fromNats: Cut = ({ nats }, pod) => nats.cut(pod.connection)

async function openCity(seed: number): Promise<{ city: SimCity; leading: LeaderPod }> {
  const size = { leaders: 2, election: 'lease', gateways: 1, witnessesEach: 1, clocks: 'near', fence: true } as const
  const city = buildCity(seed, size)
  await city.clock.runUntil(60_000, () => isFresh(city))
  // Both have followed for a while.
  await city.clock.runUntil(city.clock.monotonicMs() + 5_000)
  const leading = city.leading()
  if (leading === undefined) throw new Error('nobody leads')
  return { city, leading }
}

const isFresh = ({ witnesses }: SimCity): boolean =>
  witnesses.every(({ isConnected, stale }) => isConnected && stale === false)
const isFollowed = (city: SimCity, before: LeaderPod): boolean => {
  const now = city.leading()
  return now !== undefined && now !== before && isFresh(city)
}
const exitsOf = ({ recorder }: SimCity): unknown[] =>
  recorder.history.flatMap((entry) => (entry.kind === 'exit' ? [entry.code] : []))

/** All that run, and whoever is started in place of one that ended, for so long. */
async function cutAll(city: SimCity, cut: Cut, forMs: number): Promise<string[]> {
  const { clock, lease } = city
  const untilMs = clock.monotonicMs() + forMs
  const holders = [lease?.record()?.holder ?? '']
  await clock.runUntil(untilMs, () => {
    for (const pod of city.leaders()) cut(city, pod)
    const holder = lease?.record()?.holder ?? ''
    if (holder !== '' && holder !== holders.at(-1)) holders.push(holder)
    return false
  })
  return holders.slice(1)
}

const seeds = [2, 3, 5, 8, 13]

it.each(seeds)(
  '[E28] seed %i: a leader cut from Matrix hands over after a minute, and another says what is true',
  async (seed) => {
    const { city, leading } = await openCity(seed)
    fromMatrix(city, leading)
    const fromMs = city.clock.monotonicMs()
    await city.clock.runUntil(fromMs + 120_000, () => isFollowed(city, leading))
    const tookMs = city.clock.monotonicMs() - fromMs
    expect([tookMs > 55_000, tookMs < 63_000]).toEqual([true, true])
    expect(exitsOf(city)).toEqual([3])
  },
)

it.each(seeds)('[E28] seed %i: a leader cut from NATS hands over after ten seconds', async (seed) => {
  const { city, leading } = await openCity(seed)
  fromNats(city, leading)
  const fromMs = city.clock.monotonicMs()
  await city.clock.runUntil(fromMs + 120_000, () => isFollowed(city, leading))
  const tookMs = city.clock.monotonicMs() - fromMs
  expect([tookMs > 9_000, tookMs < 14_000]).toEqual([true, true])
  expect(exitsOf(city)).toEqual([3])
})

it.each(seeds)(
  '[E28] seed %i: where all are cut from Matrix the Lease changes hands once, and all is well afterwards',
  async (seed) => {
    const { city } = await openCity(seed)
    expect((await cutAll(city, fromMatrix, 240_000)).length).toBeLessThanOrEqual(1)
    // A marked city is better than none.
    expect(city.leading()).toBeDefined()
    for (const pod of city.leaders()) pod.matrix.set('open')
    await city.clock.runUntil(city.clock.monotonicMs() + 60_000, () => isFresh(city))
    expect(isFresh(city)).toBe(true)
  },
)

it.each(seeds)('[E28] seed %i: where all are cut from NATS nobody takes it who could say nothing', async (seed) => {
  const { city } = await openCity(seed)
  expect(await cutAll(city, fromNats, 60_000)).toEqual([])
  for (const pod of city.leaders()) city.nats.join(pod.connection)
  await city.clock.runUntil(city.clock.monotonicMs() + 60_000, () => isFresh(city))
  expect(isFresh(city)).toBe(true)
})
