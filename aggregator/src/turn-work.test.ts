// What one turn of the event loop does does not grow with the city: the 50 ms that `make bench` times, held here without a clock.
// The loop and both speeches are the real ones; turns are counted by their timers, and slices of an answer, between which the
// reader gives the loop its turn.
import { createFakeClock } from '@citypresence/chassis/testing/fake-clock'
import { defaultPrefix, encodeUser, subjectsBelow } from '@citypresence/wire/subjects'
import { afterEach, expect, it } from 'vitest'
import { aggregate, viewOfCity, type Known, type RoomFinding } from './aggregate.ts'
import { createCity } from './core/city.ts'
import { peoplePerPiece } from './core/pieces.ts'
import type { Fact } from './core/sync-facts.ts'
import { createChannel } from './edge/channel.ts'
import { createRoomSpeech } from './room-speech.ts'
import { at, cityOptions, come, follow, is, user } from './testing/cities.ts'
import { countWork, type WorkCounter } from './testing/work-counter.ts'
import { createUserSpeech } from './user-speech.ts'
import type { Speech } from './voice.ts'

let work: WorkCounter | undefined
afterEach(() => work?.stop())

const roomIds = Array.from({ length: 20 }, (_, room) => `!r${room}`)
const subjects = subjectsBelow(defaultPrefix)

/** The most that was done in one turn of each chapter in the life of a city with so many people. */
async function mostIn(people: number): Promise<Record<string, number>> {
  const clock = createFakeClock()
  const after = clock.after.bind(clock)
  const counter = countWork()
  work = counter
  // Whatever comes by a timer has a turn of its own.
  clock.after = (ms, run) =>
    after(ms, () => {
      counter.turn()
      run()
    })
  const city = createCity({ ...cityOptions, outsidersMax: 400_000, userEvents: true })
  const known: Known = { synced: false, mapped: false, sightings: 2, learning: false }
  const rooms = createRoomSpeech(viewOfCity(city, known, clock), subjects, 0)
  const isKnown = () => known.synced && !known.learning
  const users = createUserSpeech({
    city,
    subjects,
    isKnown,
    areRoomsTold: () => rooms.isComplete(),
    untold: () => undefined,
  })
  const voiceOf = (speech: Speech) => ({
    tick() {
      // A batch is acknowledged in another turn, and so comes the next piece.
      const messages = speech.next(clock.monotonicMs())
      if (messages.length > 0) speech.said(clock.monotonicMs())
    },
  })
  const findings = createChannel<RoomFinding>(10)
  const answers = createChannel<{ readonly lazy: boolean; readonly facts: readonly Fact[] }>(10)
  const ending = new AbortController()
  const momentNow = () => at(clock.monotonicMs())
  async function* slicesOf(facts: readonly Fact[]) {
    for (let start = 0; start < facts.length; start += 500) {
      counter.turn()
      yield await Promise.resolve(facts.slice(start, start + 500))
    }
  }
  const ended = aggregate({
    city,
    known,
    source: {
      async *batches(signal) {
        for await (const { lazy, facts } of answers.values(signal)) {
          const now = momentNow()
          const moments = { requestedAt: now, asOf: now, receivedAt: now }
          yield {
            ...moments,
            ...{ initial: facts.length > 500, lazy, typingSuspect: false, traceparent: undefined },
            slices: slicesOf(facts),
            run: <T>(act: () => T): T => act(),
          }
        }
      },
      startOver: () => undefined,
    },
    rooms: {
      async *updates() {
        yield await Promise.resolve(roomIds.map((roomId) => ({ slug: roomId.slice(1), roomId, alias: null })))
      },
      findings: (signal) => findings.values(signal),
      tombstone: () => undefined,
      refreshSoon: () => undefined,
      wantMembers: () => undefined,
      sightings: () => 2,
    },
    speech: rooms,
    voices: [voiceOf(rooms), voiceOf(users)] as never,
    tellUsers: () => users.changed(),
    probePresence: () => Promise.resolve(true),
    clock,
    signal: ending.signal,
    drift: () => undefined,
  })
  const crowd = Array.from({ length: people }, (_, index) => user(index))
  const inRooms = crowd.map((userId, index) => come(roomIds[index % roomIds.length] ?? '', userId))
  const online = crowd.map((userId) => is(userId, 'online'))
  const all = [...roomIds.map(follow), ...inRooms, ...online]
  const stored = crowd.map((userId) => ({
    subject: subjects.user(encodeUser(userId, 'test.local') ?? ''),
    body: JSON.stringify({ type: 'user.presence', matrix_user_id: userId, status: 'online', last_active_ts: 1 }),
  }))
  const list = (roomId: string): void =>
    findings.push({ kind: 'members', roomId, userIds: crowd, askedAt: momentNow() })
  const most: Record<string, number> = {}
  const chapter = async (name: string, begin: () => void): Promise<void> => {
    counter.most()
    begin()
    // A second for each thousand words, and some for the rest: what is left over would be counted in the next chapter.
    await clock.advance(people / 10 + 5_000)
    most[name] = counter.most()
  }
  for (const speech of [rooms, users]) speech.begin({ term: 1, epoch: 1 })
  rooms.takeStored([])
  users.takeStored([])
  await chapter('a first sync', () => answers.push({ lazy: false, facts: all }))
  await chapter('a later one', () => answers.push({ lazy: false, facts: all }))
  await chapter('a takeover', () => {
    users.begin({ term: 2, epoch: 9 })
    users.takeStored(stored)
  })
  await chapter('an audit', () => {
    list('!r0')
    void clock.advance(1).then(() => answers.push({ lazy: false, facts: [] }))
  })
  await chapter('a first sync without the members', () =>
    answers.push({ lazy: true, facts: [...roomIds.map(follow), ...online] }),
  )
  await chapter('the list of a crowd', () => list('!r0'))
  await chapter('everybody offline, in many answers', () => {
    for (let start = 0; start < people; start += people / 5)
      answers.push({ lazy: false, facts: crowd.slice(start, start + 400).map((userId) => is(userId, 'offline')) })
  })
  ending.abort()
  await clock.advance(100)
  await ended
  counter.stop()
  return most
}

it(
  '[M55] three times the people are no more work in any turn: at first syncs, swaps, takeovers, audits, lists and changes',
  { timeout: 120_000 },
  async () => {
    // Both are more than a piece.
    const [few, many] = [await mostIn(2 * peoplePerPiece), await mostIn(6 * peoplePerPiece)]
    const grown = Object.entries(many).filter(([name, most]) => most > 1.2 * (few[name] ?? 0))
    expect(grown).toEqual([])
  },
)
