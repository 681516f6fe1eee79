// What a wall clock that jumps does to those who live by it.
import { join } from 'node:path'
import { until } from '@citypresence/stack/until'
import type { Fault } from '../fault.ts'
import { openGuest } from '../guest.ts'
import { setClock, whyNoClock } from '../machine/clock.ts'
import type { Stage } from '../stage.ts'
import { lasting, lateIf, metricOf, missedIf, recoveredWithin, seconds } from './bars.ts'
import { claimsSince, closesSince, exitsSince } from './changes.ts'

const hourS = 3_600
/** Long enough for many changes to be stamped by the wrong clock. */
const lifeMs = 2_500
/** An event from an hour ago and one from an hour ahead are both no freshness: none may be counted for more than a minute. */
const freshnessMaxS = 60

/** An hour ahead, an hour back while NATS is lost and found again, and right again. */
async function jump(stage: Stage, services: readonly string[]): Promise<string> {
  const set = (offsetS: number): void => {
    for (const service of services) setClock(join(stage.folder, `${service}.clock`), offsetS)
  }
  const [claims, closes, exits] = [claimsSince(stage), closesSince(stage), exitsSince(stage)]
  const before = await freshnessOf(stage)
  try {
    set(hourS)
    await lasting(lifeMs)
    missedIf(
      stage.witnesses.some(({ stale }) => stale !== false),
      'a witness was marked stale, an hour ahead',
    )
    set(-hourS)
    await lasting(lifeMs)
    missedIf(
      stage.witnesses.some(({ stale }) => stale !== false),
      'a witness was marked stale, an hour back',
    )
    missedIf(claims() > 0, `${claims()} claims`)
    const after = await freshnessOf(stage)
    const meanS = (after.sum - before.sum) / Math.max(1, after.count - before.count)
    missedIf(meanS < 0 || meanS > freshnessMaxS, `freshness of ${seconds(meanS * 1_000)} on average`)
    await stage.nats.kill()
    await stage.nats.restart()
    const tookMs = await stage.settle(30_000)
    missedIf(closes() > 0, `${closes()} browsers lost their connection`)
    missedIf(exits() > 0, `${exits()} processes ended`)
    recoveredWithin(stage, tookMs, 10_000)
    return `nobody thrown out, no claim, no mark; with the clock back true again after a lost NATS in ${seconds(tookMs)}`
  } finally {
    set(0)
  }
}

async function freshnessOf({ gateways }: Stage): Promise<{ sum: number; count: number }> {
  const all = await Promise.all(
    gateways.map(async ({ now }) => ({
      sum: await metricOf(now, /freshness_seconds_sum/),
      count: await metricOf(now, /freshness_seconds_count/),
    })),
  )
  return all.reduce((one, other) => ({ sum: one.sum + other.sum, count: one.count + other.count }))
}

export const clockFaults: readonly Fault[] = [
  {
    id: 'F10a',
    title: "the aggregator's wall clock jumps an hour ahead, then an hour back, and NATS is lost and found meanwhile",
    bar: 'no claim, no mark, nobody thrown out; freshness stays below a minute; true 10 s after a lost NATS is back',
    length: 'short',
    guard:
      'with pauses between dials counted by the wall clock alone, every browser was still marked 30 s after NATS was back',
    cannot: whyNoClock,
    run: (stage) => jump(stage, ['aggregator']),
  },
  {
    id: 'F10b',
    title: "the gateways' wall clock does the same",
    bar: 'the same; nobody is closed as expired, and who is due is closed on time',
    length: 'short',
    guard: 'without a bound on freshness its mean was 2,370 s',
    cannot: whyNoClock,
    async run(stage) {
      const lifeS = 4
      const due = openGuest(stage.gateways[0]?.now.webSocketUrl ?? '', stage.tokenFor(lifeS))
      const figure = await jump(
        stage,
        stage.gateways.map((_, index) => `gateway-${index + 1}`),
      )
      const { code, afterMs } = await until(() => due.closed(), { deadlineMs: 5_000, what: 'the end of a short token' })
      missedIf(code !== 4401, `a token that ran out closed with ${code}`)
      lateIf(stage, Math.abs(afterMs - lifeS * 1_000), 2_000, `a token of ${lifeS} s held for ${seconds(afterMs)}`)
      return `${figure}; a token of ${lifeS} s ended after ${seconds(afterMs)}`
    },
  },
]
