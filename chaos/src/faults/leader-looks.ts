// What the faults of "Who leads" look at: who it is, who follows, what the Lease says and how often it was written.
import { until } from '@citypresence/stack/until'
import type { Candidates } from '../candidates.ts'
import type { Stage } from '../stage.ts'
import { lasting, untilFresh } from './bars.ts'

const candidatesOf = ({ candidates }: Stage): Candidates => {
  if (candidates === undefined) throw new Error('this stage elects nobody')
  return candidates
}

/** Who leads, once all are ready, with the process of now. */
export async function leaderOf(stage: Stage) {
  const candidates = candidatesOf(stage)
  const index = await candidates.settled()
  const leader = candidates.all[index]
  const ways = candidates.ground.ways[index]
  if (leader === undefined || ways === undefined) throw new Error('nobody leads')
  return { candidates, index, leader, ways }
}

/** Another leads, and no browser shows a mark; how long that took. */
export async function untilFollowed(stage: Stage, beganAtMs: number, index: number): Promise<number> {
  await candidatesOf(stage).leader([index])
  await untilFresh(stage, 30_000)
  return stage.recorder.nowMs() - beganAtMs
}

// The Lease runs out after 6 s; then a claim and the whole city.
export const followedMs = 10_000

export async function cutFromApi(stage: Stage, indexes: readonly number[], during: () => Promise<void>): Promise<void> {
  const { ways } = candidatesOf(stage).ground
  const cut = indexes.flatMap((index) => ways[index]?.api ?? [])
  for (const api of cut) await api.become({ kind: 'refuse' })
  try {
    await during()
  } finally {
    for (const api of cut) await api.become({ kind: 'pass' })
  }
}

export const transitionsOf = async (stage: Stage): Promise<number> =>
  Number((await candidatesOf(stage).ground.home.readLease())?.spec['leaseTransitions'] ?? 0)

async function holderOf(stage: Stage): Promise<string> {
  const holder = (await candidatesOf(stage).ground.home.readLease())?.spec['holderIdentity']
  return typeof holder === 'string' ? holder : ''
}

/** How often somebody took the Lease while so much time passes: each taking has its own time, which outlives the letting go. */
export async function handsDuring(stage: Stage, forMs: number): Promise<number> {
  const takenAt = async (): Promise<unknown> => (await candidatesOf(stage).ground.home.readLease())?.spec['acquireTime']
  const beganAtMs = stage.recorder.nowMs()
  let [before, hands] = [await takenAt(), 0]
  while (stage.recorder.nowMs() - beganAtMs < forMs) {
    await lasting(lookEveryMs)
    const now = await takenAt()
    if (now === before) continue
    before = now
    hands++
  }
  return hands
}

// Who let it go is started again first, which takes longer.
const lookEveryMs = 250

export const leasePutsOf = async (stage: Stage): Promise<number> => {
  const { body } = await candidatesOf(stage).ground.kube.ask('GET', '/metrics')
  const lines = String(body['text']).split('\n')
  const puts = lines.filter((line) => /^apiserver_request_total\{.*resource="leases".*verb="PUT"/.test(line))
  return puts.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
}

export const heldBy = (stage: Stage, index: number): Promise<unknown> =>
  until(async () => (await holderOf(stage)).startsWith(`pod-${index + 1}_`), {
    deadlineMs: 20_000,
    what: 'the leader to hold the Lease again',
  })
