// What crowds of browsers do to a gateway: storms, too many, slow ones, and ones that are gone without a word.
import { startGateway, type Gateway } from '@citypresence/stack/service'
import { until } from '@citypresence/stack/until'
import { startCrowd, type Crowd } from '../crowd.ts'
import type { Arrival, Told } from '../crowd/orders.ts'
import type { Fault } from '../fault.ts'
import { layCable, whyNoCable } from '../machine/cable.ts'
import { limitMemory, whyNoLimit } from '../machine/cgroup.ts'
import { descriptorsHeld } from '../machine/descriptors.ts'
import type { Stage } from '../stage.ts'
import { lasting, metricOf, lateIf, missedIf, recoveredWithin, seconds } from './bars.ts'
import { closesSince, marksSince } from './changes.ts'

const mebibyte = 1024 * 1024
const megabytes = (bytes: number): string => `${Math.round(bytes / mebibyte)} MB`
const milliseconds = (ms: number): string => `${Math.round(ms)} ms`

const urlsOf = ({ gateways }: Stage): string[] => gateways.map(({ now }) => now.webSocketUrl)
const first = (stage: Stage): Gateway => {
  const [gateway] = stage.gateways
  if (gateway === undefined) throw new Error('a stage without gateways')
  return gateway.now
}
const wellBehaved = (stage: Stage): Omit<Arrival, 'size' | 'withinMs' | 'urls'> => ({
  token: stage.token,
  manner: 'well',
  comesBack: true,
})

async function withCrowd<T>(within: readonly string[], play: (crowd: Crowd) => Promise<T>): Promise<T> {
  const crowd = startCrowd(within)
  try {
    return await play(crowd)
  } finally {
    await crowd.stop()
  }
}

const descriptorsOf = (gateway: Gateway): number => descriptorsHeld(gateway.pid)

/** The gateway's own figure since it was last asked. */
const loopP99Ms = async (gateway: Gateway): Promise<number> =>
  1_000 * (await metricOf(gateway, /^nodejs_eventloop_lag_p99_seconds/))

/** An earlier fault may have ended it a moment ago. */
async function untilReady(stage: Stage): Promise<void> {
  await until(() => fetch(`${first(stage).adminUrl}/readyz`).then(({ ok }) => ok), {
    deadlineMs: 30_000,
    what: 'the gateway to be ready',
  })
}

async function storm(stage: Stage): Promise<string> {
  await untilReady(stage)
  const [gateway, closes, marks] = [first(stage), closesSince(stage), marksSince(stage)]
  return withCrowd([], async (crowd) => {
    await loopP99Ms(gateway)
    crowd.arrive({ ...wellBehaved(stage), urls: [gateway.webSocketUrl], size: 5_000, withinMs: 1_000 })
    const allInMs = await crowd.untilInside(5_000, 60_000 * stage.patience)
    const p99Ms = await loopP99Ms(gateway)
    const { slowestHandshakeMs } = await crowd.tell()
    missedIf(closes() > 0, `${closes()} of those who were there lost their connection`)
    missedIf(marks() > 0, `${marks()} marks`)
    lateIf(stage, p99Ms, 250, `the event loop's p99 was ${milliseconds(p99Ms)}`)
    recoveredWithin(stage, allInMs, 60_000)
    return `all in after ${seconds(allInMs)}, slowest handshake ${seconds(slowestHandshakeMs)}, loop p99 ${milliseconds(p99Ms)}`
  })
}

const cap = 2_000
/** What its cap may cost: a fifth of a mebibyte for each would be a leak of bytes. */
const capBytes = 96 * mebibyte

/** A gateway of its own, which knows its cap, and whose memory is that of a small pod. */
async function overCap(stage: Stage): Promise<string> {
  const { nats } = stage
  const gateway = await startGateway({
    env: {
      NATS_URL: nats.url,
      NATS_USER: nats.gateway.user,
      NATS_PASSWORD: nats.gateway.pass,
      JWT_SECRET: stage.secret,
      CONNECTIONS_MAX: String(cap),
    },
  })
  const before = gateway.rss()
  const group = limitMemory([gateway.pid], capBytes)
  try {
    return await withCrowd([], async (crowd) => {
      crowd.arrive({
        ...wellBehaved(stage),
        comesBack: false,
        urls: [gateway.webSocketUrl],
        size: 2 * cap,
        withinMs: 4_000,
      })
      const told = await until(async () => settled(await crowd.tell(), 2 * cap), {
        deadlineMs: 30_000,
        what: 'everybody to be in or refused',
        everyMs: 100,
      })
      missedIf(!gateway.isRunning(), 'it was killed')
      // Changes go on meanwhile: they have to reach everybody who is in.
      await lasting(3_000)
      const { inside } = await crowd.tell()
      const grown = gateway.rss() - before
      missedIf(!gateway.isRunning(), 'it was killed')
      missedIf(inside !== cap, `${inside} are in, ${cap} may be`)
      const refused = told.refusals['503'] ?? 0
      missedIf(refused !== cap, `refused: ${JSON.stringify(told.refusals)}`)
      missedIf(told.retryAfters !== refused, `${refused - told.retryAfters} refusals without Retry-After`)
      return `${inside} in, ${refused} refused with 503 and Retry-After; memory +${megabytes(grown)} of ${megabytes(capBytes)}`
    })
  } finally {
    group.lift()
    await gateway.stop('SIGKILL')
  }
}

const settled = (told: Told, size: number): Told | undefined => {
  const refused = Object.values(told.refusals).reduce((sum, one) => sum + one, 0)
  return told.inside + refused >= size ? told : undefined
}

const many = 5_000
const stirEveryMs = 3_000

async function rollingRestart(stage: Stage): Promise<string> {
  await untilReady(stage)
  // A living town tells 5,000 browsers 100,000 changes a second: the crowd's own process would come late, and all at once.
  stage.endLife()
  const stirring = setInterval(() => stage.town.stir(), stirEveryMs)
  return withCrowd([], async (crowd) => {
    crowd.arrive({ ...wellBehaved(stage), urls: urlsOf(stage), size: many, withinMs: 5_000 })
    await crowd.untilInside(many, 60_000 * stage.patience)
    crowd.measure()
    for (const gateway of stage.gateways) {
      await gateway.kill('SIGTERM')
      await until(() => fetch(`${gateway.now.adminUrl}/readyz`).then(({ ok }) => ok), {
        deadlineMs: 30_000,
        what: 'the gateway to be back',
      })
      await crowd.untilInside(many, 60_000 * stage.patience)
    }
    const { closes, longestAwayMs, peakPerSecond } = await crowd.tell()
    const others = Object.entries(closes).filter(([code]) => code !== '1012')
    missedIf(others.length > 0, `closed with ${JSON.stringify(closes)}`)
    missedIf(peakPerSecond > many / 10, `${peakPerSecond} came back within one second`)
    recoveredWithin(stage, longestAwayMs, 5_000)
    return `at most ${peakPerSecond} of ${many} came back within a second; nobody was away for more than ${seconds(longestAwayMs)}`
  }).finally(() => clearInterval(stirring))
}

const healthy = 400
const slow = 100
const phaseMs = 12_000

async function slowReaders(stage: Stage): Promise<string> {
  await untilReady(stage)
  const gateway = first(stage)
  const before = gateway.rss()
  return withCrowd([], (crowd) =>
    withCrowd([], async (others) => {
      const urls = [gateway.webSocketUrl]
      crowd.listen({ url: stage.nats.url, ...stage.nats.admin })
      crowd.arrive({ ...wellBehaved(stage), urls, size: healthy, withinMs: 1_000 })
      await crowd.untilInside(healthy, 30_000)
      const p99 = async (): Promise<number> => {
        crowd.measure()
        await lasting(phaseMs)
        const { p99Ms, changes } = await crowd.tell()
        missedIf(changes < healthy, `only ${changes} changes were timed`)
        return p99Ms
      }
      // The machine has moods: what is compared is the best of several turns of each.
      const [calm, rough]: [number[], number[]] = [[], []]
      let [insideMost, grown] = [0, 0]
      const waits = (): Promise<number> => metricOf(gateway, /_waits_total/)
      const waitsBefore = await waits()
      for (let turn = 0; turn < 3; turn++) {
        calm.push(await p99())
        for (const manner of ['not-at-all', 'slowly'] as const)
          others.arrive({ ...wellBehaved(stage), manner, urls, size: slow / 2, withinMs: 500 })
        await others.untilInside(slow, 30_000)
        rough.push(await p99())
        insideMost = Math.max(insideMost, (await others.tell()).inside + healthy)
        grown = Math.max(grown, gateway.rss() - before)
        others.leave()
        await until(async () => (await others.tell()).inside === 0, { deadlineMs: 10_000, what: 'the slow ones to go' })
      }
      const [calmMs, roughMs] = [Math.min(...calm), Math.min(...rough)]
      // The buffers of the system are larger than what a city tells in a minute: that nothing is written to them has to be asked.
      const waited = (await waits()) - waitsBefore
      missedIf(waited === 0, 'everything was written to who does not read')
      missedIf(grown > insideMost * 256 * 1024, `memory +${megabytes(grown)} for ${insideMost} connections`)
      missedIf(
        roughMs > 1.2 * calmMs,
        `p99 ${milliseconds(roughMs)} beside slow readers, ${milliseconds(calmMs)} without`,
      )
      return `p99 ${roughMs.toFixed(1)} ms beside slow readers, ${calmMs.toFixed(1)} ms without; they waited ${waited} times; memory +${megabytes(grown)} for ${insideMost} connections`
    }),
  )
}

/** What an earlier crowd held is given back before anything is counted. */
async function untilQuiet(gateway: Gateway): Promise<void> {
  let [held, sinceMs] = [-1, 0]
  const isQuiet = (): boolean => {
    const now = descriptorsOf(gateway)
    if (now !== held) [held, sinceMs] = [now, performance.now()]
    return performance.now() - sinceMs > 3_000
  }
  await until(isQuiet, { deadlineMs: 60_000, what: 'the sockets of before to be gone', everyMs: 100 })
}

const notReading = (gateway: Gateway): Promise<number> => metricOf(gateway, /_closes_total{code="4408"}/)

async function halfOpen(stage: Stage): Promise<string> {
  await untilReady(stage)
  await untilQuiet(first(stage))
  const before = await notReading(first(stage))
  const gateway = first(stage)
  const cable = layCable()
  try {
    return await withCrowd([], (crowd) =>
      withCrowd(cable.within, async (lost) => {
        crowd.arrive({ ...wellBehaved(stage), urls: [gateway.webSocketUrl], size: healthy, withinMs: 1_000 })
        await crowd.untilInside(healthy, 30_000)
        await untilQuiet(gateway)
        const descriptors = descriptorsOf(gateway)
        const far = gateway.webSocketUrl.replace('127.0.0.1', cable.host)
        lost.arrive({ ...wellBehaved(stage), urls: [far], size: slow, withinMs: 1_000 })
        await lost.untilInside(slow, 30_000)
        cable.pull()
        const beganAtMs = stage.recorder.nowMs()
        await until(() => descriptorsOf(gateway) <= descriptors, {
          deadlineMs: 90_000,
          what: `${descriptors} descriptors, as before (${descriptorsOf(gateway)} are held)`,
          everyMs: 100,
        })
        const tookMs = stage.recorder.nowMs() - beganAtMs
        const given = (await notReading(gateway)) - before
        missedIf(given !== slow, `${given} were closed because they did not answer, ${slow} had to be`)
        const { closes } = await crowd.tell()
        missedIf(Object.keys(closes).length > 0, `healthy ones were closed: ${JSON.stringify(closes)}`)
        recoveredWithin(stage, tookMs, 45_000)
        return `all ${slow} reclaimed, sockets included, after ${seconds(tookMs)}; the ${healthy} others kept theirs`
      }),
    )
  } finally {
    cable.remove()
  }
}

export const crowdFaults: readonly Fault[] = [
  {
    id: 'F30c',
    title: 'a gateway with little memory meets twice as many browsers as it may take',
    bar: `those above CONNECTIONS_MAX get 503 with Retry-After; ${cap} cost less than ${megabytes(capBytes)}; it is not killed`,
    length: 'short',
    guard:
      'without the count at the door 4,000 were in where 2,000 may be; with room for 256 who are being told, 168 of 2,000 were hung up on without a word',
    cannot: () => whyNoLimit('memory'),
    run: overCap,
  },
  {
    id: 'F31',
    title: '5,000 browsers connect in a second',
    bar: "all are in within 60 s; those who were there keep their connection, unmarked; the event loop's p99 stays below 250 ms",
    length: 'short',
    run: storm,
  },
  {
    id: 'F32b',
    title: `all gateways are restarted in turn, with ${many} browsers`,
    guard: 'with a drain that ends all sessions at once, 1,856 of 5,000 came back within one second',
    bar: 'all are closed with 1012; at most 10 % come back within one second; nobody is without a gateway for more than 5 s',
    length: 'long',
    run: rollingRestart,
  },
  {
    id: 'F33',
    title: 'a fifth of the browsers reads slowly or not at all',
    bar: "the others' p99 is at most 1.2 times that without them; they get nothing before they have read; memory grows by at most 256 KiB a connection",
    length: 'long',
    guard: 'where nobody lags everything was written to who does not read',
    run: slowReaders,
  },
  {
    id: 'F34',
    title: 'a fifth of the browsers is gone without a word',
    bar: 'their connections are reclaimed within 45 s, descriptors included; the others keep theirs',
    length: 'long',
    guard: 'where nobody is given up for want of a pong all 100 of their sockets were still held after 90 s',
    cannot: whyNoCable,
    run: halfOpen,
  },
]
