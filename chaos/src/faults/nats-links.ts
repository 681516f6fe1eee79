// What can happen to the ways between our services and NATS, with NATS itself well all the time: each way goes through a proxy.
import { until } from '@citypresence/stack/until'
import type { Mode } from '@citypresence/sim/tcp-proxy'
import type { Fault } from '../fault.ts'
import { linksOf, type Link } from '../links.ts'
import type { Stage } from '../stage.ts'
import type { Witness } from '../witness.ts'
import {
  backBar,
  connectionsKept,
  dialsOf,
  lasting,
  lateIf,
  memoryOf,
  missedIf,
  seconds,
  unmarked,
  untilFresh,
  untilMarked,
  witnessesOf,
} from './bars.ts'

/** Whose way is broken, who has to hear of it, and who must not. */
type Part = {
  readonly name: string
  links(stage: Stage): readonly Link[]
  blinded(stage: Stage): readonly Witness[]
  spared(stage: Stage): readonly Witness[]
}

const parts = {
  leader: {
    name: 'the leader alone',
    links: (stage) => [linksOf(stage).leader],
    blinded: ({ witnesses }) => witnesses,
    spared: () => [],
  },
  gateway: {
    name: 'one gateway alone',
    links: (stage) => linksOf(stage).gateways.slice(0, 1),
    blinded: (stage) => witnessesOf(stage, 0).at,
    spared: (stage) => witnessesOf(stage, 0).elsewhere,
  },
  all: {
    name: 'everybody',
    links: (stage) => linksOf(stage).all,
    blinded: ({ witnesses }) => witnesses,
    spared: () => [],
  },
} as const satisfies Record<string, Part>

const pass: Mode = { kind: 'pass' }

async function become(links: readonly Link[], mode: Mode): Promise<void> {
  await Promise.all(links.map((link) => link.become(mode)))
}

/** While the mode lasts; mended in any case. */
async function during<T>(links: readonly Link[], mode: Mode, run: () => Promise<T>): Promise<T> {
  await become(links, mode)
  return run().finally(() => become(links, pass))
}

/** How long it is, and what it said without its guard. */
type More = Pick<Fault, 'length' | 'guard'>

/** Reset and refused, until the mark is there. */
const cut = (id: string, part: Part, more: More): Fault => ({
  id,
  ...more,
  title: `the way to NATS is cut for ${part.name}: reset, then refused`,
  bar: 'marked where it is cut and nowhere else; no browser loses its connection; true again within 5 s',
  async run(stage) {
    const checks = [connectionsKept(stage), unmarked(stage, part.spared(stage))]
    const blinded = part.blinded(stage)
    const markedMs = await during(part.links(stage), { kind: 'refuse' }, () => untilMarked(stage, 10_000, blinded))
    for (const check of checks) check()
    const tookMs = await backBar(stage, 5_000)
    return `marked after ${seconds(markedMs)}, true again ${seconds(tookMs)} after it was mended`
  },
})

/** Every byte of both directions is lost on the connections there are, for good; new ones are carried. */
const halfOpen = (id: string, part: Part, guard?: string): Fault => ({
  id,
  ...(guard !== undefined && { guard }),
  title: `the connection to NATS is half open for ${part.name}: it stays, and nothing comes through`,
  bar: 'marked where it is and nowhere else; given up within 15 s, true again within 5 s of that; nobody helps',
  length: 'long',
  async run(stage) {
    const checks = [connectionsKept(stage), unmarked(stage, part.spared(stage))]
    const links = part.links(stage)
    const [blinded, beganAtMs] = [part.blinded(stage), stage.recorder.nowMs()]
    const dials = links.map((link) => link.dials)
    const markedMs = await during(links, { kind: 'swallow' }, () => untilMarked(stage, 10_000, blinded))
    await until(() => links.every((link, index) => link.dials > (dials[index] ?? 0)), {
      deadlineMs: 60_000,
      what: 'a new connection',
    })
    const givenUpMs = stage.recorder.nowMs() - beganAtMs
    await untilFresh(stage, 30_000)
    const freshMs = stage.recorder.nowMs() - beganAtMs
    for (const check of checks) check()
    // Three pings, and up to two seconds before the next dial.
    lateIf(stage, givenUpMs, 17_500, `dialled again only after ${seconds(givenUpMs)}`)
    lateIf(stage, freshMs - givenUpMs, 5_000, `fresh only ${seconds(freshMs - givenUpMs)} after that`)
    await backBar(stage, 3_000)
    return `marked after ${seconds(markedMs)}, dialled again after ${seconds(givenUpMs)}, fresh after ${seconds(freshMs)}`
  },
})

/** All bytes of both directions wait, and come in one moment, in order. */
const held = (id: string, part: Part, { forMs, ...more }: { forMs: number } & More): Fault => ({
  id,
  ...more,
  title: `everything between ${part.name} and NATS is held for ${seconds(forMs)}, then comes at once`,
  bar:
    forMs < 5_000
      ? 'nothing old is shown for new, nobody needs a mark; true within 3 s'
      : 'marked where it is held; no old beat makes it fresh; true within 5 s',
  async run(stage) {
    const kept = connectionsKept(stage)
    const blinded = part.blinded(stage)
    const links = part.links(stage)
    const calm = unmarked(stage, forMs < 5_000 ? stage.witnesses : part.spared(stage))
    await during(links, { kind: 'hold' }, async () => {
      if (forMs >= 5_000) await untilMarked(stage, 10_000, blinded)
      await lasting(Math.max(0, forMs - (forMs >= 5_000 ? 5_000 : 0)))
    })
    const tookMs = await backBar(stage, forMs < 5_000 ? 3_000 : 5_000)
    kept()
    calm()
    return `true ${seconds(tookMs)} after it came`
  },
})

const slow = (id: string, title: string, mode: Mode, more: More): Fault => ({
  id,
  ...more,
  title: `every way to NATS is ${title}`,
  bar: 'nobody needs a mark, nothing is lost; true within 3 s',
  run: (stage) =>
    during(linksOf(stage).all, mode, async () => {
      const checks = [connectionsKept(stage), unmarked(stage)]
      await lasting(4_000)
      const tookMs = await backBar(stage, 3_000)
      for (const check of checks) check()
      return `true ${seconds(tookMs)} after the last change, on the slow way`
    }),
})

/**
 * What V8 keeps for new objects grows to 16 MB and more in any process that has just begun to live, queue or no queue. Kept at
 * two, the size of a process is what it holds.
 */
const smallNursery = '--max-semi-space-size=1'

/** Another life for all of ours, with these settings; the one after it is as usual again. */
async function restartAll(stage: Stage, env: Record<string, string>): Promise<void> {
  const { nextStart } = stage
  const usual = { ...nextStart }
  Object.assign(nextStart, { aggregator: { ...usual.aggregator, ...env }, gateway: { ...usual.gateway, ...env } })
  try {
    await Promise.all(
      [stage.aggregator, ...stage.gateways].map(async (service) => {
        const before = service.restarts
        await service.kill()
        await until(() => service.restarts > before, { deadlineMs: 30_000, what: 'all to be back' })
      }),
    )
  } finally {
    Object.assign(nextStart, usual)
  }
  await until(() => stage.witnesses.every(({ isConnected }) => isConnected), {
    deadlineMs: 30_000,
    what: 'every browser to be back',
  })
  await stage.settle()
}

/** NATS is away: nothing is queued, nobody hammers. */
const away = (id: string, title: string, { forMs, ...more }: { forMs: number } & More): Fault => ({
  id,
  ...more,
  title: `NATS is away for ${title}`,
  bar: 'memory grows by less than 10 MB; at most one dial a second and process; true again within 5 s of the return',
  async run(stage) {
    const services = ['aggregator', ...stage.gateways.map((_, index) => `gateway-${index + 1}`)]
    await restartAll(stage, { NODE_OPTIONS: smallNursery })
    stage.beginLife()
    const grown = services.map((service) => memoryOf(stage, service))
    const links = linksOf(stage).all
    const { dials, awayMs } = await during(links, { kind: 'reset' }, async () => {
      const [check, beganAtMs] = [dialsOf(links), stage.recorder.nowMs()]
      await lasting(forMs)
      return { dials: check(), awayMs: stage.recorder.nowMs() - beganAtMs }
    })
    const grownMb = Math.round(Math.max(...grown.map((bytes) => bytes())) / 1024 / 1024)
    const tookMs = await backBar(stage, 5_000)
    missedIf(grownMb >= 10, `memory grew by ${grownMb} MB`)
    missedIf(dials > awayMs / 1_000 + 1, `${dials} dials in ${seconds(awayMs)}`)
    return `memory +${grownMb} MB, at most ${dials} dials of one process, true again ${seconds(tookMs)} after the return`
  },
})

export const natsLinkFaults: readonly Fault[] = [
  cut('F5a', parts.leader, { length: 'short' }),
  cut('F5b', parts.gateway, {
    length: 'short',
    guard: 'with ten seconds between two dials instead of one all was well again only after 13.7 s',
  }),
  cut('F5c', parts.all, {
    length: 'long',
    guard: 'with ten seconds between two dials instead of one all was well again only after 15.0 s',
  }),
  halfOpen('F14b', parts.leader),
  halfOpen('F14c', parts.gateway),
  halfOpen('F14d', parts.all),
  held('F14e', parts.leader, {
    forMs: 3_000,
    length: 'short',
    guard: 'with a mark after two seconds of silence instead of five: 4 marks where nothing had to be marked',
  }),
  held('F14f', parts.leader, { forMs: 9_000, length: 'long' }),
  held('F14g', parts.gateway, {
    forMs: 9_000,
    length: 'short',
    guard:
      'without the snapshot after a silence: the first beat that had waited made the city fresh, and 216 counts of nine ' +
      'seconds ago followed it (INV-04)',
  }),
  held('F14h', parts.all, { forMs: 9_000, length: 'long' }),
  slow(
    'F14i',
    'late (250 ms each way) and narrow (100 kB a second)',
    { kind: 'pass', latencyMs: 250, bytesPerSecond: 100_000 },
    {
      length: 'short',
      guard: 'with 0.4 s of patience for an answer instead of five every browser was still marked after 30 s',
    },
  ),
  slow('F14j', 'cut into slices of 7 bytes', { kind: 'pass', sliceBytes: 7 }, { length: 'long' }),
  {
    id: 'F14k',
    title: 'NATS says goodbye on every connection without hanging up (half closed)',
    bar: 'nobody needs a mark; true within 4 s',
    length: 'short',
    guard: 'with ten seconds between two dials instead of one all was well again only after 19.4 s',
    async run(stage) {
      const checks = [connectionsKept(stage), unmarked(stage)]
      for (const link of linksOf(stage).all) link.halfCloseAll()
      const tookMs = await backBar(stage, 4_000)
      for (const check of checks) check()
      return `true ${seconds(tookMs)} after the goodbye`
    },
  },
  away('F13a', '20 seconds', {
    forMs: 20_000,
    length: 'long',
    guard: 'with a tenth of a second between two dials 199 went in 20 s',
  }),
  away('F13', 'ten minutes', { forMs: 600_000, length: 'long' }),
]
