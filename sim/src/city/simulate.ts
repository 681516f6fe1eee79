// One seed from beginning to end: a city, some minutes of life with troubles in it, everything mended, and the verdict.
import type { Violation } from '@citypresence/checker/core/violation'
import type { Entry } from '@citypresence/checker/core/history'
import { createLogger, type Logger } from '@citypresence/chassis/log'
import { buildCity, judge, type SimCity } from './sim-city.ts'
import { troubles, type Trouble } from './troubles.ts'

export type Outcome = {
  readonly seed: number
  /** What went wrong in it on purpose, in order. */
  readonly told: readonly string[]
  readonly violations: readonly Violation[]
  /** Who did not show the truth in the end, and what instead; empty when all did. */
  readonly lies: readonly string[]
  /** From the last mending to the truth at every browser. */
  readonly settledMs: number
  readonly history: readonly Entry[]
}

export type SimulateOptions = {
  readonly log?: Logger
  /** The troubles to draw from; all unless given. */
  readonly among?: readonly Trouble[]
  /** For the test of the test: a stream that takes every word. */
  readonly fence?: boolean
}

// In every second city a Lease is the vote, in every fourth among three.
// In every so many cities clocks are an hour off. In these the store is not lost or taken back: without a Lease, and with
// one that loses its count too, terms then come from wall clocks, and gateways follow nobody of a lower term than they heard (docs/ROADMAP.md).
const hourOffEvery = 5
// A leader alone waits four seconds; then a minute of trouble, one every few seconds, some of them at once.
const firstTroubleMs = 8_000
const troubleEndsMs = 60_000
const pauseMs = 5_000
const actEveryMs = [20, 200] as const
// Back-off to Matrix reaches 30 s, and a poll that fell silent is given up after 12.
const settleWithinMs = 90_000

export async function simulate(seed: number, options: SimulateOptions = {}): Promise<Outcome> {
  const { log = createLogger({ service: 'sim', level: 'silent' }), among = troubles, fence = true } = options
  const clocks = seed % hourOffEvery === 0 ? 'far' : 'near'
  const election = seed % 2 === 0 ? 'lease' : 'silence'
  const leaders = seed % 4 === 0 ? 3 : 2
  const city = buildCity(seed, { leaders, election, gateways: 2, witnessesEach: 2, clocks, fence }, log)
  const { clock, town, recorder, random } = city
  const told: string[] = []
  const ends = new Set<() => void>()
  const between = ([least, most]: readonly [number, number]): number => least + random() * (most - least)

  let lives = true
  const act = (): void => {
    if (!lives) return
    town.actAtRandom((count) => Math.floor(random() * count))
    clock.after(between(actEveryMs), act)
  }
  const trouble = (): void => {
    if (clock.monotonicMs() > troubleEndsMs) return
    const possible = among.filter(
      ({ losesStream, needsLease }) =>
        (election === 'lease' || needsLease !== true) && (clocks === 'near' || losesStream !== true),
    )
    const chosen = possible[Math.floor(random() * possible.length)]
    if (chosen !== undefined) {
      told.push(`${Math.round(clock.monotonicMs())} ms: ${chosen.name}`)
      const fault = { kind: 'fault', id: chosen.name, blindMs: 0, breaksPolls: chosen.breaksPolls === true } as const
      recorder.note({ ...fault, phase: 'begins' })
      const finish = chosen.begin(city)
      const end = (): void => {
        if (!ends.delete(end)) return
        finish()
        recorder.note({ ...fault, phase: 'ends' })
      }
      ends.add(end)
      clock.after(between(chosen.lastsMs), end)
    }
    clock.after(random() * pauseMs, trouble)
  }
  const copyDisk = (): void => {
    if (clock.monotonicMs() > troubleEndsMs) return
    city.backUp = city.nats.backUp()
    clock.after(3_000 + random() * 20_000, copyDisk)
  }
  clock.after(10, act)
  clock.after(firstTroubleMs, trouble)
  clock.after(firstTroubleMs, copyDisk)
  await clock.runUntil(troubleEndsMs + random() * 5_000)
  lives = false
  for (const end of [...ends]) end()
  const settledMs = await settle(city)
  return { seed, told, settledMs, lies: liesOf(city), violations: judge(recorder.history), history: recorder.history }
}

async function settle(city: SimCity): Promise<number> {
  const { clock, town, recorder } = city
  // Typing that goes on through a lost connection is not told again, and rightly shown as none: so all end it.
  town.fallSilent()
  town.stir()
  const fromMs = clock.monotonicMs()
  await clock.runUntil(fromMs + settleWithinMs, () => liesOf(city).length === 0)
  const tookMs = clock.monotonicMs() - fromMs
  // A while longer: the truth has to last.
  await clock.runUntil(clock.monotonicMs() + 2_000)
  recorder.note({ kind: 'settled', tookMs })
  return tookMs
}

function liesOf({ town, witnesses }: SimCity): string[] {
  const truth = town.truth()
  return witnesses.flatMap(({ name, isConnected, stale, rooms }) => {
    if (!isConnected) return [`${name} is not connected`]
    if (stale !== false) return [`${name} is marked stale`]
    return [...new Set([...truth.keys(), ...rooms.keys()])].flatMap((slug) => {
      const [shown, wanted] = [rooms.get(slug), truth.get(slug)]
      const isRight =
        shown?.online_count === wanted?.online && shown?.typing_count === wanted?.typing && shown?.stale !== true
      return isRight ? [] : [`${name} shows ${JSON.stringify(shown)} in ${slug}, true is ${JSON.stringify(wanted)}`]
    })
  })
}
