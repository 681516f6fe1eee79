// A leader by a Lease that is cut from what it needs, NATS or Matrix: another takes over who is not, and where all are cut the Lease does
// not go from hand to hand.
import type { Fault } from '../fault.ts'
import { lasting, missedIf, recoveredWithin, seconds, untilMarked } from './bars.ts'
import { handsDuring, leaderOf, untilFollowed } from './leader-looks.ts'

export const cutFaults: readonly Fault[] = [
  {
    id: 'F5e',
    title: 'the leader alone is cut from NATS',
    bar: 'it hands the Lease over after 10 s; true again within 15 s',
    length: 'long',
    guard: 'without the handover of a leader that is cut for ten seconds nobody else led in 45 s',
    breaksPolls: true,
    async run(stage) {
      const { index, leader, ways } = await leaderOf(stage)
      const process = leader.now
      const beganAtMs = stage.recorder.nowMs()
      await ways.nats.become({ kind: 'refuse' })
      const tookMs = await untilFollowed(stage, beganAtMs, index).finally(() => ways.nats.become({ kind: 'pass' }))
      const { code } = await process.exited
      missedIf(code !== 3, `it ended with ${code}`)
      recoveredWithin(stage, tookMs, 15_000)
      return `true again after ${seconds(tookMs)}`
    },
  },
  {
    id: 'F5d',
    title: 'all aggregators are cut from NATS for a minute',
    bar: 'nobody takes the Lease who could say nothing; true again within 15 s of the return',
    length: 'long',
    guard: 'without holding back who is cut the Lease changed hands once',
    breaksPolls: true,
    async run(stage) {
      const { candidates } = await leaderOf(stage)
      const links = candidates.ground.ways.map(({ nats }) => nats)
      for (const link of links) await link.become({ kind: 'refuse' })
      const moved = await handsDuring(stage, 60_000)
      const beganAtMs = stage.recorder.nowMs()
      for (const link of links) await link.become({ kind: 'pass' })
      const tookMs = await untilFollowed(stage, beganAtMs, -1)
      missedIf(moved > 0, `the Lease changed hands ${moved} times`)
      recoveredWithin(stage, tookMs, 15_000)
      return `changed hands ${moved} times; true again ${seconds(tookMs)} after the return`
    },
  },
  {
    id: 'F6c',
    title: 'the leader alone is cut from Matrix',
    bar: 'marked within STALE_AFTER + 5 s; it hands the Lease over after 60 s; true again within 70 s',
    length: 'long',
    guard: 'without the handover of a leader that is cut from Matrix for a minute nobody else led in 45 s more',
    breaksPolls: true,
    async run(stage) {
      const { index, leader, ways } = await leaderOf(stage)
      const process = leader.now
      const beganAtMs = stage.recorder.nowMs()
      await ways.matrix.become({ kind: 'refuse' })
      const markedMs = await untilMarked(stage, 11_000)
      await lasting(50_000)
      const tookMs = await untilFollowed(stage, beganAtMs, index).finally(() => ways.matrix.become({ kind: 'pass' }))
      const { code } = await process.exited
      missedIf(code !== 3, `it ended with ${code}`)
      recoveredWithin(stage, tookMs, 70_000)
      return `marked after ${seconds(markedMs)}, true again after ${seconds(tookMs)}`
    },
  },
  {
    id: 'F6d',
    title: 'all aggregators are cut from Matrix for two and a half minutes',
    bar: 'the Lease changes hands once at the most; true again within 45 s of the return',
    length: 'long',
    guard: 'where a leader that never was fit hands over, too, the Lease changed hands 14 times',
    breaksPolls: true,
    async run(stage) {
      const { candidates } = await leaderOf(stage)
      const ways = candidates.ground.ways.map(({ matrix }) => matrix)
      for (const way of ways) await way.become({ kind: 'refuse' })
      const moved = await handsDuring(stage, 150_000)
      const beganAtMs = stage.recorder.nowMs()
      for (const way of ways) await way.become({ kind: 'pass' })
      const tookMs = await untilFollowed(stage, beganAtMs, -1)
      missedIf(moved > 1, `the Lease changed hands ${moved} times`)
      // Pauses between polls grow to half a minute.
      recoveredWithin(stage, tookMs, 45_000)
      return `changed hands ${moved} times; true again ${seconds(tookMs)} after the return`
    },
  },
]
