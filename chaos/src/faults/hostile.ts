// What strangers and browsers gone mad do to a gateway while a city lives: floods, fuzzing, and a thousand tokens that end at once.
import { fork } from 'node:child_process'
import { join } from 'node:path'
import { fuzz } from '@citypresence/sim/hostile/fuzz'
import type { Gateway } from '@citypresence/stack/service'
import { makeToken, randomSecret } from '@citypresence/stack/tokens'
import { until } from '@citypresence/stack/until'
import { startCrowd, type Crowd } from '../crowd.ts'
import type { Fault } from '../fault.ts'
import type { Stage } from '../stage.ts'
import { lasting, missedIf, seconds } from './bars.ts'
import { closesSince } from './changes.ts'

const mebibyte = 1_024 * 1_024
const megabytes = (bytes: number): string => `${Math.round(bytes / mebibyte)} MB`

/** The first gateway, once it is ready; whatever was done to it before. */
async function target(stage: Stage): Promise<Gateway> {
  const [gateway] = stage.gateways
  if (gateway === undefined) throw new Error('a stage without gateways')
  await until(() => fetch(`${gateway.now.adminUrl}/readyz`).then(({ ok }) => ok), {
    deadlineMs: 30_000,
    what: 'the gateway to be ready',
  })
  return gateway.now
}

async function withCrowd<T>(play: (crowd: Crowd) => Promise<T>): Promise<T> {
  const crowd = startCrowd()
  try {
    return await play(crowd)
  } finally {
    await crowd.stop()
  }
}

const many = 1_000
const ticksLeast = 5

async function thousandEnds(stage: Stage): Promise<string> {
  const gateway = await target(stage)
  const lifeS = 10
  // What a token says is in whole seconds.
  const endsAtWallMs = (Math.floor(Date.now() / 1_000) + lifeS) * 1_000
  const token = stage.tokenFor(lifeS)
  return withCrowd(async (crowd) => {
    const urls = [gateway.webSocketUrl]
    crowd.arrive({ urls, token, size: many, withinMs: 2_000, manner: 'well', comesBack: false })
    await crowd.untilInside(many, lifeS * 1_000 - 1_000)
    const seen = new Set<number>()
    let inside = many
    while (inside > 0) {
      const leftMs = endsAtWallMs + 2_000 - Date.now()
      missedIf(leftMs < 0, `${inside} were still in two seconds after their tokens' end`)
      inside = (await crowd.tell()).inside
      if (inside < many && inside > 0) seen.add(inside)
      await lasting(20)
    }
    const tookMs = Date.now() - endsAtWallMs
    const { closes } = await crowd.tell()
    missedIf(closes['4401'] !== many, `closed with ${JSON.stringify(closes)}`)
    missedIf(seen.size < ticksLeast, `all in ${seen.size} steps`)
    return `all ${many} closed with 4401, the last ${seconds(tookMs)} after the end, in ${seen.size} steps that were seen`
  })
}

const stepsEach = 50_000

async function fuzzing(stage: Stage): Promise<string> {
  const gateway = await target(stage)
  const closes = closesSince(stage)
  const tokens = { good: stage.token, bad: makeToken({ secret: randomSecret() }) }
  const before = gateway.rss()
  let played = 0
  for (let turn = 0; turn < stage.cycles; turn++) {
    const report = await fuzz(gateway.port, tokens, { from: turn * stepsEach, steps: stepsEach })
    missedIf(report.wrong.length > 0, report.wrong.join('; '))
    missedIf(!gateway.isRunning(), 'it is gone')
    played += report.steps
  }
  missedIf(closes() > 0, `${closes()} witnesses lost their connection`)
  const grown = gateway.rss() - before
  missedIf(grown > 64 * mebibyte, `memory grew by ${megabytes(grown)}`)
  return `${played} steps, nobody let in, memory ${megabytes(grown)} more than before`
}

const healthy = 100
const phaseMs = 15_000
const turns = 3

async function flooding(stage: Stage): Promise<string> {
  const gateway = await target(stage)
  const closes = closesSince(stage)
  const before = gateway.rss()
  return withCrowd(async (crowd) => {
    crowd.listen({ url: stage.nats.url, ...stage.nats.admin })
    const urls = [gateway.webSocketUrl]
    crowd.arrive({ urls, token: stage.token, size: healthy, withinMs: 500, manner: 'well', comesBack: true })
    await crowd.untilInside(healthy, 30_000)
    const p99 = async (): Promise<number> => {
      crowd.measure()
      await lasting(phaseMs)
      return (await crowd.tell()).p99Ms
    }
    // The machine has moods: what is compared is the best of several turns of each.
    const [calm, rough]: [number[], number[]] = [[], []]
    let grown = 0
    for (let turn = 0; turn < turns; turn++) {
      calm.push(await p99())
      const { port: admin } = new URL(gateway.adminUrl)
      const flooders = fork(join(import.meta.dirname, '../flooders/main.ts'), [
        String(gateway.port),
        admin,
        stage.token,
        // Each turn goes on with other floods than the one before.
        String(turn),
      ])
      try {
        rough.push(await p99())
        missedIf(flooders.exitCode !== null || flooders.signalCode !== null, 'the floods ended by themselves')
      } finally {
        flooders.kill('SIGKILL')
      }
      grown = Math.max(grown, gateway.rss() - before)
    }
    const [calmMs, roughMs] = [Math.min(...calm), Math.min(...rough)]
    const figure = `p99 ${Math.round(calmMs)} ms calm, ${Math.round(roughMs)} ms flooded (${(roughMs / calmMs).toFixed(2)} times); memory +${megabytes(grown)}`
    missedIf(closes() > 0, `${closes()} witnesses lost their connection`)
    missedIf(grown > 96 * mebibyte, figure)
    missedIf(roughMs > 1.2 * calmMs, figure)
    return figure
  })
}

export const hostileFaults: readonly Fault[] = [
  {
    id: 'S7',
    title: 'a thousand tokens end in one moment',
    bar: 'all are closed with 4401 within two seconds of it, and not in one step',
    length: 'long',
    run: thousandEnds,
  },
  {
    id: 'S10',
    title: 'floods of every kind from a process of their own',
    bar: 'the p99 of who behaves is at most 1.2 times that without them; memory grows by at most 96 MB; nobody loses a connection',
    length: 'long',
    run: flooding,
  },
  {
    id: 'S13',
    title: 'a million bent handshakes and mad frames (50,000 a cycle)',
    bar: 'no stranger is let in or told anything, nobody loses a connection, memory grows by at most 64 MB',
    length: 'long',
    run: fuzzing,
  },
]
