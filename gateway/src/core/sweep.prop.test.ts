// All readers under every order of changes, joins, lag and sweeps; beside it a twin that only knows what is true now.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { decodeJson } from '@citypresence/wire/decode'
import { clientMessage, type RoomView } from '@citypresence/wire/client-messages'
import { pingOpcode, readFrames } from '../testing/read-frames.ts'
import { createCity, forgetBefore, joinBytes, learnRooms, markOf, setStatus, type City } from './city.ts'
import type { Client, Outlet } from './client.ts'
import { pongId } from './frames.ts'
import { createReader, notePong } from './reader.ts'
import { beginSweep, catchUpIfDrained, createSweeper, heardByAll, sweepSome } from './sweep.ts'

/** A browser: it shows what it was sent, and notices an old value, a repeated one, and anything sent while it does not read. */
class Browser implements Outlet {
  readonly rooms = new Map<string, RoomView>()
  readonly seen = new Map<string, number>()
  readonly pings: number[] = []
  stale: boolean | undefined
  isBlocked = false
  snapshots = 0

  get pendingBytes(): number {
    return this.isBlocked ? 1 : 0
  }

  send(bytes: Buffer): void {
    expect(this.isBlocked).toBe(false)
    for (const { opcode, payload } of readFrames(bytes)) {
      if (opcode === pingOpcode) this.pings.push(pongId(payload))
      else this.hear(payload.toString())
    }
  }

  hear(text: string): void {
    const decoded = decodeJson(clientMessage, text)
    if (!decoded.ok) throw new Error(text)
    const message = decoded.value
    if (message.type === 'status') this.stale = message.stale
    else if (message.type === 'snapshot') {
      this.snapshots++
      for (const room of message.rooms) this.show(room)
    } else this.show(message)
  }

  /** typing_count carries the version here. */
  show({ room_slug, online_count, typing_count, removed }: RoomView): void {
    expect(typing_count).toBeGreaterThan(this.seen.get(room_slug) ?? 0)
    this.seen.set(room_slug, typing_count)
    if (removed === true) this.rooms.delete(room_slug)
    else this.rooms.set(room_slug, { room_slug, online_count, typing_count })
  }

  close(): void {
    throw new Error('nobody asked for that')
  }
}

type Seat = { readonly client: Client; readonly browser: Browser }

function createHall(city: City) {
  const sweeper = createSweeper(city)
  const clients = new Set<Client>()
  const seats: Seat[] = []
  return {
    sweeper,
    clients,
    seats,
    join(nowMs: number) {
      const browser = new Browser()
      const reader = createReader(markOf(city), seats.length, nowMs)
      const client: Client = { outlet: browser, session: { kind: 'live', reader, expiresAtMs: Infinity } }
      browser.send(joinBytes(city))
      clients.add(client)
      seats.push({ client, browser })
    },
  }
}

function answerPings({ client, browser }: Seat, nowMs: number): void {
  const { session } = client
  for (const id of browser.pings.splice(0)) if (session.kind === 'live') notePong(session.reader, id, nowMs)
}

const act = fc.record({
  kind: fc.constantFrom(
    'room',
    'room',
    'remove',
    'status',
    'join',
    'leave',
    'block',
    'unblock',
    'pong',
    'wait',
    'begin',
    'some',
    'some',
    'tick',
  ),
  who: fc.nat(5),
  amount: fc.nat(3_000),
})

it('[G13] however readers come, lag, drain and go: nothing old, nothing twice, nothing while they do not read, and in the end all', () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 200, size: 'max' }), (script) => {
      const city = createCity()
      const truth = new Map<string, RoomView>()
      const hall = createHall(city)
      const { sweeper, clients, seats } = hall
      let nowMs = 0
      let version = 0
      const put = (slug: string, removed: boolean) => {
        version++
        const view = { room_slug: slug, online_count: removed ? 0 : version % 3, typing_count: version }
        if (removed) truth.delete(slug)
        else truth.set(slug, view)
        learnRooms(city, [removed ? { ...view, removed: true } : view])
      }
      const catchUpAll = () => {
        for (const client of sweeper.behind) catchUpIfDrained(sweeper, client, nowMs)
      }
      for (const { kind, who, amount } of script) {
        const seat = seats[who]
        if (kind === 'room') put(`room-${who}`, false)
        else if (kind === 'remove') put(`room-${who}`, true)
        else if (kind === 'status') setStatus(city, { stale: amount % 2 === 0 })
        else if (kind === 'join') hall.join(nowMs)
        else if (kind === 'wait') nowMs += amount
        else if (kind === 'begin') beginSweep(sweeper, clients, nowMs)
        else if (kind === 'some') sweepSome(sweeper, 1 + (amount % 3), nowMs)
        else if (kind === 'tick') {
          catchUpAll()
          forgetBefore(city, heardByAll(sweeper, clients))
        } else if (seat === undefined) continue
        else if (kind === 'leave') {
          clients.delete(seat.client)
          sweeper.behind.delete(seat.client)
        } else if (kind === 'block') seat.browser.isBlocked = true
        else if (kind === 'unblock') seat.browser.isBlocked = false
        else answerPings(seat, nowMs)
      }
      // Quiet: all read again, and what is due is done.
      for (const seat of seats) seat.browser.isBlocked = false
      for (let turn = 0; turn < 3; turn++) {
        for (const seat of seats) answerPings(seat, nowMs)
        beginSweep(sweeper, clients, nowMs)
        while (!sweepSome(sweeper, 1, nowMs));
        catchUpAll()
      }
      for (const { client, browser } of seats) {
        expect(browser.snapshots).toBe(1)
        if (!clients.has(client)) continue
        expect([...browser.rooms].sort()).toEqual([...truth].sort())
        expect(browser.stale).toBe(city.status.stale)
      }
      expect(sweeper.behind.size).toBe(0)
    }),
    { numRuns: 400 },
  )
})

const view = (slug: string, online: number, version: number) => ({
  room_slug: slug,
  online_count: online,
  typing_count: version,
})

it('[G18] while a sweep runs changes gather, and the next one carries only the newest of each room', () => {
  const city = createCity()
  const hall = createHall(city)
  const { sweeper, clients, seats } = hall
  for (let count = 0; count < 3; count++) hall.join(0)
  learnRooms(city, [view('a', 1, 1)])
  expect(beginSweep(sweeper, clients, 0)).toBe(true)
  expect(sweepSome(sweeper, 1, 0)).toBe(false)
  for (let version = 2; version < 50; version++) learnRooms(city, [view('a', version, version)])
  expect(beginSweep(sweeper, clients, 0)).toBe(false)
  expect(sweepSome(sweeper, 500, 0)).toBe(true)
  expect(seats.map(({ browser }) => browser.seen.get('a'))).toEqual([1, 1, 1])
  expect(beginSweep(sweeper, clients, 0)).toBe(true)
  expect(sweepSome(sweeper, 500, 0)).toBe(true)
  expect(seats.map(({ browser }) => browser.seen.get('a'))).toEqual([49, 49, 49])
  expect(sweeper.totals).toMatchObject({ writes: 6, frames: 6 })
})

it('[G14] a ping rides in a flush at most once a second, and never to one who still owes a pong', () => {
  const city = createCity()
  const hall = createHall(city)
  const { sweeper, clients, seats } = hall
  hall.join(0)
  hall.join(0)
  const [quick, slow] = seats
  let version = 0
  for (let nowMs = 0; nowMs < 1_900; nowMs += 100) {
    learnRooms(city, [view('a', 1, ++version)])
    beginSweep(sweeper, clients, nowMs)
    sweepSome(sweeper, 500, nowMs)
    if (quick !== undefined) answerPings(quick, nowMs)
  }
  expect(sweeper.pingId).toBe(2)
  expect(slow?.browser.pings).toEqual([1])
})

it('[G13] an expired reader gets not one byte more', () => {
  const city = createCity()
  const hall = createHall(city)
  const { sweeper, clients, seats } = hall
  hall.join(0)
  const [seat] = seats
  if (seat?.client.session.kind !== 'live') throw new Error('not live')
  seat.client.session = { ...seat.client.session, expiresAtMs: 100 }
  learnRooms(city, [view('a', 1, 1)])
  beginSweep(sweeper, clients, 100)
  sweepSome(sweeper, 10, 100)
  expect(seat.browser.seen.size).toBe(0)
  sweeper.behind.add(seat.client)
  expect(catchUpIfDrained(sweeper, seat.client, 100)).toBe(false)
  expect(seat.browser.seen.size).toBe(0)
})

it('[G13] those who fell behind together share the bytes of their catch-up', () => {
  const city = createCity()
  const hall = createHall(city)
  const { sweeper, clients, seats } = hall
  const sent: Buffer[] = []
  for (let count = 0; count < 3; count++) hall.join(0)
  for (const { browser } of seats) browser.isBlocked = true
  learnRooms(city, [view('a', 1, 1)])
  beginSweep(sweeper, clients, 0)
  sweepSome(sweeper, 10, 0)
  learnRooms(city, [view('b', 1, 2)])
  for (const { browser, client } of seats) {
    browser.isBlocked = false
    browser.send = (bytes) => void sent.push(bytes)
    expect(catchUpIfDrained(sweeper, client, 0)).toBe(true)
  }
  expect(new Set(sent).size).toBe(1)
  expect(sent.length).toBe(3)
  expect(sweeper.totals).toMatchObject({ waits: 3, catchUps: 3 })
})

it('[G13] catch-ups that are kept for others are bounded: more readers at marks of their own each get theirs all the same', () => {
  const city = createCity()
  const hall = createHall(city)
  const { sweeper, clients, seats } = hall
  const readers = 100
  for (let index = 0; index < readers; index++) {
    learnRooms(city, [view('a', index, index + 1)])
    hall.join(0)
  }
  for (const { browser } of seats) browser.isBlocked = true
  learnRooms(city, [view('b', 7, 1)])
  beginSweep(sweeper, clients, 0)
  sweepSome(sweeper, readers, 0)
  for (const { browser, client } of seats) {
    browser.isBlocked = false
    expect(catchUpIfDrained(sweeper, client, 0)).toBe(true)
    expect(browser.rooms.get('b')?.online_count).toBe(7)
    expect(browser.rooms.get('a')?.online_count).toBe(readers - 1)
  }
  expect(sweeper.totals.catchUps).toBe(readers)
  expect(sweeper.catchUps.size).toBe(64)
})
