// What can happen to the one who leads by a Lease, to the API server that keeps it, and to the Lease itself.
import { until } from '@citypresence/stack/until'
import type { Service } from '@citypresence/stack/service'
import { readyRoleOf } from '../candidates.ts'
import type { Fault } from '../fault.ts'
import { command, insideArgs, insideEnv } from '../machine/inside.ts'
import type { Stage, StageOptions } from '../stage.ts'
import { lasting, lateIf, missedIf, recoveredWithin, seconds, unmarked } from './bars.ts'
import { claimsSince, exitsSince } from './changes.ts'
import { cutFaults } from './leader-cuts.ts'
import { cutFromApi, followedMs, heldBy, leaderOf, leasePutsOf, transitionsOf, untilFollowed } from './leader-looks.ts'

/** With a way into the processes, for an event loop that stands still. */
export const leaderStage: StageOptions = {
  candidates: 2,
  launch: (folder) => ({ nodeArgs: insideArgs, envOf: (service) => insideEnv(folder, service) }),
}

/** Freezes it by `freeze` until another leads, wakes it, and tells how long it then takes to end. */
async function freezeOnce(
  stage: Stage,
  freeze: (leader: Service) => () => void,
): Promise<{ followedMs: number; endedMs: number }> {
  const { index, leader } = await leaderOf(stage)
  const process = leader.now
  const beganAtMs = stage.recorder.nowMs()
  const wake = freeze(process)
  try {
    const tookMs = await untilFollowed(stage, beganAtMs, index)
    wake()
    const wokenAtMs = stage.recorder.nowMs()
    const { code } = await process.exited
    missedIf(code !== 3, `woken, it ended with ${code}`)
    return { followedMs: tookMs, endedMs: stage.recorder.nowMs() - wokenAtMs }
  } finally {
    wake()
  }
}

const stopAndContinue = (leader: Service): (() => void) => {
  leader.pause()
  return () => leader.resume()
}

async function freezeAgain(stage: Stage, cycles: number): Promise<string> {
  let [longestMs, endedMs] = [0, 0]
  for (let cycle = 0; cycle < cycles; cycle++) {
    const one = await freezeOnce(stage, stopAndContinue)
    longestMs = Math.max(longestMs, one.followedMs)
    endedMs = Math.max(endedMs, one.endedMs)
  }
  recoveredWithin(stage, longestMs, followedMs)
  lateIf(stage, endedMs, 1_000, `woken, it ended only after ${seconds(endedMs)}`)
  return `${cycles} cycles, followed after at most ${seconds(longestMs)}; woken, it ended after at most ${seconds(endedMs)}`
}

type Guards = { readonly killed?: string; readonly stopped?: string }

export const failoverFaults = (suffix: string, length: Fault['length'], guards: Guards): readonly Fault[] => [
  {
    id: `F1${suffix}`,
    title: 'the leader is killed',
    bar: 'another leads and nobody shows a mark after 10 s; no count is wrong meanwhile',
    ...(guards.killed !== undefined && { guard: guards.killed }),
    length,
    breaksPolls: true,
    async run(stage) {
      const { index, leader } = await leaderOf(stage)
      const beganAtMs = stage.recorder.nowMs()
      const killed = leader.kill()
      const tookMs = await untilFollowed(stage, beganAtMs, index)
      await killed
      recoveredWithin(stage, tookMs, followedMs)
      return `true again ${seconds(tookMs)} after the kill`
    },
  },
  {
    id: `F7${suffix}`,
    title: 'the leader is told to stop',
    bar: 'another leads within 2 s, and no browser ever shows a mark',
    ...(guards.stopped !== undefined && { guard: guards.stopped }),
    length,
    breaksPolls: true,
    async run(stage) {
      const { index, leader } = await leaderOf(stage)
      const noMarks = unmarked(stage)
      const beganAtMs = stage.recorder.nowMs()
      const stopped = leader.kill('SIGTERM')
      const tookMs = await untilFollowed(stage, beganAtMs, index)
      await stopped
      noMarks()
      recoveredWithin(stage, tookMs, 2_000)
      return `another had said everything after ${seconds(tookMs)}`
    },
  },
]

export const leaderFaults: readonly Fault[] = [
  ...failoverFaults('a', 'short', {
    killed:
      'where a silent holder of ours is waited for as long as a stranger may be (10 s), all was well again only after 10.1 s',
    stopped: 'without letting go of the Lease at the stop browsers were marked: 8 marks',
  }),
  {
    id: 'F2a',
    title: 'the leader is frozen until another leads, and woken',
    bar: 'followed within 10 s; woken, it stores nothing under its old voice and ends within a second',
    length: 'short',
    guard:
      'without the fence, and deaf to what the Lease says, a beat of the old voice was stored while the new one led (INV-02); without the fence alone two cycles held, the six of F2b did not',
    breaksPolls: true,
    run: (stage) => freezeAgain(stage, 2),
  },
  {
    id: 'F2b',
    title: 'the leader is frozen and woken, again and again',
    bar: 'as F2a, in each cycle (`make chaos FAULTS=F2b CYCLES=500`)',
    length: 'long',
    guard: 'without the fence 23 messages of old voices were stored in six cycles while new ones led (INV-02)',
    breaksPolls: true,
    run: (stage) => freezeAgain(stage, stage.cycles),
  },
  {
    id: 'F3c',
    title: "the leader's event loop stands still for 20 s, with another beside it",
    bar: 'followed within 10 s; once it goes on it stores nothing and ends within a second',
    length: 'long',
    guard:
      'without the fence, and deaf to what the Lease says, a beat of the old voice was stored while the new one led (INV-02), in three runs of three',
    breaksPolls: true,
    async run(stage) {
      const { candidates, index, leader } = await leaderOf(stage)
      const process = leader.now
      const name = index === 0 ? 'aggregator' : `aggregator-${index + 1}`
      const beganAtMs = stage.recorder.nowMs()
      command(stage.folder, name, process.pid, 'block 20000')
      const tookMs = await untilFollowed(stage, beganAtMs, index)
      const { code } = await process.exited
      const endedMs = stage.recorder.nowMs() - beganAtMs - 20_000
      missedIf(code !== 3 || endedMs > 1_000, `it ended with ${code} ${seconds(endedMs)} after it went on`)
      await candidates.settled()
      recoveredWithin(stage, tookMs, followedMs)
      return `followed after ${seconds(tookMs)}; it ended ${seconds(endedMs)} after it went on`
    },
  },
  {
    id: 'F4a',
    title: 'the API server is away for all',
    bar: 'the leader goes on: no claim, no mark, nobody ends',
    length: 'short',
    guard: 'where the leader stops at its renew deadline, as without a fence, another claimed',
    async run(stage) {
      const { candidates } = await leaderOf(stage)
      const [claims, exits, noMarks] = [claimsSince(stage), exitsSince(stage), unmarked(stage)]
      const all = candidates.all.map((_, index) => index)
      await cutFromApi(stage, all, async () => {
        await lasting(10_000)
      })
      // Long enough for whoever would take it for a silence of the holder.
      await lasting(8_000)
      missedIf(claims() > 0, `${claims()} claims`)
      missedIf(exits() > 0, `${exits()} ended`)
      noMarks()
      return '10 s without it, and nothing happened'
    },
  },
  {
    id: 'F4b',
    title: 'the leader alone is cut from the API server',
    bar: 'it goes on until another has claimed, and ends; no browser ever shows a mark',
    length: 'short',
    guard: 'where the leader stops at its renew deadline, as without a fence, it ended before another had claimed',
    breaksPolls: true,
    async run(stage) {
      const { index, leader } = await leaderOf(stage)
      const [claims, noMarks] = [claimsSince(stage), unmarked(stage)]
      const process = leader.now
      await cutFromApi(stage, [index], async () => {
        const { code } = await process.exited
        missedIf(code !== 3, `it ended with ${code}`)
        missedIf(claims() === 0, 'it ended before another had claimed')
        await untilFollowed(stage, 0, index)
      })
      noMarks()
      missedIf(claims() !== 1, `${claims()} claims`)
      return 'one claim, no mark'
    },
  },
  ...cutFaults,
  {
    id: 'F7b',
    title: 'a rollout: every aggregator is told to stop and replaced, one after the other',
    bar: 'no browser ever shows a mark',
    length: 'long',
    guard: 'without letting go of the Lease at the stop browsers were marked: 16 marks',
    breaksPolls: true,
    async run(stage) {
      const { candidates } = await leaderOf(stage)
      const [claims, noMarks] = [claimsSince(stage), unmarked(stage)]
      for (const one of candidates.all) {
        await one.kill('SIGTERM')
        await until(async () => one.now.isRunning() && (await readyRoleOf(one.now)) !== undefined, {
          deadlineMs: 30_000,
          what: 'the new one to be ready',
        })
      }
      await candidates.settled()
      noMarks()
      return `${claims()} claims, no mark`
    },
  },
  {
    id: 'F8',
    title: 'twenty aggregators start at once',
    bar: 'one claim; the Lease is written once a second at most, and for each of them once more',
    length: 'long',
    guard:
      'without waiting for the silence of a holder they took the Lease from each other: 52 claims, and never all twenty ready in 90 s',
    breaksPolls: true,
    async run(stage) {
      const { candidates } = await leaderOf(stage)
      for (const one of candidates.all) await one.away()
      const [claims, puts, beganAtMs] = [claimsSince(stage), await leasePutsOf(stage), stage.recorder.nowMs()]
      const others = await Promise.all(Array.from({ length: 20 }, (_, index) => candidates.startAnother(10 + index)))
      try {
        await until(async () => (await Promise.all(others.map(readyRoleOf))).every(Boolean), {
          deadlineMs: 90_000,
          what: 'all twenty to be ready',
          everyMs: 500,
        })
        const roles = await Promise.all(others.map(readyRoleOf))
        const leaders = roles.filter((role) => role === 'leader').length
        missedIf(leaders !== 1, `${leaders} leaders`)
        missedIf(claims() !== 1, `${claims()} claims`)
        const written = (await leasePutsOf(stage)) - puts
        const mayBe = Math.ceil((stage.recorder.nowMs() - beganAtMs) / 1_000) + others.length
        missedIf(written > mayBe, `the Lease was written ${written} times, ${mayBe} would be right`)
        return `one leader, one claim, ${written} writes of the Lease in ${seconds(stage.recorder.nowMs() - beganAtMs)}`
      } finally {
        for (const one of others) await one.kill()
        for (const one of candidates.all) await one.back()
      }
    },
  },
  {
    id: 'F9a',
    title: 'the Lease is deleted, and made again 3 s later',
    bar: 'the leader goes on and takes it: no claim, no mark',
    length: 'short',
    guard:
      'without the two retry periods that a new Lease is left to who led, the standby took it: who led did not hold it again in 20 s',
    async run(stage) {
      const { candidates, index } = await leaderOf(stage)
      const [claims, noMarks] = [claimsSince(stage), unmarked(stage)]
      await candidates.ground.home.deleteLease()
      await lasting(3_000)
      await candidates.ground.home.makeLease()
      await heldBy(stage, index)
      missedIf(claims() > 0, `${claims()} claims`)
      noMarks()
      return 'held again by who led'
    },
  },
  {
    id: 'F9b',
    title: 'somebody scribbles on the Lease: no holder, no transitions, a duration of 68 years',
    bar: 'the leader repairs it: no claim, no mark, nobody ends',
    length: 'short',
    guard:
      'without the two retry periods that an emptied Lease is left to who led, the standby took it: who led did not hold it again in 20 s',
    async run(stage) {
      const { candidates, index } = await leaderOf(stage)
      const [claims, exits, noMarks] = [claimsSince(stage), exitsSince(stage), unmarked(stage)]
      const before = await transitionsOf(stage)
      for (const spec of [{}, { leaseTransitions: 0, leaseDurationSeconds: 2 ** 31 - 1 }]) {
        await candidates.ground.home.scribble(spec)
        await heldBy(stage, index)
      }
      missedIf((await transitionsOf(stage)) < before, 'its transitions went back')
      missedIf(claims() + exits() > 0, `${claims()} claims, ${exits()} ends`)
      noMarks()
      return 'repaired by who led'
    },
  },
  {
    id: 'F9c',
    title: 'a stranger stands in the Lease, for an hour as he says',
    bar: 'the leader ends; one of ours claims within 12 s; no permanent refusal',
    length: 'long',
    guard: 'without a cap on what a foreign holder says of its time nobody claimed in 30 s',
    breaksPolls: true,
    async run(stage) {
      const { candidates, leader } = await leaderOf(stage)
      const [process, claims] = [leader.now, claimsSince(stage)]
      const beganAtMs = stage.recorder.nowMs()
      await candidates.ground.home.scribble({
        holderIdentity: 'a stranger',
        leaseDurationSeconds: 3_600,
        leaseTransitions: 0,
      })
      const { code } = await process.exited
      missedIf(code !== 3, `it ended with ${code}`)
      await until(() => claims() > 0, { deadlineMs: 30_000, what: 'a claim' })
      const tookMs = stage.recorder.nowMs() - beganAtMs
      await untilFollowed(stage, beganAtMs, -1)
      recoveredWithin(stage, tookMs, 12_000)
      return `claimed after ${seconds(tookMs)}`
    },
  },
]
