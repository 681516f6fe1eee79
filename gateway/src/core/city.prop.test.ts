// The city against readers who do as a browser does: put the snapshot up, then set what each message says.
import { anyView } from '@citypresence/wire/testing/any-message'
import { staleReasons, type ClientMessage, type RoomView } from '@citypresence/wire/client-messages'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { readMessages } from '../testing/read-frames.ts'
import {
  createCity,
  forgetBefore,
  framesSince,
  joinBytes,
  learnRooms,
  markOf,
  replaceCity,
  setStatus,
  snapshotOf,
  type City,
} from './city.ts'

const anySlug = fc.constantFrom('a', 'b', 'c')
const anyViews = fc.uniqueArray(anyView(anySlug), { selector: (view) => view.room_slug, maxLength: 3 })
const anyStatus = fc.record({ stale: fc.boolean(), reason: fc.constantFrom(undefined, ...staleReasons) })
const anyStep = fc.oneof(
  { weight: 5, arbitrary: anyViews.map((views) => ({ kind: 'learn' as const, views })) },
  { weight: 2, arbitrary: anyViews.map((views) => ({ kind: 'replace' as const, views })) },
  { weight: 2, arbitrary: anyStatus.map((status) => ({ kind: 'status' as const, status })) },
  { weight: 3, arbitrary: fc.nat(2).map((who) => ({ kind: 'read' as const, who })) },
  { weight: 2, arbitrary: fc.constant({ kind: 'join' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'forget' as const }) },
)
const anySteps = fc.array(anyStep, { maxLength: 30, size: 'max' })

type Shown = { rooms: Map<string, RoomView>; status: unknown }
type Reader = Shown & { mark: number }

function hear(reader: Shown, message: ClientMessage): void {
  if (message.type === 'status') {
    const { stale, reason } = message
    reader.status = { stale, reason }
    return
  }
  const { type, ...rest } = message
  const views = type === 'snapshot' ? (rest as { rooms: RoomView[] }).rooms : [rest as RoomView]
  if (type === 'snapshot') reader.rooms.clear()
  for (const view of views)
    if (view.removed === true) reader.rooms.delete(view.room_slug)
    else reader.rooms.set(view.room_slug, view)
}

function join(city: City): Reader {
  const reader: Reader = { rooms: new Map(), status: undefined, mark: markOf(city) }
  for (const message of readMessages(joinBytes(city)) as ClientMessage[]) hear(reader, message)
  return reader
}

function catchUp(city: City, reader: Reader): void {
  const frames = framesSince(city, reader.mark)
  const marks = frames.map(({ mark }) => mark)
  // In the order of their changes, each once, and all of them news.
  expect(marks).toEqual([...new Set(marks)].sort((one, other) => one - other))
  for (const mark of marks) expect(mark).toBeGreaterThan(reader.mark)
  for (const { bytes } of frames) for (const message of readMessages(bytes) as ClientMessage[]) hear(reader, message)
  reader.mark = markOf(city)
}

const withoutSilence = ({ active, stale, removed, ...room }: RoomView) => ({
  ...room,
  ...(active === true && { active }),
  ...(stale === true && { stale }),
  ...(removed === true && { removed }),
})
const shownBy = ({ rooms, status }: Shown) => ({
  rooms: [...rooms.values()].map(withoutSilence).sort((one, other) => one.room_slug.localeCompare(other.room_slug)),
  status,
})

it('[G11] [G13] whoever joins whenever and reads whenever shows in the end what a list of all changes says', () => {
  fc.assert(
    fc.property(anySteps, (steps) => {
      const city = createCity()
      const truth: Shown = { rooms: new Map(), status: { stale: true, reason: 'no-beat' } }
      const readers = [join(city)]
      for (const step of steps) {
        if (step.kind === 'learn') {
          learnRooms(city, step.views)
          for (const view of step.views) hear(truth, { type: 'room.presence', ...view })
        } else if (step.kind === 'replace') {
          replaceCity(city, step.views)
          hear(truth, { type: 'snapshot', rooms: step.views })
        } else if (step.kind === 'status') {
          setStatus(city, step.status)
          truth.status = step.status
        } else if (step.kind === 'join') readers.push(join(city))
        else if (step.kind === 'forget') forgetBefore(city, Math.min(...readers.map(({ mark }) => mark)))
        else for (const reader of readers.slice(step.who % readers.length).slice(0, 1)) catchUp(city, reader)
      }
      for (const reader of readers) {
        catchUp(city, reader)
        expect(shownBy(reader)).toEqual(shownBy(truth))
      }
      expect(shownBy(join(city))).toEqual(shownBy(truth))
      const asked: Shown = { rooms: new Map(), status: truth.status }
      hear(asked, JSON.parse(snapshotOf(city)) as ClientMessage)
      expect(shownBy(asked)).toEqual(shownBy(truth))
    }),
  )
})

it('[G11] [G12] what changes nothing makes no mark, no frame and no second snapshot', () => {
  fc.assert(
    fc.property(anyViews, anyStatus, (views, status) => {
      const city = createCity()
      replaceCity(city, views)
      setStatus(city, status)
      const [mark, bytes] = [markOf(city), joinBytes(city)]
      const live = views.filter(({ removed }) => removed !== true)
      expect([learnRooms(city, live), replaceCity(city, live), setStatus(city, status)]).toEqual([0, 0, false])
      expect([markOf(city), framesSince(city, mark), city.snapshotBuilds]).toEqual([mark, [], 1])
      expect(joinBytes(city)).toBe(bytes)
    }),
  )
})
