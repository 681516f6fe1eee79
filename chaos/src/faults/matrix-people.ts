// What a homeserver can do to people and rooms, and to the line: sessions that end and come again, presence that is switched off,
// rooms that are closed or replaced, a way that is cut.
import { until } from '@citypresence/stack/until'
import type { Fault } from '../fault.ts'
import type { Stage } from '../stage.ts'
import {
  lasting,
  lateIf,
  loseSession,
  metricOf,
  missedIf,
  seconds,
  unmarked,
  untilFresh,
  untilMarked,
  untilTrue,
} from './bars.ts'

const sessions: readonly Fault[] = [
  {
    id: 'F26b',
    title: 'the session has expired (soft logout), and another token comes by file',
    bar: 'no hot loop; true again within 5 s of the file',
    length: 'short',
    guard: 'without the minute that a refused token has to wait, 1,116 requests went with the expired one',
    async run(stage) {
      const { homeserver, town } = stage
      const asked = (await loseSession(stage, 'soft')).length
      homeserver.setSession(town.daemon.userId, 'live')
      stage.writeMatrixToken(homeserver.account('presence_daemon').accessToken)
      const tookMs = await untilFresh(stage, 30_000)
      missedIf(asked > 3, `${asked} requests with the expired token`)
      lateIf(stage, tookMs, 5_000, `fresh only ${seconds(tookMs)} after the file`)
      return `${asked} requests met it; fresh ${seconds(tookMs)} after the file changed`
    },
  },
  {
    id: 'F26c',
    title: 'the account is locked for 70 s, and unlocked',
    bar: 'at most one request a minute meanwhile; true again within 65 s, with the same token',
    length: 'long',
    async run(stage) {
      const { homeserver, town } = stage
      const asked = (await loseSession(stage, 'locked', 70_000)).length
      homeserver.setSession(town.daemon.userId, 'live')
      const tookMs = await untilFresh(stage, 90_000)
      missedIf(asked > 4, `${asked} requests`)
      lateIf(stage, tookMs, 65_000, `fresh only ${seconds(tookMs)} after it was unlocked`)
      return `${asked} requests; fresh ${seconds(tookMs)} after it was unlocked`
    },
  },
  {
    id: 'F26d',
    title: 'the account is suspended: it may read, not join, and the map names a new room',
    bar: 'counts go on, nothing is marked',
    length: 'short',
    guard:
      'where 403 closes the gate as 401 does, and a good answer does not open it again, browsers were still wrong after 5 s; with 403 alone it held',
    async run(stage) {
      const { homeserver, town, cityService } = stage
      const notMarked = unmarked(stage)
      const suspendedAtMs = Date.now()
      homeserver.setSession(town.daemon.userId, 'suspended')
      const roomId = homeserver.script.createRoom({ members: town.people.slice(0, 1), isPublic: true })
      cityService.rooms = [...town.directory(), { slug: 'annex', matrix_room_id: roomId }]
      try {
        const refused = () =>
          homeserver.requests.some(({ path, atMs }) => path.startsWith('/join/') && atMs >= suspendedAtMs)
        await until(refused, { deadlineMs: 10_000, what: 'a join to be refused' })
        stage.endLife()
        town.stir()
        await untilTrue(stage, 5_000)
      } finally {
        cityService.rooms = town.directory()
        homeserver.setSession(town.daemon.userId, 'live')
      }
      notMarked()
      return 'a join was refused, and what changed then came to everybody without a mark'
    },
  },
]

/** Nobody does anything any more, and everybody is there. */
async function everybodyOnline(stage: Stage): Promise<void> {
  stage.endLife()
  stage.town.fallSilent()
  for (const person of stage.town.people) stage.town.online(person)
  await untilTrue(stage, 10_000)
}

const presence: readonly Fault[] = [
  {
    id: 'F27a',
    title: 'presence is switched off: everybody is told as offline, then silence',
    bar: 'counts freeze, never zero; marked within 60 s; at most one probe in 10 s; true again within 15 s of its return',
    length: 'short',
    guard: 'without the hold most of the city was believed to be gone, and nothing was marked in 60 s',
    // Frozen counts are believed for as long as nothing is known of it.
    blindMs: 60_000,
    async run(stage) {
      const { homeserver, town, recorder } = stage
      await everybodyOnline(stage)
      const from = homeserver.requests.length
      homeserver.stopTrackingPresence()
      const markedMs = await untilMarked(stage, 60_000)
      await lasting(12_000)
      const zero = town.slugs.filter((slug) => stage.witnesses.some(({ rooms }) => rooms.get(slug)?.online_count === 0))
      const probes = homeserver.requests
        .slice(from)
        .filter(({ method, path }) => method === 'PUT' && path.startsWith('/presence/'))
      const pausesMs = probes.slice(1).map(({ atMs }, index) => atMs - (probes[index]?.atMs ?? 0))
      const backAtMs = recorder.nowMs()
      homeserver.trackPresence()
      town.showUp()
      await untilFresh(stage, 30_000)
      const tookMs = recorder.nowMs() - backAtMs
      missedIf(zero.length > 0, `zero in ${zero.join(', ')}`)
      missedIf(Math.min(...pausesMs, Infinity) < 10_000, `probes after ${pausesMs.join(', ')} ms`)
      lateIf(stage, tookMs, 15_000, `true only after ${seconds(tookMs)}`)
      return `marked after ${seconds(markedMs)}, ${probes.length} probes, true ${seconds(tookMs)} after its return`
    },
  },
  {
    id: 'F27f',
    title: 'presence stands still without a word, while somebody goes',
    bar: 'found by probes: counts freeze, marked within 60 s; true again within 15 s of its return',
    length: 'long',
    // Frozen counts are believed for as long as nothing is known of it.
    blindMs: 60_000,
    async run(stage) {
      const { homeserver, town, recorder } = stage
      await everybodyOnline(stage)
      homeserver.freezePresence()
      const person = town.membersOf(town.slugs[0] ?? '')[0] ?? ''
      town.offline(person)
      const markedMs = await untilMarked(stage, 75_000)
      const backAtMs = recorder.nowMs()
      homeserver.trackPresence()
      homeserver.script.presence(person, 'offline')
      await untilFresh(stage, 30_000)
      const tookMs = recorder.nowMs() - backAtMs
      lateIf(stage, markedMs, 60_000, `marked only after ${seconds(markedMs)}`)
      lateIf(stage, tookMs, 15_000, `true only after ${seconds(tookMs)}`)
      return `marked after ${seconds(markedMs)}, true ${seconds(tookMs)} after its return`
    },
  },
  {
    id: 'F27e',
    title: 'a room is kept out of presence by the homeserver, and later no longer',
    bar: 'found beside the audits: the room is marked within 30 s, never zero, and no other; true again within 40 s of its return',
    length: 'long',
    guard: 'without the look beside the audits the room was not marked in 60 s, although one of its people had gone',
    blindMs: 30_000,
    run: blindRoom,
  },
]

/** Three people live in this room and in no other, and nobody else does. */
function moveIn(stage: Stage, slug: string): { people: readonly string[]; back: () => void } {
  const { town } = stage
  const moves: (() => void)[] = []
  const leave = (person: string, from: string): void => {
    town.leave(person, from)
    moves.push(() => town.join(person, from))
  }
  const [ones, others] = [town.membersOf(slug).slice(0, 3), town.membersOf(slug).slice(3)]
  for (const person of others) leave(person, slug)
  for (const from of town.slugs)
    if (from !== slug) for (const person of ones) if (town.membersOf(from).includes(person)) leave(person, from)
  return { people: ones, back: () => moves.forEach((move) => move()) }
}

async function blindRoom(stage: Stage): Promise<string> {
  stage.endLife()
  await stage.settle()
  const { homeserver, town, recorder, witnesses } = stage
  const slug = town.slugs[4] ?? ''
  const { people, back } = moveIn(stage, slug)
  const isMarked = (other: string) => witnesses.some(({ rooms }) => rooms.get(other)?.stale === true)
  try {
    for (const person of people) town.online(person)
    await untilTrue(stage, 10_000)
    const beganAtMs = recorder.nowMs()
    homeserver.script.blind(town.roomIdOf(slug), true)
    const [gone = ''] = people
    town.offline(gone)
    await until(() => witnesses.every(({ rooms }) => rooms.get(slug)?.stale === true), {
      deadlineMs: 60_000,
      what: 'the room to be marked',
    })
    const markedMs = recorder.nowMs() - beganAtMs
    const shown = witnesses.map(({ rooms }) => rooms.get(slug)?.online_count)
    await lasting(3_000)
    const marked = town.slugs.filter(isMarked)
    const cityIsMarked = witnesses.some(({ stale }) => stale === true)
    homeserver.script.blind(town.roomIdOf(slug), false)
    const tookMs = await untilTrue(stage, 60_000)
    missedIf(shown.includes(0), 'zero was shown')
    missedIf(cityIsMarked || marked.length > 1, `marked were ${cityIsMarked ? 'all' : marked.join(', ')}`)
    lateIf(stage, markedMs, 30_000, `marked only after ${seconds(markedMs)}`)
    lateIf(stage, tookMs, 40_000, `true only after ${seconds(tookMs)}`)
    return `marked after ${seconds(markedMs)}, true ${seconds(tookMs)} after it was shown again`
  } finally {
    homeserver.script.blind(town.roomIdOf(slug), false)
    back()
  }
}

const rooms: readonly Fault[] = [
  {
    id: 'F29i',
    title: 'the daemon is banned from a room, and unbanned after 5 s',
    bar: 'the room is marked, never zero, the others go on; true again within 130 s',
    length: 'long',
    guard: 'where a room that is lost keeps its last value unmarked, it was not marked in 10 s',
    // Of those who type already a homeserver tells nothing to who comes anew into a room.
    breaksPolls: true,
    async run(stage) {
      const { homeserver, town, witnesses, recorder } = stage
      const [slug = ''] = town.slugs
      const mayor = '@mayor:test.local'
      homeserver.script.ban(mayor, town.roomIdOf(slug), town.daemon.userId)
      await until(() => witnesses.every((one) => one.rooms.get(slug)?.stale === true), {
        deadlineMs: 10_000,
        what: 'the room to be marked',
      })
      await lasting(5_000)
      missedIf(
        witnesses.some(({ stale }) => stale === true),
        'the whole city was marked',
      )
      homeserver.script.unban(mayor, town.roomIdOf(slug), town.daemon.userId)
      const beganAtMs = recorder.nowMs()
      await until(() => witnesses.every((one) => one.rooms.get(slug)?.stale !== true), {
        deadlineMs: 150_000,
        what: 'the room to be true again',
      })
      const tookMs = recorder.nowMs() - beganAtMs
      lateIf(stage, tookMs, 130_000, `only after ${seconds(tookMs)}`)
      return `marked, and true again ${seconds(tookMs)} after the ban was lifted`
    },
  },
  {
    id: 'F29j',
    title: 'a room is replaced by another one (tombstone), its people go over',
    bar: 'the replacement is followed and true within 10 s',
    length: 'long',
    guard: 'deaf to tombstones browsers were still wrong after 30 s',
    // People linger in the old room while the new one is not joined yet, and the old count may hold so long.
    blindMs: 10_000,
    async run(stage) {
      stage.endLife()
      stage.town.fallSilent()
      const slug = stage.town.slugs[2] ?? ''
      const old = stage.town.roomIdOf(slug)
      const [person = ''] = stage.town.membersOf(slug)
      stage.town.online(person)
      await untilTrue(stage, 10_000)
      stage.town.upgrade(slug)
      // Out of the new room, still in the old one: whoever counts there shows one too many.
      stage.town.leave(person, slug)
      const tookMs = await untilTrue(stage, 30_000)
      stage.cityService.rooms = stage.town.directory()
      missedIf(stage.town.roomIdOf(slug) === old, 'nothing was replaced')
      lateIf(stage, tookMs, 10_000, `only after ${seconds(tookMs)}`)
      return `true in the new room after ${seconds(tookMs)}`
    },
  },
]

const lines: readonly Fault[] = [
  {
    id: 'F22d',
    title: 'connections to Matrix are refused for 15 s',
    bar: 'marked within STALE_AFTER + 5 s; at most 9 attempts; true again within 30 s',
    length: 'long',
    guard: 'without the back-off 1,493 attempts went in 15 s',
    async run(stage) {
      const link = linkOf(stage)
      const warnings = await failuresOf(stage)
      await link.become({ kind: 'refuse' })
      link.resetAll()
      const beganAtMs = stage.recorder.nowMs()
      const markedMs = await untilMarked(stage, 11_000)
      await lasting(Math.max(0, 15_000 - (stage.recorder.nowMs() - beganAtMs)))
      const attempts = (await failuresOf(stage)) - warnings
      await link.become({ kind: 'pass' })
      const tookMs = await untilFresh(stage, 30_000)
      missedIf(attempts > 9, `${attempts} attempts`)
      return `marked after ${seconds(markedMs)}, ${attempts} attempts, fresh ${seconds(tookMs)} after it was well`
    },
  },
  {
    id: 'F6',
    title: 'the leader is cut from Matrix only: nothing comes through any more, for 10 s',
    bar: 'marked within STALE_AFTER + 5 s, counts stay, nobody is shown as gone; true again within 30 s',
    length: 'short',
    guard: 'without an age at which the source is stale nobody was marked in 11 s',
    async run(stage) {
      stage.endLife()
      await stage.settle()
      const { town, witnesses } = stage
      const shown = () =>
        witnesses.map(({ rooms }) => town.slugs.map((slug) => rooms.get(slug)?.online_count).join()).join(';')
      const before = shown()
      const link = linkOf(stage)
      await link.become({ kind: 'swallow' })
      const markedMs = await untilMarked(stage, 11_000)
      await lasting(4_000)
      const during = shown()
      await link.become({ kind: 'pass' })
      link.resetAll()
      const tookMs = await untilFresh(stage, 30_000)
      missedIf(during !== before, 'counts moved')
      return `marked after ${seconds(markedMs)}, every count stayed, fresh ${seconds(tookMs)} after it was well`
    },
  },
]

function linkOf({ matrixLink }: Stage): NonNullable<Stage['matrixLink']> {
  if (matrixLink === undefined) throw new Error('this stage has no way to Matrix that can be told to fail')
  return matrixLink
}

const failuresOf = (stage: Stage): Promise<number> => metricOf(stage.aggregator.now, /_sync_failures_total/)

export const matrixPeopleFaults: readonly Fault[] = [...sessions, ...presence, ...rooms, ...lines]
