// The Matrix edges on a real Synapse: what the city would be told, and how it comes back from a restart.
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { startCity, type City } from '@citypresence/stack/city-fixture'
import { stopAll } from '@citypresence/stack/stop-all'
import { until } from '@citypresence/stack/until'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import type { MappedRoom } from '../core/city-rooms.ts'
import type { Fact } from '../core/sync-facts.ts'
import { createDaemon, listen, silentLog, type Daemon, type Listener } from '../testing/matrix.ts'
import { createRoomSource, type Finding, type RoomSource } from './matrix-rooms.ts'
import type { MatrixSourceOptions } from './matrix-sync.ts'
import { probePresence } from './presence-probe.ts'

let city: City
let daemon: Daemon
const stops: (() => Promise<void>)[] = []

beforeAll(async () => {
  city = await startCity({ size: 'small', quiet: true })
  daemon = createDaemon({ url: city.url, ...city.daemon })
})
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})
afterAll(() => stopAll(daemon, city))

const deadline = { deadlineMs: 30_000 }
const within = (what: string, condition: () => unknown) => until(condition, { ...deadline, what })

async function follow(options: Partial<MatrixSourceOptions> = {}): Promise<Listener> {
  const listener = listen(daemon.source({ timeoutMs: 5_000, ...options }))
  stops.push(() => listener.stop())
  await within('the first batch', () => listener.heard.length > 0)
  return listener
}

const heard = (listener: Listener, what: string, isIt: (fact: Fact) => boolean) =>
  within(what, () => listener.facts().some(isIt))

/** A room of theirs that the daemon is in from the start: every one but the last. */
function observedRoomOf(localpart: string): string {
  const homes = city.residents.find((resident) => resident.localpart === localpart)?.rooms ?? []
  return city.roomOf(homes.find((slug) => slug !== city.rooms.at(-1)?.slug) ?? '').roomId
}

type Followed = { source: RoomSource; maps: (readonly MappedRoom[])[]; findings: Finding[] }

function followRooms(directory: () => unknown, refreshEveryMs = 300_000): Followed {
  const source = createRoomSource({
    client: daemon.client,
    directory: { read: () => Promise.resolve(directory()), watch: () => () => undefined },
    log: silentLog,
    refreshEveryMs,
    auditEveryMs: 50,
  })
  const abort = new AbortController()
  const followed: Followed = { source, maps: [], findings: [] }
  const take = async <T>(values: AsyncIterable<T>, into: T[]) => {
    for await (const value of values) into.push(value)
  }
  const ended = Promise.all([
    take(source.updates(abort.signal), followed.maps),
    take(source.findings(abort.signal), followed.findings),
  ])
  stops.push(async () => {
    abort.abort()
    await ended
  })
  return followed
}

it('[M51] the sync tells of presence, typing, messages, joins, leaves and kicks, and never of the daemon', async () => {
  const listener = await follow()
  const [ada, mayor] = [city.clientOf('ada'), city.clientOf('mayor')]
  const { roomId } = city.roomOf('market')
  await ada.setPresence('online')
  await heard(
    listener,
    'online',
    (fact) => fact.kind === 'presence' && fact.userId === ada.userId && fact.state === 'online',
  )
  await ada.typing(roomId, true)
  await heard(listener, 'typing', (fact) => fact.kind === 'typing' && fact.userIds.includes(ada.userId))
  await ada.send(roomId, 'words that stay at the homeserver')
  await heard(listener, 'activity', (fact) => fact.kind === 'activity' && fact.roomId === roomId)
  await ada.leave(roomId)
  await heard(listener, 'the leave', (fact) => fact.kind === 'left' && fact.userId === ada.userId)
  await ada.join(roomId)
  await heard(
    listener,
    'the join',
    (fact) => fact.kind === 'joined' && fact.userId === ada.userId && fact.originTs !== undefined,
  )
  await mayor.kick(roomId, ada.userId)
  const left = () => listener.facts().filter((fact) => fact.kind === 'left' && fact.userId === ada.userId)
  await within('the kick', () => left().length === 2)
  await ada.join(roomId)
  await ada.setPresence('offline')
  await heard(
    listener,
    'offline',
    (fact) => fact.kind === 'presence' && fact.userId === ada.userId && fact.state === 'offline',
  )
  expect(listener.facts().filter((fact) => 'userId' in fact && fact.userId === daemon.userId)).toEqual([])
  expect(JSON.stringify(listener.facts())).not.toContain('words that stay')
})

it('[M51] an initial sync is the whole truth: who left or went offline meanwhile is not in it', async () => {
  const [boris, chidi] = [city.clientOf('boris'), city.clientOf('chidi')]
  const roomId = observedRoomOf('boris')
  await boris.setPresence('online')
  await chidi.setPresence('online')
  const present = (listener: Listener) =>
    new Set(listener.heard[0]?.facts.flatMap((fact) => (fact.kind === 'presence' ? [fact.userId] : [])))
  // State first, then what the timeline says of it: both may be in an initial sync.
  const members = (listener: Listener) => {
    const there = new Set<string>()
    for (const fact of listener.heard[0]?.facts ?? [])
      if (fact.kind === 'joined' && fact.roomId === roomId) there.add(fact.userId)
      else if (fact.kind === 'left' && fact.roomId === roomId) there.delete(fact.userId)
    return there
  }
  const first = await follow()
  expect(first.heard[0]?.batch.initial).toBe(true)
  expect(present(first)).toContain(boris.userId)
  expect(members(first)).toContain(boris.userId)
  await first.stop()
  await boris.setPresence('offline')
  await boris.leave(roomId)
  // At once, which Synapse would answer from memory if the request were the same.
  const second = await follow()
  expect(present(second)).not.toContain(boris.userId)
  expect(present(second)).toContain(chidi.userId)
  expect(members(second)).not.toContain(boris.userId)
  await boris.join(roomId)
  await chidi.setPresence('offline')
})

it('[M51] a newcomer who is online is told with the join', async () => {
  const listener = await follow()
  const daria = city.clientOf('daria')
  const roomId = observedRoomOf('daria')
  await daria.leave(roomId)
  await daria.setPresence('online')
  await daria.join(roomId)
  await heard(
    listener,
    'her presence',
    (fact) => fact.kind === 'presence' && fact.userId === daria.userId && fact.state === 'online',
  )
  await heard(
    listener,
    'her join',
    (fact) => fact.kind === 'joined' && fact.userId === daria.userId && fact.roomId === roomId,
  )
  await daria.setPresence('offline')
})

it('[R13] the room that is missing is joined; the sync then tells of it whole', async () => {
  const listener = await follow()
  const missing = city.rooms.find(
    ({ roomId }) => !listener.facts().some((fact) => fact.kind === 'self-joined' && fact.roomId === roomId),
  )
  expect(missing).toBeDefined()
  const { source, findings } = followRooms(() => city.directory())
  await within('all rooms', () => source.status().joins.joined === city.rooms.length)
  await heard(listener, 'the room', (fact) => fact.kind === 'self-joined' && fact.roomId === missing?.roomId)
  const expected = await city.clientOf('mayor').joinedMembers(missing?.roomId ?? '')
  const others = expected.filter((userId) => userId !== daemon.userId).sort()
  await within('its members', () => {
    const told = listener
      .facts()
      .flatMap((fact) => (fact.kind === 'joined' && fact.roomId === missing?.roomId ? [fact.userId] : []))
    return [...new Set(told)].sort().join() === others.join()
  })
  await within('an audit of each room', () => {
    const audited = findings.flatMap((finding) => (finding.kind === 'members' ? [finding.roomId] : []))
    return city.rooms.every(({ roomId }) => audited.includes(roomId))
  })
  const audit = findings.find(({ kind, roomId }) => kind === 'members' && roomId === missing?.roomId)
  expect(audit?.kind === 'members' ? [...audit.userIds].sort() : []).toEqual(expected.sort())
})

it('[R13] an alias that is pointed at another room is followed there', async () => {
  const mayor = city.clientOf('mayor')
  const alias = `#moving:${city.serverName}`
  const [first, second] = [await mayor.createRoom({ name: 'first' }), await mayor.createRoom({ name: 'second' })]
  await mayor.setAlias(alias, first)
  const { source, maps } = followRooms(() => [{ slug: 'moving', matrix_room_alias: alias }], 200)
  await within('the first room', () => maps.at(-1)?.[0]?.roomId === first && source.status().joins.joined === 1)
  await mayor.deleteAlias(alias)
  await mayor.setAlias(alias, second)
  source.refreshSoon()
  await within('the second room', () => maps.at(-1)?.[0]?.roomId === second && source.status().joins.joined === 1)
  expect(await daemon.client.joinedRooms()).toContain(second)
})

it('[R13] an upgraded room is followed by its tombstone, and a kick is noticed and made good', async () => {
  const mayor = city.clientOf('mayor')
  const old = await mayor.createRoom({ name: 'old', roomVersion: '11' })
  const { source, maps } = followRooms(() => [{ slug: 'hall', matrix_room_id: old }], 1_000)
  const listener = await follow()
  await heard(listener, 'the old room', (fact) => fact.kind === 'self-joined' && fact.roomId === old)
  const replacement = await mayor.upgradeRoom(old, '12')
  await heard(listener, 'the tombstone', (fact) => fact.kind === 'tombstone' && fact.roomId === old)
  for (const fact of listener.facts())
    if (fact.kind === 'tombstone') source.tombstone(fact.roomId, fact.replacement, fact.viaServer)
  await within('the new room', () => maps.at(-1)?.[0]?.roomId === replacement && source.status().joins.joined === 1)
  await mayor.kick(replacement, daemon.userId)
  await heard(listener, 'the kick', (fact) => fact.kind === 'self-left' && fact.roomId === replacement)
  await within('the daemon again', async () => (await daemon.client.joinedRooms()).includes(replacement))
})

it('[M54] a first sync that is too large is asked for without members, and every later change still comes', async () => {
  let bytes = 0
  const whole = await follow({ observer: { answered: (answer) => (bytes = Math.max(bytes, answer.bytes)) } })
  const joinedIn = (listener: Listener, roomId: string) =>
    new Set(listener.facts().flatMap((fact) => (fact.kind === 'joined' && fact.roomId === roomId ? [fact.userId] : [])))
  const [boris, chidi] = [city.clientOf('boris'), city.clientOf('chidi')]
  const roomId = observedRoomOf('boris')
  const people = joinedIn(whole, roomId)
  await whole.stop()
  let tooLarge = 0
  const lazy = await follow({ initialBytesMax: bytes - 1, observer: { failed: () => (tooLarge += 1) } })
  expect(tooLarge).toBeGreaterThan(0)
  expect(lazy.heard[0]?.batch).toMatchObject({ initial: true, lazy: true })
  expect(joinedIn(lazy, roomId).size).toBeLessThan(people.size)
  const list = (await daemon.client.joinedMembers(roomId)).filter((userId) => userId !== daemon.userId)
  expect(list.sort()).toEqual([...people].sort())
  await boris.leave(roomId)
  await chidi.join(roomId)
  await heard(
    lazy,
    'the leave',
    (fact) => fact.kind === 'left' && fact.roomId === roomId && fact.userId === boris.userId,
  )
  await boris.join(roomId)
})

it('[M51] the probe tells whether presence works', async () => {
  expect(await probePresence(daemon.client, daemon.userId)).toEqual({ works: true })
})

it('[M51] a Synapse without presence, or with presence `untracked`, answers every request, and only the probe finds out', async () => {
  for (const enabled of [false, 'untracked']) {
    await city.synapse.restart({ extra: { presence: { enabled } } })
    expect(await probePresence(daemon.client, daemon.userId)).toEqual({ works: false })
  }
  await city.synapse.restart({ extra: {} })
  expect(await probePresence(daemon.client, daemon.userId)).toEqual({ works: true })
})

it('[M51] after a restart of Synapse the sync goes on from where it was, and says that typing is suspect', async () => {
  const listener = await follow()
  const ada = city.clientOf('ada')
  await city.synapse.kill()
  await city.synapse.restart()
  const before = listener.heard.length
  await ada.setPresence('online')
  await heard(
    listener,
    'the change after it',
    (fact) => fact.kind === 'presence' && fact.userId === ada.userId && fact.state === 'online',
  )
  expect(listener.heard.filter(({ batch }) => batch.initial)).toHaveLength(1)
  expect(listener.heard.slice(before).some(({ batch }) => batch.typingSuspect)).toBe(true)
})

it('[M52] a Synapse whose database was taken back is asked for everything', async () => {
  const [database, backup] = ['hs.db', 'backup.db'].map((name) => join(city.synapse.folder, name)) as [string, string]
  const ada = city.clientOf('ada')
  const { roomId } = city.roomOf('market')
  await city.synapse.end()
  copyFileSync(database, backup)
  await city.synapse.restart()
  const listener = await follow()
  await ada.setPresence('online')
  await ada.leave(roomId)
  const changes = () => listener.heard.flatMap(({ batch, facts }) => (batch.initial ? [] : facts))
  await within('the leave', () => changes().some((fact) => fact.kind === 'left' && fact.userId === ada.userId))
  expect(listener.heard.filter(({ batch }) => batch.initial)).toHaveLength(1)
  await city.synapse.end()
  copyFileSync(backup, database)
  await city.synapse.restart()
  await within('everything anew', () => listener.heard.filter(({ batch }) => batch.initial).length === 2)
  const anew = listener.heard.findLast(({ batch }) => batch.initial)
  expect(anew?.facts).toContainEqual(expect.objectContaining({ kind: 'joined', roomId, userId: ada.userId }))
})
