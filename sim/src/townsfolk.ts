// The people of a city under trouble: acts on the homeserver double, and beside each act the truth that follows from it, counted
// by hand. It shares no code with the aggregator on purpose.
import type { Homeserver } from './homeserver.ts'
import type { Recorder } from '@citypresence/checker/recorder'

export type Townsfolk = {
  readonly daemon: { readonly userId: string; readonly accessToken: string }
  /** The map, as the city service answers it. */
  directory(): { slug: string; matrix_room_id: string }[]
  readonly people: readonly string[]
  readonly slugs: readonly string[]
  roomIdOf(slug: string): string
  membersOf(slug: string): readonly string[]
  online(person: string): void
  offline(person: string): void
  typing(person: string, slug: string, isTyping: boolean): void
  join(person: string, slug: string): void
  leave(person: string, slug: string): void
  /** Takes the room off the map; the city service has to be told by whoever owns it. */
  strike(slug: string): void
  /** The room of this slug is gone (`ruin` does it) and another one with the same people takes its place on the map. */
  rebuild(slug: string, ruin: () => void): void
  /** The room of this slug is replaced by another one as Matrix does it, and its people go over one by one. */
  upgrade(slug: string): void
  /** Says of everybody who is online once more that it is so: after a homeserver that had forgotten. */
  showUp(): void
  /** Everybody who types stops, and says so. */
  fallSilent(): void
  /** In every room where somebody lives one person comes or goes: whoever shows the truth afterwards has heard of it. */
  stir(): void
  /** What a restart of the homeserver does to typing: it ends without a word. */
  everybodyStopsTyping(): void
  /** The truth now. */
  truth(): ReadonlyMap<string, RoomTruth>
  /** One random act of an ordinary day; `pick(n)` gives 0 to n - 1. */
  actAtRandom(pick: (count: number) => number): void
}

export type RoomTruth = { readonly online: number; readonly typing: number; readonly members: number }

type Room = { readonly roomId: string; readonly members: Set<string>; readonly typing: Set<string> }

export type TownOptions = { readonly rooms: number; readonly people: number; readonly roomsEach: number }

export function settle(
  homeserver: Pick<Homeserver, 'account' | 'script'>,
  recorder: Recorder,
  size: TownOptions,
): Townsfolk {
  const daemon = homeserver.account('presence_daemon')
  const people = Array.from({ length: size.people }, (_, index) => homeserver.account(`p${index}`).userId)
  const rooms = new Map<string, Room>()
  const present = new Set<string>()
  for (let index = 0; index < size.rooms; index++) {
    const members = people.filter(
      (_, person) => (index - person + size.rooms * size.people) % size.rooms < size.roomsEach,
    )
    const roomId = homeserver.script.createRoom({ members: [daemon.userId, ...members], isPublic: true })
    rooms.set(`room-${index}`, { roomId, members: new Set(members), typing: new Set() })
  }
  const told = new Map<string, string>()
  const count = ({ members, typing }: Room): RoomTruth => ({
    online: [...members].filter((one) => present.has(one)).length,
    typing: [...typing].filter((one) => members.has(one)).length,
    members: members.size,
  })
  const tell = (): void => {
    for (const [slug, room] of rooms) {
      const truth = count(room)
      const text = JSON.stringify(truth)
      if (told.get(slug) === text) continue
      told.set(slug, text)
      recorder.note({ kind: 'truth', slug, ...truth })
    }
  }
  const roomOf = (slug: string): Room => {
    const room = rooms.get(slug)
    if (room === undefined) throw new Error(`no room ${slug} in this town`)
    return room
  }
  // The truth is noted before the act is done: an answer that holds the act can leave in the same turn.
  const doing = (change: () => void, act: () => void): void => {
    change()
    tell()
    act()
  }
  const setOf = (has: boolean, set: Set<string>, one: string): void => {
    if (has) set.add(one)
    else set.delete(one)
  }
  const town: Townsfolk = {
    daemon,
    people,
    get slugs() {
      return [...rooms.keys()]
    },
    directory: () => [...rooms].map(([slug, { roomId }]) => ({ slug, matrix_room_id: roomId })),
    roomIdOf: (slug) => roomOf(slug).roomId,
    membersOf: (slug) => [...roomOf(slug).members],
    online: (person) =>
      doing(
        () => present.add(person),
        () => homeserver.script.presence(person, 'online'),
      ),
    offline: (person) =>
      doing(
        () => present.delete(person),
        () => homeserver.script.presence(person, 'offline'),
      ),
    typing: (person, slug, isTyping) =>
      doing(
        () => setOf(isTyping, roomOf(slug).typing, person),
        () => homeserver.script.typing(person, roomOf(slug).roomId, isTyping),
      ),
    join: (person, slug) =>
      doing(
        () => roomOf(slug).members.add(person),
        () => homeserver.script.join(person, roomOf(slug).roomId),
      ),
    leave: (person, slug) =>
      doing(
        () => (roomOf(slug).members.delete(person), roomOf(slug).typing.delete(person)),
        () => homeserver.script.leave(person, roomOf(slug).roomId),
      ),
    strike(slug) {
      rooms.delete(slug)
      recorder.note({ kind: 'truth-removed', slug })
    },
    rebuild(slug, ruin) {
      const { members } = roomOf(slug)
      ruin()
      const roomId = homeserver.script.createRoom({ members: [...members], isPublic: true })
      rooms.set(slug, { roomId, members, typing: new Set() })
      tell()
    },
    upgrade(slug) {
      const { roomId: old, members } = roomOf(slug)
      const roomId = homeserver.script.upgrade(old, daemon.userId.replace(/^@[^:]*/, '@mayor'))
      rooms.set(slug, { roomId, members: new Set(), typing: new Set() })
      tell()
      for (const person of members) town.join(person, slug)
    },
    showUp() {
      for (const person of present) homeserver.script.presence(person, 'online')
    },
    fallSilent() {
      for (const [slug, { typing }] of rooms) for (const person of [...typing]) town.typing(person, slug, false)
    },
    stir() {
      const stirred = new Set<string>()
      for (const { members } of rooms.values()) {
        const [person] = members
        if (person === undefined || [...members].some((one) => stirred.has(one))) continue
        stirred.add(person)
        if (present.has(person)) town.offline(person)
        else town.online(person)
      }
    },
    everybodyStopsTyping() {
      for (const { typing } of rooms.values()) typing.clear()
      tell()
    },
    truth: () => new Map([...rooms].map(([slug, room]) => [slug, count(room)])),
    actAtRandom: (pick) => actAtRandom(town, pick, { present, rooms }),
  }
  tell()
  return town
}

type Inside = { readonly present: ReadonlySet<string>; readonly rooms: ReadonlyMap<string, Room> }

function actAtRandom(town: Townsfolk, pick: (count: number) => number, { present, rooms }: Inside): void {
  const person = town.people[pick(town.people.length)]
  const slug = town.slugs[pick(town.slugs.length)]
  if (person === undefined || slug === undefined) return
  const room = rooms.get(slug)
  const kind = pick(10)
  if (kind < 6 || room === undefined) {
    if (present.has(person)) town.offline(person)
    else town.online(person)
  } else if (!room.members.has(person)) town.join(person, slug)
  else if (kind < 9) town.typing(person, slug, !room.typing.has(person))
  else if (room.members.size > 1) town.leave(person, slug)
}
