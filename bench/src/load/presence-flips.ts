// People who come and go, as answers of /sync, through one way of counting; a process of its own, so that its memory is its own.
//
//   node presence-flips.ts <way> <people> <rooms> <rooms of each> <events an answer> <answers> <runs>     one line of JSON with nanoseconds an event
//
//   ours      the aggregator's own: bytes -> facts -> city -> which rooms changed
//   maps      what one would write first: a Set of rooms for each person, a count for each room, both Maps of strings
//   recount   the first description taken at its word: for each room of who changed, all members are looked at again
//   parse     JSON.parse of the same bytes and nothing else
import {
  createCity,
  finishReplacement,
  learn,
  learnInto,
  mapRooms,
  presenceProbed,
  startReplacement,
  syncSucceeded,
  takeChanged,
} from '@citypresence/aggregator/core/city'
import type { Fact } from '@citypresence/aggregator/core/sync-facts'
import { readAnswer } from '@citypresence/aggregator/edge/sync-answer'
import { isRoomSlug } from '@citypresence/wire/subjects'

const [way = '', ...sizes] = process.argv.slice(2)
const [people = 0, rooms = 0, roomsOfEach = 0, eventsPerAnswer = 0, answers = 0, runs = 0] = sizes.map(Number)
const daemonUserId = '@presence_daemon:bench'

const userId = (person: number): string => `@resident_${person}:bench`
const roomId = (room: number): string => `!room_${room}:bench`
/** The rooms of one person: the first has everybody where there is one for all. */
const roomsOf = (person: number): number[] =>
  Array.from({ length: roomsOfEach }, (_, place) => (person * 7 + place * 31) % rooms)

const lineOf = (person: number, isOnline: boolean): string =>
  `{"type":"m.presence","sender":"${userId(person)}","content":{"presence":"${isOnline ? 'online' : 'offline'}"}}`

// Everybody is offline at first; each event turns one person round, in an order that looks like chance and is none.
const isOnline = new Uint8Array(people)
let next = 1
function answerBytes(number: number): Uint8Array {
  const lines: string[] = []
  for (let event = 0; event < eventsPerAnswer; event++) {
    next = (next * 48_271) % 2_147_483_647
    const person = next % people
    isOnline[person] = isOnline[person] === 1 ? 0 : 1
    lines.push(lineOf(person, isOnline[person] === 1))
  }
  return Buffer.from(`{"next_batch":"s${number}","presence":{"events":[${lines.join(',')}]}}`)
}

type Counter = (body: Uint8Array) => Promise<number> | number

const ways: Readonly<Record<string, () => Counter>> = {
  ours: () => {
    const city = createCity({
      daemonUserId,
      homeServer: 'bench',
      activeWindowMs: 300_000,
      offlineGraceMs: 0,
      staleAfterMs: 90_000,
      typingMaxMs: 130_000,
      outsidersMax: 100_000,
      userEvents: false,
      remoteUsers: false,
    })
    const moment = () => ({ wallMs: Date.now(), monotonicMs: performance.now() })
    const slugs = Array.from({ length: rooms }, (_, room) => `room${room}`).filter(isRoomSlug)
    mapRooms(
      city,
      slugs.map((slug, room) => ({ slug, roomId: roomId(room), alias: null })),
      moment(),
    )
    const replacement = startReplacement(city)
    const at = moment()
    learnInto(
      replacement,
      Array.from({ length: rooms }, (_, room): Fact => ({ kind: 'self-joined', roomId: roomId(room) })),
      at,
    )
    for (let person = 0; person < people; person++)
      learnInto(
        replacement,
        roomsOf(person).map((room): Fact => ({ kind: 'joined', roomId: roomId(room), userId: userId(person) })),
        at,
      )
    finishReplacement(city, replacement, at)
    // A city in which everybody is offline is not believed until a probe has worked.
    presenceProbed(city, true, moment())
    takeChanged(city)
    return async (body) => {
      const received = moment()
      for await (const facts of readAnswer(body, { daemonUserId }).slices) learn(city, facts, received)
      syncSucceeded(city, received)
      return takeChanged(city).size
    }
  },
  maps: () => {
    const [of, count, online] = [new Map<string, Set<string>>(), new Map<string, number>(), new Set<string>()]
    for (let person = 0; person < people; person++) of.set(userId(person), new Set(roomsOf(person).map(roomId)))
    return (body) => {
      const changed = new Set<string>()
      for (const { sender, content } of eventsIn(body)) {
        const isNow = content.presence === 'online'
        if (online.has(sender) === isNow) continue
        if (isNow) online.add(sender)
        else online.delete(sender)
        for (const room of of.get(sender) ?? []) {
          count.set(room, (count.get(room) ?? 0) + (isNow ? 1 : -1))
          changed.add(room)
        }
      }
      return changed.size
    }
  },
  recount: () => {
    const [of, members] = [new Map<string, string[]>(), new Map<string, string[]>()]
    for (let person = 0; person < people; person++) {
      const own = roomsOf(person).map(roomId)
      of.set(userId(person), own)
      for (const room of own) {
        const list = members.get(room)
        if (list === undefined) members.set(room, [userId(person)])
        else list.push(userId(person))
      }
    }
    const [presence, shown] = [new Map<string, string>(), new Map<string, number>()]
    return (body) => {
      let changed = 0
      for (const { sender, content } of eventsIn(body)) {
        presence.set(sender, content.presence)
        for (const room of of.get(sender) ?? []) {
          let online = 0
          for (const member of members.get(room) ?? []) if (presence.get(member) === 'online') online++
          if (shown.get(room) !== online) changed++
          shown.set(room, online)
        }
      }
      return changed
    }
  },
  parse: () => (body) => eventsIn(body).length,
}

type PresenceEvent = { readonly sender: string; readonly content: { readonly presence: string } }
const eventsIn = (body: Uint8Array): readonly PresenceEvent[] =>
  (JSON.parse(Buffer.from(body).toString()) as { presence: { events: PresenceEvent[] } }).presence.events

const start = ways[way]
if (start === undefined) throw new Error(`${way} is none of ${Object.keys(ways).join(', ')}`)
const count = start()
const nanos: number[] = []
let changed = 0
for (let run = 0; run <= runs; run++) {
  const bodies = Array.from({ length: answers }, (_, number) => answerBytes(number))
  const { user, system } = process.cpuUsage()
  for (const body of bodies) changed += await count(body)
  const used = process.cpuUsage()
  // The first warms up.
  if (run > 0) nanos.push(((used.user - user + used.system - system) * 1_000) / (answers * eventsPerAnswer))
}
process.stdout.write(`${JSON.stringify({ nanos, changed, rss: process.memoryUsage.rss() })}\n`)
process.exit(0)
