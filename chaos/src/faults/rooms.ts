// What the city service can do wrong with the map of rooms.
import { until } from '@citypresence/stack/until'
import type { Fault } from '../fault.ts'
import type { Stage } from '../stage.ts'
import { lasting, missedIf, seconds } from './bars.ts'

type Rooms = Stage['cityService']['rooms']

/** Answers so for four refreshes, and then rightly again. Nobody may lose a room by it. */
async function withMap(stage: Stage, rooms: unknown): Promise<string> {
  const { cityService, witnesses, town } = stage
  const asked = cityService.requests
  cityService.rooms = rooms as Rooms
  await until(() => cityService.requests >= asked + 4, { deadlineMs: 30_000, what: 'four refreshes' })
  const lost = town.slugs.filter((slug) => witnesses.some((witness) => !witness.rooms.has(slug)))
  cityService.rooms = town.directory()
  missedIf(lost.length > 0, `lost ${lost.join(', ')}`)
  return 'four refreshes refused, every room still shown'
}

type BadMap = { readonly id: string; readonly title: string; readonly make: (stage: Stage) => unknown }

const badMaps: readonly BadMap[] = [
  { id: 'F29a', title: 'the map is an object of something else', make: () => ({ error: 'out of order' }) },
  {
    id: 'F29c',
    title: 'a slug stands in the map twice',
    make: ({ town }) => [...town.directory(), ...town.directory().slice(0, 1)],
  },
  {
    id: 'F29d',
    title: 'one Matrix room stands under two slugs',
    make: ({ town }) => [
      ...town.directory(),
      { slug: 'second-name', matrix_room_id: town.directory()[0]?.matrix_room_id },
    ],
  },
  {
    id: 'F29e',
    title: 'a slug is none',
    make: ({ town }) => [...town.directory(), { slug: 'Not A Slug!', matrix_room_id: '!other:test.local' }],
  },
]

const refused: readonly Fault[] = badMaps.map(({ id, title, make }) => ({
  id,
  title,
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
    length: 'short',
    async run(stage) {
      const { cityService, town, witnesses } = stage
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
      const lost = town.slugs.filter((slug) => witnesses.some((witness) => !witness.rooms.has(slug)))
      missedIf(lost.length > 0, `lost ${lost.join(', ')}`)
      return 'every room still shown'
    },
  },
  {
    id: 'F28',
    title: 'the city service is away: errors, then silence',
    bar: 'the last good map stays; no room is lost',
    length: 'short',
    async run(stage) {
      const { cityService, town, witnesses } = stage
      const asked = cityService.requests
      cityService.behaviour = { kind: 'fail', status: 500 }
      await until(() => cityService.requests > asked + 1, { deadlineMs: 30_000, what: 'two refreshes' })
      cityService.behaviour = { kind: 'hang' }
      await until(() => cityService.requests > asked + 2, { deadlineMs: 30_000, what: 'a refresh that hangs' })
      await lasting(2_000)
      const lost = town.slugs.filter((slug) => witnesses.some((witness) => !witness.rooms.has(slug)))
      cityService.behaviour = { kind: 'answer' }
      missedIf(lost.length > 0, `lost ${lost.join(', ')}`)
      return 'every room still shown'
    },
  },
  {
    id: 'F29f',
    title: 'a room leaves the map',
    bar: 'it leaves every browser within a refresh and 2 s',
    length: 'short',
    async run(stage) {
      const slug = stage.town.slugs[1] ?? ''
      const beganAtMs = stage.recorder.nowMs()
      stage.town.strike(slug)
      stage.cityService.rooms = stage.town.directory()
      await until(() => stage.witnesses.every(({ rooms }) => !rooms.has(slug)), {
        deadlineMs: 10_000,
        what: 'it to be gone',
      })
      return `gone after ${seconds(stage.recorder.nowMs() - beganAtMs)}`
    },
  },
]
