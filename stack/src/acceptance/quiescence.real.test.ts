// Promise one: once everybody is quiet, every browser shows what Synapse says, whatever happened before. Two hundred random
// acts of residents, then four sockets on two gateways, one of them opened at the end, are compared with the truth.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createPlan, decide, fallSilent, type Act, type Plan } from '../demo/plan.ts'
import { perform } from '../demo/residents.ts'
import { cardsOf } from '../truth.ts'
import { stopAll } from '../stop-all.ts'
import { until } from '../until.ts'
import { cardDifferences, startViewer, type Viewer } from '../viewer.ts'
import { startWholeCity, type WholeCity } from '../whole-city.ts'

const acts = 200
const throttleMs = 300
let whole: WholeCity
const viewers: Viewer[] = []

beforeAll(async () => {
  whole = await startWholeCity({ size: 'small', gateways: 2, throttleMs, quiet: true })
})

afterAll(() => stopAll(...viewers, whole))

const watch = (gateway: number): Viewer => {
  const viewer = startViewer(`socket ${viewers.length}`, whole.gateways[gateway]?.webSocketUrl ?? '', whole.token)
  viewers.push(viewer)
  return viewer
}

/** The plan's life without its pauses: its clock jumps to whatever comes next. */
function livesOf(seed: number): { plan: Plan; acts: readonly Act[] } {
  let plan = createPlan(seed, whole.city.residents, 0)
  const all: Act[] = []
  while (all.length < acts) {
    const nextAtMs = Math.min(...plan.residents.map((resident) => resident.nextAtMs))
    const decided = decide(plan, nextAtMs)
    plan = decided.plan
    all.push(...decided.acts.filter(isElsewhere))
  }
  const silent = fallSilent(plan)
  return { plan: silent.plan, acts: [...all, ...silent.acts.filter(isElsewhere)] }
}

/** The last room stays as it was made, so that not every room is active: without it a city that calls all of them so would pass. */
const isElsewhere = (act: Act): boolean => act.kind === 'presence' || act.room !== whole.city.rooms.at(-1)?.slug

/** Everybody's acts in everybody's own order, all residents at once. */
async function live(all: readonly Act[]): Promise<void> {
  const tails = new Map<string, Promise<unknown>>()
  for (const act of all) {
    const client = whole.city.clientOf(act.who)
    tails.set(
      act.who,
      (tails.get(act.who) ?? Promise.resolve()).then(() => perform(whole.city, client, act)),
    )
  }
  await Promise.all(tails.values())
}

async function untilTrue(): Promise<void> {
  const wrong = async (): Promise<string[]> => {
    const truth = await cardsOf(whole.city)
    return viewers.flatMap((viewer) => [
      ...cardDifferences(viewer.rooms, truth).map((one) => `${viewer.name}: ${one}`),
      ...(viewer.stale === false ? [] : [`${viewer.name}: everything is marked`]),
    ])
  }
  // A question that fails is no agreement either.
  let last: string[] = ['never compared']
  const look = async (): Promise<boolean> => {
    last = await wrong().catch((error: unknown) => [String(error)])
    return last.length === 0
  }
  await until(look, { deadlineMs: 30_000, everyMs: 200, what: 'truth' }).catch(() => undefined)
  expect(last).toEqual([])
}

it('[CITY9] after two hundred random acts every client shows what Synapse says', async () => {
  for (const gateway of [0, 1, 1]) watch(gateway)
  await until(() => viewers.every(({ snapshots }) => snapshots > 0), { deadlineMs: 15_000, what: 'snapshots' })
  const { acts: all } = livesOf(20_261_123)
  expect(all.length).toBeGreaterThanOrEqual(acts)
  await live(all)
  watch(0)
  await untilTrue()
  const shown = [...(viewers[0]?.rooms.values() ?? [])].reduce((sum, { online }) => sum + online, 0)
  expect(shown).toBeGreaterThan(0) // an empty city would agree with anything
  // So would one in which nobody ever wrote or came in.
  expect([...(viewers[0]?.rooms.values() ?? [])].some(({ active }) => active)).toBe(true)
  expect(viewers[0]?.updates).toBeGreaterThan(10)
})

it('[CITY10] a kick, a ban and a leave are seen by everybody', async () => {
  const [room] = whole.city.rooms
  if (room === undefined) throw new Error('a city has rooms')
  const mayor = whole.city.clientOf('mayor')
  const members = whole.city.residents.slice(0, 3)
  for (const { localpart } of members) {
    await whole.city.clientOf(localpart).join(room.roomId)
    await whole.city.clientOf(localpart).setPresence('online')
  }
  await untilTrue()
  const [kicked, banned, left] = members
  await mayor.kick(room.roomId, kicked?.userId ?? '')
  await mayor.ban(room.roomId, banned?.userId ?? '')
  await whole.city.clientOf(left?.localpart ?? '').leave(room.roomId)
  await untilTrue()
})
