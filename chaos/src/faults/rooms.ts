// What the city service can do wrong with the map of rooms.
import { until } from '@citypresence/stack/until'
import type { Fault } from '../fault.ts'
import type { Stage } from '../stage.ts'
import { lasting, lateIf, missedIf, seconds, unmarked, untilFresh } from './bars.ts'
import { claimsSince, exitsSince } from './changes.ts'

type Rooms = Stage['cityService']['rooms']

/** Answers so for four refreshes, and then rightly again. Nobody may lose a room by it. */
async function withMap(stage: Stage, rooms: unknown): Promise<string> {
  const { cityService, town } = stage
  const [nothingLost, nothingElse] = [roomsKept(stage), roomsCalm(stage)]
  const [claims, exits] = [claimsSince(stage), exitsSince(stage)]
  const asked = cityService.requests
  cityService.rooms = rooms as Rooms
  await until(() => cityService.requests >= asked + 4, { deadlineMs: 30_000, what: 'four refreshes' })
  cityService.rooms = town.directory()
  nothingLost()
  nothingElse()
  missedIf(claims() + exits() > 0, `the leader was in doubt: ${claims()} claims, ${exits()} ends`)
  return 'four refreshes refused, every room still shown'
}

/** No room was taken from anybody meanwhile, and be it for a moment. */
function roomsKept({ recorder, town, witnesses }: Stage): () => void {
  const from = recorder.history.length
  return () => {
    const taken = recorder.history
      .slice(from)
      .flatMap((entry) =>
        entry.kind === 'frame' && entry.message.type === 'room.presence' && entry.message.removed === true
          ? [entry.message.room_slug]
          : [],
      )
    const missing = town.slugs.filter((slug) => witnesses.some((witness) => !witness.rooms.has(slug)))
    // One that left the map in an earlier row may be told as removed once more.
    const lost = new Set([...taken.filter((slug) => town.slugs.includes(slug)), ...missing])
    missedIf(lost.size > 0, `lost ${[...lost].join(', ')}`)
  }
}

/** No room was marked meanwhile, and none came that the town does not know. */
function roomsCalm({ recorder, town }: Stage): () => void {
  const from = recorder.history.length
  return () => {
    const told = recorder.history
      .slice(from)
      .flatMap((entry) => (entry.kind === 'frame' && entry.message.type === 'room.presence' ? [entry.message] : []))
      .filter(({ removed }) => removed !== true)
    const marked = new Set(told.flatMap(({ stale, room_slug: slug }) => (stale === true ? [slug] : [])))
    const strange = new Set(told.flatMap(({ room_slug: slug }) => (town.slugs.includes(slug) ? [] : [slug])))
    missedIf(marked.size > 0, `marked ${[...marked].join(', ')}`)
    missedIf(strange.size > 0, `nobody knows ${[...strange].join(', ')}`)
  }
}

/** The next refresh that is answered: one that hangs keeps the next one waiting for ten seconds. */
async function untilRefreshed({ cityService }: Stage): Promise<void> {
  cityService.behaviour = { kind: 'answer' }
  const asked = cityService.requests
  await until(() => cityService.requests > asked + 1, { deadlineMs: 40_000, what: 'two refreshes' })
}

type BadMap = Pick<Fault, 'id' | 'title' | 'guard'> & { readonly make: (stage: Stage) => unknown }

const badMaps: readonly BadMap[] = [
  {
    id: 'F29a',
    title: 'the map is an object of something else',
    guard:
      'without the refusals of a map that is none and of one without rooms all twelve were gone from every browser',
    make: () => ({ error: 'out of order' }),
  },
  {
    id: 'F29c',
    title: 'a slug stands in the map twice',
    guard: 'without the refusal of a value that stands twice room-0 lost its Matrix room and was marked',
    make: ({ town }) => [...town.directory(), ...town.directory().slice(0, 1)],
  },
  {
    id: 'F29d',
    title: 'one Matrix room stands under two slugs',
    guard:
      'without the refusal of a value that stands twice, and the rule that no two slugs share a room, browsers were shown second-name; the rule alone held',
    make: ({ town }) => [
      ...town.directory(),
      { slug: 'second-name', matrix_room_id: town.directory()[0]?.matrix_room_id },
    ],
  },
  {
    id: 'F29l',
    title: 'the map is an empty list',
    make: () => [],
    guard: 'without the refusal of an empty map all twelve rooms were gone from every browser',
  },
  {
    id: 'F29e',
    title: 'a slug is none',
    guard: 'where anything is a slug the leader ended at its first word about it',
    // In the place of a good one, of a room that everybody knows: where the rest were taken, that one would be gone.
    make: ({ town }) => town.directory().map((room, index) => (index === 0 ? { ...room, slug: 'Not A Slug!' } : room)),
  },
]

const refused: readonly Fault[] = badMaps.map(({ id, title, guard, make }) => ({
  id,
  title,
  ...(guard !== undefined && { guard }),
  bar: 'the whole map is refused, the last good one stays',
  length: 'short',
  run: (stage) => withMap(stage, make(stage)),
}))

export const roomFaults: readonly Fault[] = [
  ...refused,
  {
    id: 'F29b',
    title: 'two thirds of the rooms are missing, once',
    bar: 'nobody loses a room: such a map has to be seen twice',
    guard: 'where a map that shrank is believed at once eight rooms were taken from every browser',
    length: 'short',
    async run(stage) {
      const { cityService, town } = stage
      const nothingLost = roomsKept(stage)
      const whole = town.directory()
      const asked = cityService.requests
      // The stand-in counts a request before it answers, so the map is exchanged between two refreshes.
      await until(() => cityService.requests > asked, { deadlineMs: 10_000, what: 'a refresh', everyMs: 1 })
      await lasting(50)
      cityService.rooms = whole.slice(0, 4)
      await until(() => cityService.requests > asked + 1, { deadlineMs: 10_000, what: 'the next refresh', everyMs: 1 })
      await lasting(50)
      cityService.rooms = whole
      await until(() => cityService.requests > asked + 3, { deadlineMs: 10_000, what: 'two more refreshes' })
      nothingLost()
      return 'every room still shown'
    },
  },
  {
    id: 'F28',
    title: 'the city service is away: errors, then silence',
    bar: 'the last good map stays; no room is lost',
    length: 'short',
    guard:
      'without the refusals of a status, of a map that is none and of one without rooms all twelve were gone from every browser',
    async run(stage) {
      const { cityService } = stage
      const nothingLost = roomsKept(stage)
      const asked = cityService.requests
      cityService.behaviour = { kind: 'fail', status: 500 }
      await until(() => cityService.requests > asked + 1, { deadlineMs: 30_000, what: 'two refreshes' })
      cityService.behaviour = { kind: 'hang' }
      await until(() => cityService.requests > asked + 2, { deadlineMs: 30_000, what: 'a refresh that hangs' })
      await lasting(2_000)
      await untilRefreshed(stage)
      nothingLost()
      return 'every room still shown'
    },
  },
  {
    id: 'F29f',
    title: 'a room leaves the map',
    bar: 'it leaves every browser within a refresh (1 s) and 2 s',
    length: 'short',
    guard: 'without the removal of slugs that are no longer mapped it was not gone in 10 s',
    async run(stage) {
      const slug = stage.town.slugs[1] ?? ''
      const beganAtMs = stage.recorder.nowMs()
      stage.town.strike(slug)
      stage.cityService.rooms = stage.town.directory()
      await until(() => stage.witnesses.every(({ rooms }) => !rooms.has(slug)), {
        deadlineMs: 10_000,
        what: 'it to be gone',
      })
      const tookMs = stage.recorder.nowMs() - beganAtMs
      lateIf(stage, tookMs, 3_000, `gone only after ${seconds(tookMs)}`)
      return `gone after ${seconds(tookMs)}`
    },
  },
  {
    id: 'F29k',
    title: 'a web page comes instead of the map, as a good answer',
    bar: 'refused, the last good map stays',
    length: 'short',
    guard:
      'where the page is read as an empty list, and a map without rooms believed, all twelve were gone from every browser',
    async run(stage) {
      const nothingLost = roomsKept(stage)
      const asked = stage.cityService.requests
      stage.cityService.behaviour = { kind: 'page' }
      await until(() => stage.cityService.requests > asked + 2, { deadlineMs: 30_000, what: 'three refreshes' })
      await untilRefreshed(stage)
      nothingLost()
      return 'every room still shown'
    },
  },
  {
    id: 'F28b',
    title: 'an aggregator starts while the city service is away',
    bar: 'not ready, and says nothing about any room before it has a map; true within 10 s of the first one',
    length: 'short',
    guard:
      'without waiting for the first map, and without the doubt about one without rooms, 12 rooms were published without a map',
    async run(stage) {
      const { cityService, aggregator, recorder } = stage
      await aggregator.away()
      cityService.behaviour = { kind: 'fail', status: 503 }
      const from = recorder.history.length
      await aggregator.back()
      const asked = cityService.requests
      await until(() => cityService.requests > asked + 2, { deadlineMs: 30_000, what: 'three refreshes' })
      const claims = () => storedOf(stage, from).filter(({ what }) => what.kind === 'epoch').length
      await until(() => claims() > 0, { deadlineMs: 30_000, what: 'its claim' })
      await lasting(2_000)
      const said = storedOf(stage, from).filter(({ what }) => what.kind === 'room').length
      const { status } = await fetch(`${aggregator.now.adminUrl}/readyz`)
      cityService.behaviour = { kind: 'answer' }
      const beganAtMs = recorder.nowMs()
      await untilFresh(stage, 40_000)
      const tookMs = recorder.nowMs() - beganAtMs
      missedIf(said > 0, `${said} rooms were published without a map`)
      missedIf(status !== 503, `readyz answered ${status}`)
      lateIf(stage, tookMs, 10_000, `true only after ${seconds(tookMs)}`)
      return `0 rooms published, readyz 503; true ${seconds(tookMs)} after the map`
    },
  },
  {
    id: 'F29m',
    title: 'an aggregator starts with a third of the rooms that the stream holds, seen once',
    bar: 'no browser loses a room',
    length: 'long',
    guard:
      'without the doubt about a map that lacks most of what the stream holds eight rooms were taken from every browser',
    async run(stage) {
      const { cityService, aggregator, town, recorder } = stage
      const nothingLost = roomsKept(stage)
      await aggregator.away()
      const asked = cityService.requests
      const from = recorder.history.length
      cityService.rooms = town.directory().slice(0, Math.floor(town.slugs.length / 3))
      await aggregator.back()
      await until(() => cityService.requests > asked, { deadlineMs: 30_000, what: 'the first refresh', everyMs: 1 })
      // The stand-in counts a request before it answers. After that one nobody answers until it would have taken over.
      await lasting(50)
      cityService.behaviour = { kind: 'fail', status: 503 }
      const claimed = () => storedOf(stage, from).some(({ what }) => what.kind === 'epoch')
      await until(claimed, { deadlineMs: 30_000, what: 'its claim' })
      await lasting(2_000)
      cityService.rooms = town.directory()
      cityService.behaviour = { kind: 'answer' }
      await untilFresh(stage, 40_000)
      nothingLost()
      return 'every room still shown when a whole map had come'
    },
  },
  {
    id: 'F28c',
    title: 'the city service is away for five minutes (a day has a test on a turned clock)',
    bar: 'no room is lost, counts go on',
    length: 'long',
    async run(stage) {
      stage.cityService.behaviour = { kind: 'fail', status: 503 }
      const [notMarked, nothingLost] = [unmarked(stage), roomsKept(stage)]
      const asked = stage.cityService.requests
      await lasting(300_000)
      const requests = stage.cityService.requests - asked
      await untilRefreshed(stage)
      notMarked()
      nothingLost()
      return `every room still shown after ${requests} refused refreshes, no mark`
    },
  },
]

const storedOf = ({ recorder }: Stage, from: number) =>
  recorder.history.slice(from).flatMap((entry) => (entry.kind === 'stored' ? [entry] : []))
