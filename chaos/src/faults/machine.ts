// What a machine can do to the processes on it: an event loop that stands still, a core that is taken away, no descriptors.
import { join } from 'node:path'
import { until } from '@citypresence/stack/until'
import { startCrowd } from '../crowd.ts'
import type { Fault } from '../fault.ts'
import { limitCpu, whyNoLimit } from '../machine/cgroup.ts'
import { clockEnv } from '../machine/clock.ts'
import { descriptorsHeld, limitDescriptors, whyNoDescriptorLimit } from '../machine/descriptors.ts'
import { command, insideArgs, insideEnv } from '../machine/inside.ts'
import type { Stage, StageOptions } from '../stage.ts'
import { lasting, lateIf, missedIf, recoveredWithin, seconds, untilFresh, untilMarked } from './bars.ts'
import { claimsSince, closesSince, exitsSince, marksSince } from './changes.ts'
import { clockFaults } from './clock.ts'
import { matrixWayFaults } from './matrix-way.ts'
import { outsideFaults } from './outside.ts'

const blockMs = 20_000

/** Our processes with a clock of their own, and with a way in. */
export const machineStage: StageOptions = {
  launch: (folder) => ({
    nodeArgs: insideArgs,
    envOf: (service) => ({ ...clockEnv(join(folder, `${service}.clock`)), ...insideEnv(folder, service) }),
  }),
}

const servicesOf = ({ aggregator, gateways }: Stage) => [aggregator, ...gateways]

// So few that no file and no socket can be opened, whatever is closed meanwhile.
const noDescriptors = 5

/** Nothing new can be opened while `during` runs; then all is as before. */
async function withoutDescriptors<T>(pid: number, during: () => Promise<T>): Promise<T> {
  const lift = limitDescriptors(pid, noDescriptors)
  try {
    return await during()
  } finally {
    lift()
  }
}

async function restartNats(stage: Stage): Promise<void> {
  await stage.nats.kill()
  await stage.nats.restart()
}

export const machineFaults: readonly Fault[] = [
  ...clockFaults,
  {
    id: 'F3a',
    title: "the aggregator's event loop stands still for 20 s",
    bar: 'marked within 7 s; true again within 5 s of its end; the process lives on',
    length: 'short',
    guard:
      'without the age of an answer that lay unread, every browser showed counts of 20 s ago without a mark for a round trip (INV-07, 40 times)',
    breaksPolls: true,
    async run(stage) {
      const exits = exitsSince(stage)
      const beganAtMs = stage.recorder.nowMs()
      command(stage.folder, 'aggregator', stage.aggregator.now.pid, `block ${blockMs}`)
      const markedMs = await untilMarked(stage, 10_000)
      lateIf(stage, markedMs, 7_000, `marked only after ${seconds(markedMs)}`)
      await untilFresh(stage, blockMs + 10_000)
      const tookMs = stage.recorder.nowMs() - beganAtMs - blockMs
      missedIf(exits() > 0, 'it ended')
      recoveredWithin(stage, Math.max(0, tookMs), 5_000)
      return `marked after ${seconds(markedMs)}, true again ${seconds(Math.max(0, tookMs))} after it went on`
    },
  },
  {
    id: 'F3b',
    title: "a gateway's event loop stands still for 20 s",
    bar: 'nobody is thrown out as if they did not read; true again within 5 s of its end',
    length: 'long',
    guard:
      'without forgiving the time in which the loop stood still, 42 of 400 browsers were closed with 4408 although their pongs had come',
    // Its browsers cannot be told while it stands still; they find out after 20 s of silence.
    blindMs: 22_000,
    run: blockedGateway,
  },
  {
    id: 'F11',
    title: 'every process of ours has 10 % of a core, for 30 s',
    bar: 'no claim, no mark, nobody thrown out; pings are answered',
    length: 'short',
    breaksPolls: true,
    cannot: () => whyNoLimit('cpu'),
    async run(stage) {
      const [claims, closes, exits, marks] = [claimsSince, closesSince, exitsSince, marksSince].map((of) => of(stage))
      const groups = servicesOf(stage).map(({ now }) => limitCpu([now.pid], 10))
      let slowestMs = 0
      try {
        const beganAtMs = stage.recorder.nowMs()
        while (stage.recorder.nowMs() - beganAtMs < 30_000) {
          for (const { now } of stage.gateways)
            slowestMs = Math.max(slowestMs, await pong(now.webSocketUrl, stage.token))
          await lasting(1_000)
        }
      } finally {
        for (const group of groups) group.lift()
      }
      missedIf(claims?.() !== 0, `${claims?.()} claims`)
      missedIf(marks?.() !== 0, `${marks?.()} marks`)
      missedIf(closes?.() !== 0, `${closes?.()} browsers lost their connection`)
      missedIf(exits?.() !== 0, `${exits?.()} processes ended`)
      return `no claim, no mark; slowest handshake and ping ${seconds(slowestMs)}`
    },
  },
  {
    id: 'F41a',
    title: 'a gateway has no file descriptor left, 50 browsers come, NATS is lost and found',
    bar: 'nobody is thrown out; new ones are in within 5 s of the return, and it is true again within 10 s; it never ends',
    length: 'short',
    cannot: whyNoDescriptorLimit,
    async run(stage) {
      const [closes, exits] = [closesSince(stage), exitsSince(stage)]
      const [gateway] = stage.gateways
      if (gateway === undefined) throw new Error('a stage without gateways')
      const held = descriptorsHeld(gateway.now.pid)
      const knocks = await withoutDescriptors(gateway.now.pid, async () => {
        const knocking = Promise.allSettled(
          Array.from({ length: 50 }, () => pong(gateway.now.webSocketUrl, stage.token)),
        )
        await restartNats(stage)
        await untilMarked(
          { ...stage, witnesses: stage.witnesses.filter(({ url }) => url === gateway.now.webSocketUrl) },
          15_000,
        )
        return knocking
      })
      missedIf(
        knocks.some(({ status }) => status === 'fulfilled'),
        'a browser came in without a descriptor: the fault was none',
      )
      const mendedAtMs = stage.recorder.nowMs()
      const inMs = await pong(gateway.now.webSocketUrl, stage.token)
      const tookMs = await untilFresh(stage, 20_000)
      missedIf(exits() > 0, 'it ended')
      missedIf(closes() > 0, `${closes()} browsers lost their connection`)
      // Those who gave up while they waited are let in and found to be gone.
      await until(() => descriptorsHeld(gateway.now.pid) <= held, {
        deadlineMs: 45_000,
        what: 'the dead to be reclaimed',
      })
      const reclaimedMs = stage.recorder.nowMs() - mendedAtMs
      lateIf(stage, inMs, 5_000, `a new browser was in only after ${seconds(inMs)}`)
      recoveredWithin(stage, tookMs, 10_000)
      return `true again ${seconds(tookMs)} after the return, the sockets of those who had given up gone after ${seconds(reclaimedMs)}`
    },
  },
  {
    id: 'F41b',
    title: 'the aggregator has no file descriptor left while NATS is lost and found and Matrix hangs up',
    bar: 'marked, never wrong; true again within 10 s of the return; it never ends',
    length: 'short',
    guard:
      'without the last good content of a secret that cannot be read the process ended: there was none left whose limit could be lifted',
    breaksPolls: true,
    cannot: whyNoDescriptorLimit,
    async run(stage) {
      const exits = exitsSince(stage)
      const markedMs = await withoutDescriptors(stage.aggregator.now.pid, async () => {
        stage.homeserver.fault({ path: /^\/sync/, times: 1, fault: { kind: 'truncated' } })
        await restartNats(stage)
        const tookMs = await untilMarked(stage, 15_000)
        await lasting(5_000)
        return tookMs
      })
      const tookMs = await untilFresh(stage, 30_000)
      missedIf(exits() > 0, 'it ended')
      recoveredWithin(stage, tookMs, 10_000)
      return `marked after ${seconds(markedMs)}, true again ${seconds(tookMs)} after the return`
    },
  },
  ...outsideFaults,
  ...matrixWayFaults,
]

const late = 400

/** Whoever answers pings a moment late owes an answer when the loop stops, and has given it long before it goes on. */
async function blockedGateway(stage: Stage): Promise<string> {
  const [gateway] = stage.gateways
  if (gateway === undefined) throw new Error('a stage without gateways')
  const { now } = gateway
  const crowd = startCrowd()
  try {
    const { token } = stage
    crowd.arrive({ urls: [now.webSocketUrl], token, manner: 'late', comesBack: false, size: late, withinMs: 1_000 })
    await crowd.untilInside(late, 30_000)
    // The first pings come ten to twenty seconds after one has joined.
    await lasting(14_000)
    command(stage.folder, 'gateway-1', now.pid, `block ${blockMs}`)
    await lasting(blockMs)
    const tookMs = await untilFresh(stage, 30_000)
    await lasting(3_000)
    const { inside, closes } = await crowd.tell()
    missedIf(inside < late, `${late - inside} browsers were thrown out: ${JSON.stringify(closes)}`)
    recoveredWithin(stage, tookMs, 5_000)
    return `nobody was thrown out; true ${seconds(tookMs)} after it went on`
  } finally {
    await crowd.stop()
  }
}

/** Comes, asks and is answered; how long that took. Fails where it is not let in. */
async function pong(url: string, token: string): Promise<number> {
  const beganAtMs = performance.now()
  const socket = new WebSocket(`${url}?token=${encodeURIComponent(token)}`)
  let state: 'coming' | 'answered' | 'gone' = 'coming'
  socket.addEventListener('open', () => socket.send('ping'))
  socket.addEventListener('message', ({ data }) => {
    if (data === 'pong') state = 'answered'
  })
  socket.addEventListener('error', () => (state = 'gone'))
  socket.addEventListener('close', () => (state = 'gone'))
  try {
    await until(() => state !== 'coming', { deadlineMs: 10_000, what: 'a pong', everyMs: 2 })
    // The listeners have changed it meanwhile, which the compiler does not see.
    if ((state as string) !== 'answered') throw new Error('the gateway hung up')
    return performance.now() - beganAtMs
  } finally {
    socket.close()
  }
}
