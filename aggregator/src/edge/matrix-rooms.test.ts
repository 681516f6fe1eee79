// The map of rooms against the homeserver double and a directory that does what a test wants.
import { CityError } from '@citypresence/chassis/errors'
import { createFakeClock, type FakeClock } from '@citypresence/chassis/testing/fake-clock'
import { startHomeserver, type Homeserver } from '@citypresence/sim/homeserver'
import { until } from '@citypresence/stack/until'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { MappedRoom } from '../core/city-rooms.ts'
import { createDaemon, silentLog, type Daemon } from '../testing/matrix.ts'
import type { RoomProgress } from './room-worker.ts'
import { createRoomSource, type Finding, type RoomSource, type RoomSourceOptions } from './matrix-rooms.ts'

let homeserver: Homeserver
let daemon: Daemon
/** What the directory answers; an error is thrown. */
let answer: unknown
let reads: number
let stopFollowing: (() => Promise<void>) | undefined
let maps: (readonly MappedRoom[])[]
let findings: Finding[]

const mayor = '@mayor:test.local'

beforeEach(async () => {
  homeserver = await startHomeserver()
  daemon = createDaemon({ url: homeserver.url, ...homeserver.account('presence_daemon') })
  ;[answer, reads, maps, findings] = [[], 0, [], []]
})
afterEach(async () => {
  await stopFollowing?.()
  stopFollowing = undefined
  await daemon.stop()
  await homeserver.stop()
})

function follow(options: Partial<RoomSourceOptions> = {}): RoomSource {
  const source = createRoomSource({
    client: daemon.client,
    directory: {
      watch: () => () => undefined,
      read() {
        reads++
        return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer)
      },
    },
    log: silentLog,
    random: () => 0,
    ...options,
  })
  const abort = new AbortController()
  const ended = Promise.all([take(source.updates(abort.signal), maps), take(source.findings(abort.signal), findings)])
  stopFollowing = async () => {
    abort.abort()
    await ended
  }
  return source
}

async function take<T>(values: AsyncIterable<T>, into: T[]): Promise<void> {
  for await (const value of values) into.push(value)
}

const createRoom = (options: { alias?: string; members?: string[] } = {}) =>
  homeserver.script.createRoom({ isPublic: true, ...options })
const isMember = async (roomId: string) => (await daemon.client.joinedRooms()).includes(roomId)
const roomOf = (slug: string) => maps.at(-1)?.find((room) => room.slug === slug)?.roomId
const within = (what: string, condition: () => unknown) => until(condition, { deadlineMs: 10_000, what })
/** Turns the clock second by second until the homeserver, which answers in real time, has caught up. */
const turning = (clock: FakeClock, what: string, condition: () => unknown) =>
  within(what, async () => {
    await clock.advance(1_000)
    return condition()
  })
const joins = () => homeserver.requests.filter(({ path }) => path.startsWith('/join/'))

it('[R1] rooms of the map are joined, by id and by alias, and the status tells how far it is', async () => {
  const [market, library] = [createRoom(), createRoom({ alias: '#library:test.local' })]
  answer = {
    rooms: [
      { slug: 'market', matrix_room_id: market },
      { slug: 'library', matrix_room_alias: '#library:test.local' },
    ],
  }
  const source = follow()
  await within('both rooms', () => source.status().joins.joined === 2)
  expect(maps.at(-1)).toEqual([
    { slug: 'market', roomId: market, alias: null },
    { slug: 'library', roomId: library, alias: '#library:test.local' },
  ])
  expect(await isMember(market)).toBe(true)
  expect(await isMember(library)).toBe(true)
  expect(source.status()).toMatchObject({
    directory: { rooms: 2, problem: undefined },
    joins: { wanted: 2, refused: [] },
  })
  expect(joins()).toHaveLength(2)
})

it('[R1] rooms that the daemon is in already are not joined again, not even after a homeserver that did not answer', async () => {
  const roomId = createRoom({ members: [daemon.userId] })
  answer = [{ slug: 'market', matrix_room_id: roomId }]
  homeserver.fault({ path: /joined_rooms/, times: 1, fault: { kind: 'reset' } })
  const source = follow()
  await within('the room', () => source.status().joins.joined === 1)
  expect(joins()).toEqual([])
})

it('[R3] a homeserver that limits joins is obeyed, and the time that is left is told', async () => {
  answer = Array.from({ length: 5 }, (_, number) => ({ slug: `room${number}`, matrix_room_id: createRoom() }))
  homeserver.limitJoins({ burst: 2, perSecond: 0.8 })
  const source = follow()
  await within('the limit', () => (source.status().joins.remainingMs ?? 0) > 1_000)
  await within('all rooms', () => source.status().joins.joined === 5)
  const refused = joins().length - 5
  // One refusal for each wait, no knocking in between.
  expect(refused).toBeLessThanOrEqual(3)
})

it('[R3] the progress is told at each step, and written down at the start, every ten seconds and at the end', async () => {
  const clock = createFakeClock()
  answer = Array.from({ length: 6 }, (_, number) => ({ slug: `r${number}`, matrix_room_id: `!r${number}` }))
  // Two joins, then one at every second attempt: without a word from the server each wait is ten seconds.
  let attempts = 0
  const members: string[] = []
  const client: RoomSourceOptions['client'] = {
    resolveAlias: () => Promise.reject(new Error('no alias is asked for')),
    joinedRooms: () => Promise.resolve(members),
    joinedMembers: () => Promise.resolve([]),
    join(roomId) {
      if (++attempts > 2 && attempts % 2 === 1)
        return Promise.reject(new CityError('MatrixRateLimited', 'too many joins'))
      members.push(roomId)
      return Promise.resolve()
    },
  }
  const told: RoomProgress[] = []
  const lines: unknown[] = []
  const log = { ...silentLog, info: (_: string, fields: Record<string, unknown>) => void lines.push(fields) }
  follow({ clock, client, log, observer: { progress: (progress) => void told.push(progress) } })
  await clock.advance(60_000)
  const joined = told.map((progress) => progress.joins.joined)
  // Once more at the second look at the new map.
  expect(joined).toEqual([0, 1, 2, 2, 2, 3, 3, 4, 4, 5, 5, 6])
  const line = (count: number, remainingMs: unknown) => ({
    wanted: 6,
    joined: count,
    refused: 0,
    remaining_ms: remainingMs,
  })
  const some = expect.any(Number) as number
  expect(lines).toEqual([line(0, some), line(2, some), line(4, some), line(5, some), line(6, undefined)])
  // Nothing is missing, so nothing more is written.
  await clock.advance(600_000)
  expect(lines).toHaveLength(5)
})

it('[R2] a room that refuses the daemon is told of, and found lost', async () => {
  const closed = homeserver.script.createRoom({ isPublic: false })
  answer = [
    { slug: 'closed', matrix_room_id: closed },
    { slug: 'open', matrix_room_id: createRoom() },
  ]
  const source = follow()
  await within('the open room', () => source.status().joins.joined === 1)
  expect(source.status().joins.refused).toEqual([{ roomId: closed, problem: '403 M_FORBIDDEN' }])
  await within('the finding', () => findings.some(({ kind, roomId }) => kind === 'lost' && roomId === closed))
})

it('[R5] a room that was replaced hands its slug to the replacement, which is joined', async () => {
  const old = createRoom({ members: [daemon.userId] })
  answer = [{ slug: 'market', matrix_room_id: old }]
  const source = follow()
  await within('the map', () => roomOf('market') === old)
  const replacement = homeserver.script.upgrade(old, mayor)
  source.tombstone(old, replacement, 'test.local')
  await within('the replacement', () => roomOf('market') === replacement)
  await within('the join', () => isMember(replacement))
  expect(joins()[0]?.query.getAll('via')).toContain('test.local')
})

it('[R9] an alias that moves is followed; one that is gone for a moment keeps its room, one that is gone for good loses it', async () => {
  const clock = createFakeClock()
  const [first, second] = [createRoom({ alias: '#market:test.local' }), createRoom()]
  answer = [{ slug: 'market', matrix_room_alias: '#market:test.local' }]
  const source = follow({ clock, refreshEveryMs: 60_000 })
  const afterRefresh = (count: number) => turning(clock, `read ${count}`, () => reads === count)
  await within('the first room', () => roomOf('market') === first)
  homeserver.fault({
    path: /^\/directory/,
    times: 1,
    fault: { kind: 'status', status: 404, body: { errcode: 'M_NOT_FOUND' } },
  })
  await afterRefresh(2)
  expect(roomOf('market')).toBe(first)
  const away = homeserver.fault({
    path: /^\/directory/,
    fault: { kind: 'status', status: 404, body: { errcode: 'M_NOT_FOUND' } },
  })
  await afterRefresh(3)
  await afterRefresh(4)
  await within('no room', () => roomOf('market') === '?market')
  expect(source.status().unresolved).toEqual(['market'])
  away()
  homeserver.script.state(mayor, second, 'm.room.canonical_alias', { alias: '#market:test.local' })
  homeserver.fault({
    path: /^\/directory/,
    times: 1,
    fault: { kind: 'bytes', body: JSON.stringify({ room_id: second, servers: [] }) },
  })
  await afterRefresh(5)
  await within('the second room', () => roomOf('market') === second)
})

it('[R10] a bad map is refused whole and the last good one stays; a shrunken one must be seen twice', async () => {
  const clock = createFakeClock()
  const four = Array.from({ length: 4 }, (_, number) => ({ slug: `room${number}`, matrix_room_id: createRoom() }))
  answer = four
  const source = follow({ clock, refreshEveryMs: 60_000 })
  await within('the map', () => maps.length === 1)
  const bad: readonly [unknown, string][] = [
    [new CityError('RoomDirectoryUnreadable', 'away'), 'away'],
    [[{ slug: 'Bad Slug', matrix_room_id: '!a' }], 'slug: expected'],
    [[...four, ...four], 'no other entry'],
    ['<html>', 'an array'],
    [[], 'at least one room'],
  ]
  for (const [given, text] of bad) {
    answer = given
    await turning(clock, text, () => source.status().directory.problem?.message.includes(text))
    expect(source.status().directory.rooms).toBe(4)
  }
  expect(source.status().directory.problem?.code).toBe('RoomDirectoryRefused')
  expect(maps).toHaveLength(1)
  answer = four.slice(0, 1)
  await turning(clock, 'the small map', () => maps.length === 2)
  expect(maps[1]).toHaveLength(1)
  await turning(clock, 'no problem', () => source.status().directory.problem === undefined)
})

it('[R10] a map that shrank is looked at again after ten seconds', async () => {
  const clock = createFakeClock()
  const four = Array.from({ length: 4 }, (_, number) => ({ slug: `room${number}`, matrix_room_id: createRoom() }))
  answer = four
  follow({ clock, refreshEveryMs: 60_000 })
  await within('the map', () => maps.length === 1)
  answer = four.slice(0, 1)
  const readsBefore = reads
  await turning(clock, 'the first look', () => reads === readsBefore + 1)
  const lookedMs = clock.monotonicMs()
  await turning(clock, 'the small map', () => maps.length === 2)
  expect(reads).toBe(readsBefore + 2)
  expect(clock.monotonicMs() - lookedMs).toBeLessThan(60_000)
})

it('[R10] without any map nothing is told, and the directory is asked again soon, ever more slowly', async () => {
  const clock = createFakeClock()
  answer = new CityError('RoomDirectoryUnreadable', 'away')
  const source = follow({ clock, random: () => 1 })
  await within('the first read', () => source.status().directory.problem !== undefined)
  for (let second = 0; second < 60; second++) await clock.advance(1_000)
  expect(reads).toBeGreaterThanOrEqual(5)
  expect(reads).toBeLessThanOrEqual(10)
  expect(maps).toEqual([])
  answer = [{ slug: 'market', matrix_room_id: createRoom() }]
  await clock.advance(30_000)
  await within('the map', () => maps.length === 1)
})

it('[R10] a city service that is away for a day costs no room, and is asked no oftener than at the end of each back-off', async () => {
  const clock = createFakeClock()
  const four = Array.from({ length: 4 }, (_, number) => ({ slug: `room${number}`, matrix_room_id: `!room${number}` }))
  answer = four
  const rooms = four.map(({ matrix_room_id: roomId }) => roomId)
  const client: RoomSourceOptions['client'] = {
    resolveAlias: () => Promise.reject(new Error('no alias is asked for')),
    joinedRooms: () => Promise.resolve(rooms),
    joinedMembers: () => Promise.resolve([]),
    join: () => Promise.reject(new Error('nothing is to be joined')),
  }
  const source = follow({ clock, client, auditEveryMs: 86_400_000 })
  await clock.advance(60_000)
  expect(maps).toHaveLength(1)
  answer = new CityError('RoomDirectoryUnreadable', 'away')
  const before = reads
  for (let minute = 0; minute < 24 * 60; minute++) await clock.advance(60_000)
  expect(maps).toHaveLength(1)
  expect(source.status().directory).toMatchObject({ rooms: 4, problem: { message: 'away' } })
  // The draw of 0 gives the shortest waits: 15 s at the end.
  expect(reads - before).toBeLessThanOrEqual((24 * 3_600) / 15 + 10)
  answer = four.slice(0, 3)
  await clock.advance(30_000)
  expect(maps.at(-1)).toHaveLength(3)
})

it('[R11] a room lost without a word is found at the next refresh, told once, and joined again after the news had time', async () => {
  const clock = createFakeClock()
  const roomId = createRoom({ members: [daemon.userId] })
  answer = [{ slug: 'market', matrix_room_id: roomId }]
  const source = follow({ clock, refreshEveryMs: 60_000, auditEveryMs: 1_000_000 })
  await within('the room', () => source.status().joins.joined === 1)
  // An audit that is under way would find the loss first.
  await within('the first audit', () => findings.length === 1)
  homeserver.script.kick(mayor, roomId, daemon.userId)
  // The look that follows a new map is one too.
  await clock.advance(10_000)
  await within('the loss', () => findings.some(({ kind }) => kind === 'lost'))
  expect(joins()).toEqual([])
  await clock.advance(2_000)
  await within('the room again', () => source.status().joins.joined === 1)
  expect(findings.filter(({ kind }) => kind === 'lost')).toEqual([{ kind: 'lost', roomId }])
})

it('[R12] members are audited one room after the other, each with the time of the question', async () => {
  const clock = createFakeClock()
  const rooms = [createRoom({ members: [daemon.userId] }), createRoom({ members: [daemon.userId, '@ada:test.local'] })]
  answer = rooms.map((roomId, number) => ({ slug: `room${number}`, matrix_room_id: roomId }))
  follow({ clock, auditEveryMs: 1_000 })
  await turning(clock, 'four audits', () => findings.length >= 4)
  const members = findings.flatMap((finding) => (finding.kind === 'members' ? [finding] : [])).slice(0, 4)
  expect(members.map(({ roomId }) => roomId)).toEqual([rooms[0], rooms[1], rooms[0], rooms[1]])
  expect([...(members[1]?.userIds ?? [])].sort()).toEqual(['@ada:test.local', mayor, daemon.userId].sort())
  expect((members[1]?.askedAt.monotonicMs ?? 0) - (members[0]?.askedAt.monotonicMs ?? 0)).toBeGreaterThanOrEqual(1_000)
})

it('[R15] lists that somebody waits for come first and without a pause, those of rooms off the map last', async () => {
  const clock = createFakeClock()
  const rooms = Array.from({ length: 5 }, () => createRoom({ members: [daemon.userId] }))
  answer = rooms.slice(0, 4).map((roomId, number) => ({ slug: `room${number}`, matrix_room_id: roomId }))
  homeserver.fault({
    path: new RegExp(`${encodeURIComponent(rooms[1] ?? '')}/joined_members`),
    times: 1,
    fault: { kind: 'html' },
  })
  const source = follow({ clock, auditEveryMs: 3_600_000 })
  await within('the map and the first audit', () => findings.length === 1)
  const askedMs = clock.monotonicMs()
  source.wantMembers([...rooms].reverse())
  const listed = () => findings.slice(1).flatMap((finding) => (finding.kind === 'members' ? [finding] : []))
  await within('two lists', () => listed().length === 2)
  expect(listed().map(({ roomId, askedAt }) => [roomId, askedAt.monotonicMs])).toEqual([
    [rooms[3], askedMs],
    [rooms[2], askedMs],
  ])
  // The one that failed is tried after the others, when the homeserver had time.
  await clock.advance(10_000)
  await within('the other three', () => listed().length >= 5)
  const firstFive = listed().slice(0, 5)
  expect(firstFive.map(({ roomId }) => roomId)).toEqual([rooms[3], rooms[2], rooms[0], rooms[1], rooms[4]])
})

it.each([true, false])(
  '[R15] a list that never comes (on the map: %s) leaves the audits of all others their turns',
  async (isMapped) => {
    const clock = createFakeClock()
    const rooms = Array.from({ length: 3 }, () => createRoom({ members: [daemon.userId] }))
    homeserver.fault({
      path: new RegExp(`${encodeURIComponent(rooms[2] ?? '')}/joined_members`),
      fault: { kind: 'html' },
    })
    const map = isMapped ? rooms : rooms.slice(0, 2)
    answer = map.map((roomId, number) => ({ slug: `room${number}`, matrix_room_id: roomId }))
    const source = follow({ clock, auditEveryMs: 1_000, refreshEveryMs: 3_600_000 })
    await within('the map and the first audit', () => findings.length >= 1)
    source.wantMembers(rooms)
    await turning(clock, 'lists of both, and then audits of both, again and again', () => findings.length >= 10)
    expect(new Set(findings.slice(-6).map(({ roomId }) => roomId))).toEqual(new Set(rooms.slice(0, 2)))
  },
)

it('[R15] joins do not wait for the list of a room off the map, and no audit comes before it', async () => {
  const clock = createFakeClock()
  const [elsewhere, known, fresh] = [0, 1, 2].map((number) =>
    createRoom(number < 2 ? { members: [daemon.userId] } : {}),
  )
  answer = [known, fresh].map((roomId, number) => ({ slug: `room${number}`, matrix_room_id: roomId }))
  const heal = homeserver.fault({ path: /^\/join\//, fault: { kind: 'reset' } })
  const source = follow({ clock, auditEveryMs: 1_000 })
  await within('the first audit', () => findings.length === 1)
  heal()
  source.wantMembers([elsewhere ?? ''])
  await within('the list', () => findings.length === 2)
  await clock.advance(10_000)
  await within('the join, and audits of both rooms of the map', () => findings.length >= 4)
  expect(findings.slice(0, 2).map(({ roomId }) => roomId)).toEqual([known, elsewhere])
  expect(new Set(findings.slice(2).map(({ roomId }) => roomId))).toEqual(new Set([known, fresh]))
})

it('[R15] a room whose list is waited for and that the daemon is not in is told as lost', async () => {
  const clock = createFakeClock()
  const [market, gone] = [createRoom({ members: [daemon.userId] }), createRoom()]
  answer = [{ slug: 'market', matrix_room_id: market }]
  const source = follow({ clock, auditEveryMs: 3_600_000, refreshEveryMs: 60_000 })
  await within('the map and the first audit', () => findings.length === 1)
  source.wantMembers([market, gone])
  await within('the list', () => findings.length === 2)
  await turning(clock, 'the loss', () => findings.length === 3)
  expect(findings.slice(1)).toMatchObject([
    { kind: 'members', roomId: market },
    { kind: 'lost', roomId: gone },
  ])
})

it('[R11] an audit that is refused finds the room lost', async () => {
  const clock = createFakeClock()
  const roomId = createRoom({ members: [daemon.userId] })
  answer = [{ slug: 'market', matrix_room_id: roomId }]
  follow({ clock, auditEveryMs: 1_000 })
  await within('the first audit', () => findings.length === 1)
  homeserver.script.ban(mayor, roomId, daemon.userId)
  await clock.advance(1_000)
  await within('the loss', () => findings.some(({ kind }) => kind === 'lost'))
})

it('[R16] a room that the homeserver keeps out of presence is found at the second look, and found well again', async () => {
  const clock = createFakeClock()
  const members = [daemon.userId, homeserver.account('ada').userId, homeserver.account('ben').userId]
  const [light, dark] = [createRoom({ members: [daemon.userId] }), createRoom({ members })]
  const map = [light, dark].map((roomId, index) => ({ slug: `room${index}`, matrix_room_id: roomId }))
  answer = map
  let blind = -1
  const source = follow({
    clock,
    auditEveryMs: 1_000,
    observer: { blind: (rooms) => (blind = rooms) },
    lookout: {
      daemonUserId: daemon.userId,
      presenceOf: (userId, signal) => daemon.client.presenceOf(userId, signal),
      of: (_, listed) => listed.filter((userId) => userId !== mayor),
      isBlind: (roomId) => told().findLast((one) => one.roomId === roomId)?.isBlind === true,
    },
  })
  const told = () => findings.flatMap((finding) => (finding.kind === 'blind' ? [finding] : []))
  const audits = () => findings.filter(({ kind }) => kind === 'members').length
  await turning(clock, 'four audits', () => audits() >= 4)
  expect(told()).toEqual([])
  homeserver.script.blind(dark, true)
  // Refused by who knows whom, in the place of the homeserver: that says nothing.
  const heal = homeserver.fault({ path: /^\/presence\/(@|%40)(ada|ben)/, fault: { kind: 'html', status: 403 } })
  const before = audits()
  await turning(clock, 'four more audits', () => audits() >= before + 4)
  heal()
  expect(told()).toEqual([])
  await turning(clock, 'the blindness', () => told().length > 0)
  await turning(clock, 'one blind room', () => blind === 1)
  // Off the map nobody is shown it, so it is none of the blind ones; back on it, it still is.
  for (const [rooms, count] of [
    [map.slice(0, 1), 0],
    [map, 1],
  ] as const) {
    answer = rooms
    source.refreshSoon()
    await turning(clock, `${count} blind rooms`, () => blind === count)
  }
  homeserver.script.blind(dark, false)
  await turning(clock, 'the end of it', () => blind === 0)
  expect(told().at(-1)).toEqual({ kind: 'blind', roomId: dark, isBlind: false })
  expect(told().slice(0, -1)).toEqual(
    told()
      .slice(0, -1)
      .map(() => ({ kind: 'blind', roomId: dark, isBlind: true })),
  )
})

it('[R9] whoever asks for a refresh gets it at once, but not oftener than every five seconds', async () => {
  const clock = createFakeClock()
  answer = [{ slug: 'market', matrix_room_id: createRoom() }]
  const source = follow({ clock })
  await within('the map', () => maps.length === 1)
  await clock.advance(5_000)
  for (let time = 0; time < 10; time++) {
    source.refreshSoon()
    await clock.advance(1_000)
  }
  expect(reads).toBeGreaterThanOrEqual(3)
  expect(reads).toBeLessThanOrEqual(4)
})

it('[R6] an error that nobody foresaw reaches whoever reads the map', async () => {
  const source = createRoomSource({
    client: daemon.client,
    directory: { watch: () => () => undefined, read: () => Promise.reject(new TypeError('a defect')) },
    log: silentLog,
  })
  await expect(source.updates(new AbortController().signal)[Symbol.asyncIterator]().next()).rejects.toThrow('a defect')
})
