// What a new leader says about what it finds in the stream, and what a leader says and when.
import fc from 'fast-check'
import { expect, it, vi } from 'vitest'
import { defaultPrefix, subjectsBelow } from '@citypresence/wire/subjects'
import type { Beat } from '@citypresence/wire/beat'
import type { RoomPresence } from '@citypresence/wire/room-presence'
import { roomsPerBatchMax, type OutMessage } from './core/batch.ts'
import type { RoomValue } from './core/city-rooms.ts'
import { createRoomSpeech } from './room-speech.ts'

const stored = (slug: string, more: Partial<RoomPresence> = {}) => ({
  subject: `city.presence.room.${slug}`,
  body: JSON.stringify({
    ...{ type: 'room.presence', room_slug: slug, matrix_room_id: `!${slug}`, matrix_room_alias: null },
    ...{ online_count: 5, typing_count: 1, typing_users: ['@a:t'], last_event_ts: 7, active: true, ...more },
  }),
})

function takeOver(
  mapped: readonly string[],
  messages: ReturnType<typeof stored>[],
  sightings = 2,
  inheritBlindness: (last: RoomPresence) => unknown = () => undefined,
): readonly RoomPresence[] {
  const city = {
    isKnown: () => true,
    sightings: () => sightings,
    slugs: () => mapped,
    valueOf: () => ({ kind: 'unobserved' }) as const,
    source: () => ({ source: 'live', sourceAgeMs: 0 }) as const,
    wallMs: () => 9,
    inheritBlindness: (last: RoomPresence) => void inheritBlindness(last),
  }
  const speech = createRoomSpeech(city, subjectsBelow(defaultPrefix), 3_000)
  speech.begin({ term: 1, epoch: 2 })
  speech.takeStored(messages)
  const said = speech.next(0).map(({ body }) => JSON.parse(body) as RoomPresence)
  return said.filter(({ type }) => (type as string | undefined) === 'room.presence')
}

it('[L24] a room not seen yet keeps its last count, marked stale, and nobody types there', () => {
  expect(takeOver(['r'], [stored('r')])).toEqual([
    expect.objectContaining({ room_slug: 'r', online_count: 5, typing_count: 0, typing_users: [], stale: true }),
  ])
})

it('[P23] [L24] of a room that was known to be kept out of presence the city hears before it says anything; of no other', () => {
  const inherited: string[] = []
  const rooms = ['dark', 'r', 'gone', 'off']
  const messages = [
    stored('dark', { stale: true, blind: true }),
    stored('r', { stale: true }),
    stored('gone', { blind: true, removed: true }),
    stored('off', { blind: true }),
  ]
  const said = takeOver(rooms.slice(0, 3), messages, 2, ({ room_slug: slug }) => inherited.push(slug))
  expect(inherited).toEqual(['dark'])
  expect(said.find(({ room_slug: slug }) => slug === 'dark')).toMatchObject({
    online_count: 5,
    stale: true,
    blind: true,
  })
})

it('[L24] a room off the map is removed once: one that was removed before is let expire', () => {
  const gone = takeOver(['kept'], [stored('r'), stored('old', { removed: true })])
  expect(gone).toEqual([expect.objectContaining({ room_slug: 'r', online_count: 0, removed: true, last_event_ts: 9 })])
})

it('[L24] of a room that was removed and is back on the map nothing old is said', () => {
  expect(takeOver(['r'], [stored('r', { removed: true })])).toEqual([])
})

it('[L24] what the stream holds and nobody can read names no room', () => {
  expect(takeOver([], [{ subject: 'city.presence.room.r', body: '{' }])).toEqual([])
})

it('[L37] a map without most of the rooms of the stream is believed when it was seen twice, one without any room never', () => {
  const city = ['a', 'b', 'c', 'd'].map((slug) => stored(slug))
  const removed = (mapped: readonly string[], sightings: number) =>
    takeOver(mapped, [...city, stored('old', { removed: true })], sightings).filter((room) => room.removed).length
  expect([removed(['a'], 1), removed(['a'], 2)]).toEqual([0, 3])
  expect(removed(['a', 'b'], 1)).toBe(2)
  expect([removed([], 1), removed([], 9)]).toEqual([0, 0])
})

// --- a leader at work ------------------------------------------------------------------------------------------------------------

const windowMs = 3_000
const roomOf = (slug: string, count: number): RoomPresence => ({
  ...{ type: 'room.presence', room_slug: slug, matrix_room_id: `!${slug}`, matrix_room_alias: null },
  ...{ online_count: count, typing_count: 0, typing_users: [], last_event_ts: 7 },
})

/** A leader of these rooms, who has said each of them once. */
function leads(rooms: number) {
  const counts = new Map(Array.from({ length: rooms }, (_, index) => [`r${index}`, 0]))
  const removed = new Set<string>()
  const city: { source: 'live' | 'stale'; sourceAgeMs: number } = { source: 'live', sourceAgeMs: 0 }
  const view = {
    source: () => ({ ...city }),
    isKnown: () => true,
    sightings: () => 2,
    slugs: () => [...counts.keys()].filter((slug) => !removed.has(slug)),
    valueOf: (slug: string): RoomValue =>
      removed.has(slug)
        ? { kind: 'removed', presence: { ...roomOf(slug, 0), removed: true } }
        : { kind: 'known', presence: roomOf(slug, counts.get(slug) ?? 0) },
    wallMs: () => 9,
    inheritBlindness: () => undefined,
  }
  const speech = createRoomSpeech(view, subjectsBelow(defaultPrefix), windowMs)
  const begin = (epoch: number): void => {
    speech.begin({ term: 1, epoch })
    speech.takeStored([])
  }
  begin(2)
  const set = (slug: string, count: number, nowMs: number, trace?: string): void => {
    counts.set(slug, count)
    speech.changed([slug], trace, nowMs)
  }
  return { city, removed, counts, speech, begin, set }
}
type Leading = ReturnType<typeof leads>

/** The next word, taken as stored `tookMs` later. */
function say({ speech }: Leading, nowMs: number, tookMs = 0) {
  const messages = speech.next(nowMs)
  if (messages.length > 0) speech.said(nowMs + tookMs)
  const rooms = messages.slice(0, -1).map(({ body }) => JSON.parse(body) as RoomPresence)
  return { messages, rooms, beat: beatIn(messages) }
}
const beatIn = (messages: readonly OutMessage[]): Beat | undefined => {
  const last = messages.at(-1)
  return last === undefined ? undefined : (JSON.parse(last.body) as Beat)
}

/** Until nothing is due any more at this moment. */
function sayAll(leading: Leading, nowMs: number): Beat[] {
  const beats: Beat[] = []
  do {
    for (let { beat } = say(leading, nowMs); beat !== undefined; { beat } = say(leading, nowMs)) beats.push(beat)
  } while (leading.speech.isBusy?.() === true)
  return beats
}

/** A time at which everything was said and every window is over. */
const quietMs = 100_000
function quiet(rooms: number): Leading {
  const leading = leads(rooms)
  sayAll(leading, 0)
  sayAll(leading, quietMs)
  return leading
}

it('[T8] a source that lives again says so when every value that waits is out, in however many batches', () => {
  const leading = quiet(2 * roomsPerBatchMax + 5)
  const { city, counts, set } = leading
  for (const slug of counts.keys()) set(slug, 1, quietMs + 1)
  sayAll(leading, quietMs + 1)
  city.source = 'stale'
  expect(say(leading, quietMs + 2).beat).toMatchObject({ source: 'stale', complete: true })
  // All of them wait for their windows.
  for (const slug of counts.keys()) set(slug, 2, quietMs + 3)
  expect(say(leading, quietMs + 3).beat).toBeUndefined()
  city.source = 'live'
  const words = [say(leading, quietMs + 4), say(leading, quietMs + 4), say(leading, quietMs + 4)]
  expect(words.map(({ rooms }) => rooms.length)).toEqual([roomsPerBatchMax, roomsPerBatchMax, 5])
  expect(words.map(({ beat }) => beat?.source)).toEqual(['stale', 'stale', 'live'])
  expect(words.every(({ rooms }) => rooms.every(({ online_count: count }) => count === 2))).toBe(true)
  expect(say(leading, quietMs + 4).beat).toBeUndefined()
})

it('[T8] whatever waits when a source lives again: no beat calls it live while a value does', () => {
  const steps = fc.array(
    fc.record({
      set: fc.subarray([0, 1, 2, 3, 4, 5]),
      source: fc.constantFrom('live', 'stale'),
      passMs: fc.nat(4_000),
    }),
    { maxLength: 30 },
  )
  fc.assert(
    fc.property(steps, (all) => {
      const leading = quiet(6)
      const { city, counts, set } = leading
      const heard = new Map([...counts.keys()].map((slug) => [slug, 0]))
      let nowMs = quietMs
      let told = 'live'
      for (const { set: rooms, source, passMs } of all) {
        nowMs += passMs
        for (const room of rooms) set(`r${room}`, (counts.get(`r${room}`) ?? 0) + 1, nowMs)
        city.source = source
        const { rooms: said, beat } = say(leading, nowMs)
        for (const { room_slug: slug, online_count: count } of said) heard.set(slug, count)
        if (beat === undefined) continue
        if (told === 'stale' && beat.source === 'live') expect(heard).toEqual(counts)
        told = beat.source
      }
    }),
  )
})

it('[L21] what becomes of the source is told at once, with its age in whole milliseconds', () => {
  const leading = quiet(1)
  leading.city.sourceAgeMs = -0.5
  expect(say(leading, quietMs + 1).beat).toBeUndefined()
  leading.city.source = 'stale'
  leading.city.sourceAgeMs = 90_000.7
  expect(say(leading, quietMs + 2).beat).toMatchObject({ source: 'stale', source_age_ms: 90_000 })
  leading.city.source = 'live'
  leading.city.sourceAgeMs = -0.5
  expect(say(leading, quietMs + 3).beat).toMatchObject({ source: 'live', source_age_ms: 0 })
})

it('[L36] a word that was long under way is followed at once; one that was not, after a second', () => {
  const leading = quiet(1)
  expect(say(leading, quietMs + 1_000, 999).beat).toBeDefined()
  expect(say(leading, quietMs + 2_000).beat).toBeUndefined()
  expect(say(leading, quietMs + 3_000, 1_000).beat).toBeDefined()
  expect(say(leading, quietMs + 4_000).beat).toBeDefined()
  expect(say(leading, quietMs + 4_001).beat).toBeUndefined()
})

it('[L36] in the first three seconds of each epoch beats come four times a second', () => {
  const leading = leads(1)
  for (const [epoch, beganMs] of [
    [2, 0],
    [5, quietMs],
  ] as const) {
    leading.begin(epoch)
    sayAll(leading, beganMs)
    const beats = Array.from({ length: 60 }, (_, index) => beganMs + (index + 1) * 100).filter(
      (nowMs) => say(leading, nowMs).beat !== undefined,
    )
    expect(beats.map((nowMs) => nowMs - beganMs)).toEqual([
      ...[300, 600, 900, 1_200, 1_500, 1_800, 2_100, 2_400, 2_700],
      ...[3_700, 4_700, 5_700],
    ])
  }
})

it('[L10] an epoch counts its own rooms alone, without the removed ones', () => {
  const leading = leads(3)
  expect(sayAll(leading, 0).at(-1)).toMatchObject({ complete: true, rooms: 3 })
  leading.removed.add('r0')
  leading.speech.changed(['r0'], undefined, 1)
  expect(sayAll(leading, 1).at(-1)).toMatchObject({ complete: true, rooms: 2 })
  // Gone with the stream of the last epoch: this one never said it.
  leading.removed.add('r1')
  leading.begin(5)
  expect(sayAll(leading, 2).at(-1)).toMatchObject({ complete: true, rooms: 1 })
})

it('[L23] a city that was whole stays whole, however much of it changes at once', () => {
  const leading = quiet(roomsPerBatchMax + 5)
  for (const slug of leading.counts.keys()) leading.set(slug, 1, quietMs + 1)
  const beats = sayAll(leading, quietMs + 1)
  expect(beats.map(({ complete, rooms }) => [complete, rooms])).toEqual([
    [true, roomsPerBatchMax + 5],
    [true, roomsPerBatchMax + 5],
  ])
})

it('[T3] in a new epoch everything is said again, and under no trace of the last', () => {
  const trace = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`
  const leading = quiet(2)
  leading.set('r0', 1, quietMs + 1, trace)
  expect(say(leading, quietMs + 1).messages[0]?.headers['traceparent']).toBe(trace)
  leading.begin(5)
  const { rooms, messages } = say(leading, quietMs + 2)
  expect(rooms.map(({ room_slug: slug, online_count: count }) => [slug, count])).toEqual([
    ['r0', 1],
    ['r1', 0],
  ])
  expect(messages.map(({ headers }) => headers['traceparent'])).toEqual([undefined, undefined, undefined])
})

it('[T2] the newest value goes out under its own trace, or under none', () => {
  const trace = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`
  const leading = quiet(1)
  leading.set('r0', 1, quietMs + 1)
  say(leading, quietMs + 1)
  leading.set('r0', 2, quietMs + 2, trace)
  leading.set('r0', 3, quietMs + 3)
  const { rooms, messages } = say(leading, quietMs + 1 + windowMs)
  expect(rooms).toMatchObject([{ online_count: 3 }])
  expect(messages[0]?.headers).not.toHaveProperty('traceparent')
})

it('[T7] a room that was removed is forgotten: when it is back, it begins as one that was never said', () => {
  const leading = quiet(1)
  leading.removed.add('r0')
  leading.speech.changed(['r0'], undefined, quietMs + 1)
  expect(say(leading, quietMs + 1).rooms).toMatchObject([{ removed: true }])
  leading.removed.clear()
  leading.set('r0', 1, quietMs + 2)
  expect(say(leading, quietMs + 2).rooms).toMatchObject([{ online_count: 1 }])
  // Its first word opened no window.
  leading.set('r0', 2, quietMs + 3)
  expect(say(leading, quietMs + 3).rooms).toMatchObject([{ online_count: 2 }])
})

it('[L24] what a standby heard of is no cause of what it says at its takeover', () => {
  const city = {
    isKnown: () => true,
    sightings: () => 2,
    slugs: () => ['r'],
    valueOf: () => ({ kind: 'known', presence: JSON.parse(stored('r').body) as RoomPresence }) as const,
    source: () => ({ source: 'live', sourceAgeMs: 0 }) as const,
    wallMs: () => 9,
    inheritBlindness: () => undefined,
  }
  const speech = createRoomSpeech(city, subjectsBelow(defaultPrefix), 3_000)
  const cause = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const causes = () => speech.next(0).map(({ headers }) => headers['traceparent'])
  speech.changed(['r'], cause, 0)
  speech.begin({ term: 1, epoch: 2 })
  speech.takeStored([])
  expect(causes()).toEqual([undefined, undefined])
  speech.begin({ term: 2, epoch: 9 })
  speech.changed(['r'], cause, 0)
  speech.takeStored([])
  expect(causes()).toEqual([cause, undefined])
})

it('[L24] a large city is got ready in pieces; what changes meanwhile is said as it is in the end', () => {
  const counts = new Map(Array.from({ length: 1_100 }, (_, room) => [`r${room}`, 5]))
  const presence = (slug: string, more: Partial<RoomPresence>) =>
    JSON.parse(stored(slug, { typing_count: 0, typing_users: [], ...more }).body) as RoomPresence
  const city = {
    isKnown: () => true,
    sightings: () => 2,
    slugs: () => [...counts.keys()],
    valueOf: (slug: string): RoomValue => {
      const online = counts.get(slug)
      return online === undefined
        ? { kind: 'removed', presence: presence(slug, { online_count: 0, removed: true }) }
        : { kind: 'known', presence: presence(slug, { online_count: online }) }
    },
    source: () => ({ source: 'live', sourceAgeMs: 0 }) as const,
    wallMs: () => 9,
    inheritBlindness: () => undefined,
  }
  const speech = createRoomSpeech(city, subjectsBelow(defaultPrefix), 3_000)
  speech.begin({ term: 1, epoch: 2 })
  expect(speech.isBusy?.()).toBe(false)
  speech.takeStored([stored('gone'), stored('late')])
  const said = new Map<string, RoomPresence>()
  const beats: Beat[] = []
  const listen = () => {
    const messages = speech.next(0).map(({ body }) => JSON.parse(body) as RoomPresence | Beat)
    for (const message of messages)
      if ('room_slug' in message) said.set(message.room_slug, message)
      else beats.push(message)
    speech.said(0)
  }
  listen()
  expect([said.size, beats.map(({ complete }) => complete), speech.isBusy?.()]).toEqual([0, [false], true])
  // One that was offered, one that was not yet, one that goes, and one that comes though the stream had it before.
  counts.set('r0', 6).set('r1099', 7).set('late', 8)
  counts.delete('r1')
  speech.changed(['r0', 'r1099', 'r1', 'late'], undefined, 0)
  for (let turn = 0; turn < 4; turn++) listen()
  expect([said.size, speech.isBusy?.(), beats.at(-1)?.complete]).toEqual([1_102, false, true])
  const online = (slug: string) => [said.get(slug)?.online_count, said.get(slug)?.removed]
  expect(['r0', 'r1099', 'r1', 'late', 'gone', 'r2'].map(online)).toEqual([
    [6, undefined],
    [7, undefined],
    [0, true],
    [8, undefined],
    [0, true],
    [5, undefined],
  ])
})

it('[L24] a standby keeps no causes: of a slug that left the map it would for ever', () => {
  const city = {
    isKnown: () => true,
    sightings: () => 2,
    slugs: () => [],
    valueOf: () => ({ kind: 'unobserved' }) as const,
    source: () => ({ source: 'live', sourceAgeMs: 0 }) as const,
    wallMs: () => 9,
    inheritBlindness: () => undefined,
  }
  const speech = createRoomSpeech(city, subjectsBelow(defaultPrefix), windowMs)
  const set = vi.spyOn(Map.prototype, 'set')
  speech.changed(['a'], 'cause of standing by', 0)
  speech.begin({ term: 1, epoch: 2 })
  speech.changed(['a'], 'cause of leading', 0)
  const kept = set.mock.calls.map(([, value]: unknown[]) => value)
  set.mockRestore()
  expect(kept).not.toContain('cause of standing by')
  expect(kept).toContain('cause of leading')
})
