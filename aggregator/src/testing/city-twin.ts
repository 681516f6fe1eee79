// The dumb twin of the city: plain lists of people and rooms, everything recounted each time, nothing clever. It says what the
// city has to show; nobody would ship it.
import type { CityOptions, MappedRoom } from '../core/city.ts'
import type { Moment } from '../core/moment.ts'
import type { Fact, PresenceWord } from '../core/sync-facts.ts'

type Person = { told: PresenceWord; shown: PresenceWord; leavesAtMs?: number }
type Room = { members: Set<string>; typing: readonly string[]; typedMs: number; lastTs: number; activeUntilMs: number }
type World = { people: Map<string, Person>; strangers: Map<string, PresenceWord>; rooms: Map<string, Room> }
export type TwinView = {
  online: number
  typing: string[]
  active: boolean
  lastTs: number
  roomId: string
  stale: boolean
}
type Slug = { roomId: string; frozen?: TwinView }

const emptyWorld = (): World => ({ people: new Map(), strangers: new Map(), rooms: new Map() })

export class CityTwin {
  readonly options: CityOptions
  world = emptyWorld()
  slugs = new Map<string, Slug>()
  /** Rooms that were counted since they are followed, with what they last showed. */
  counted = new Map<string, TwinView>()
  held = false
  works = false
  now = 0

  constructor(options: CityOptions) {
    this.options = options
  }

  respond(facts: readonly Fact[], at: Moment): void {
    this.now = at.monotonicMs
    for (const fact of facts) this.#apply(this.world, fact, at, undefined)
    this.#forgetRoomless(this.world)
    const shown = [...this.world.people.values()].filter((p) => p.shown !== 'offline' && p.leavesAtMs === undefined)
    const gone = shown.filter(({ told }) => told === 'offline')
    if (shown.length >= 20 && gone.length * 10 >= shown.length * 9) this.held = true
    this.#settle()
    this.#look()
  }

  replace(facts: readonly Fact[], at: Moment): void {
    this.now = at.monotonicMs
    const fresh = emptyWorld()
    for (const fact of facts) this.#apply(fresh, fact, at, this.world)
    this.#forgetRoomless(fresh)
    if (this.#emptied(fresh)) this.held = true
    for (const [userId, person] of fresh.people) {
      const before = this.world.people.get(userId)
      person.shown = before?.shown ?? 'offline'
      if (before?.leavesAtMs !== undefined && (this.held || person.told === 'offline'))
        person.leavesAtMs = before.leavesAtMs
    }
    for (const [roomId, room] of fresh.rooms) {
      const before = this.world.rooms.get(roomId)
      room.lastTs = Math.max(room.lastTs, before?.lastTs ?? 0)
      room.activeUntilMs = Math.max(room.activeUntilMs, before?.activeUntilMs ?? 0)
    }
    this.world = fresh
    this.#settle()
    this.#look()
  }

  audit(roomId: string, userIds: readonly string[], at: Moment): void {
    this.now = at.monotonicMs
    const room = this.world.rooms.get(roomId)
    if (room === undefined) return
    room.members = new Set(userIds.filter((userId) => userId !== this.options.daemonUserId))
    for (const userId of room.members) this.#meet(this.world, userId)
    this.#forgetRoomless(this.world)
    this.#settle()
    this.#look()
  }

  map(rooms: readonly MappedRoom[], at: Moment): void {
    this.now = at.monotonicMs
    const before = this.slugs
    this.slugs = new Map()
    for (const { slug, roomId } of rooms) {
      const old = before.get(slug)
      const last = old === undefined ? undefined : (this.counted.get(old.roomId) ?? old.frozen)
      const frozen = this.counted.has(roomId) ? undefined : last && { ...last, stale: true }
      this.slugs.set(slug, { roomId, ...(frozen && { frozen }) })
    }
  }

  probe(works: boolean, at: Moment): void {
    this.now = at.monotonicMs
    this.held = !works
    if (works) this.works = true
    else this.works = false
    this.#settle()
    this.#look()
  }

  clearTyping(at: Moment): void {
    this.now = at.monotonicMs
    for (const room of this.world.rooms.values()) room.typing = []
    this.#look()
  }

  advance(at: Moment): void {
    this.now = at.monotonicMs
    for (const person of this.world.people.values())
      if (person.leavesAtMs !== undefined && person.leavesAtMs <= this.now) {
        delete person.leavesAtMs
        if (person.told === 'offline') person.shown = 'offline'
      }
    this.#look()
  }

  valueOf(slug: string): TwinView | 'unobserved' | 'removed' {
    const entry = this.slugs.get(slug)
    if (entry === undefined) return 'removed'
    return this.counted.get(entry.roomId) ?? entry.frozen ?? 'unobserved'
  }

  #apply(world: World, fact: Fact, at: Moment, former: World | undefined): void {
    if ('userId' in fact && fact.userId === this.options.daemonUserId) return
    if (fact.kind === 'presence') {
      const person = world.people.get(fact.userId)
      if (person !== undefined) person.told = fact.state
      else world.strangers.set(fact.userId, fact.state)
    } else if (fact.kind === 'self-joined') {
      const fresh = { members: new Set<string>(), typing: [], typedMs: 0, lastTs: 0, activeUntilMs: 0 }
      if (!world.rooms.has(fact.roomId)) world.rooms.set(fact.roomId, fresh)
    } else if (fact.kind === 'self-left') world.rooms.delete(fact.roomId)
    else {
      const room = world.rooms.get(fact.roomId)
      if (room !== undefined) this.#applyIn(world, room, fact, at, former)
    }
  }

  #applyIn(world: World, room: Room, fact: Fact & { roomId: string }, at: Moment, former: World | undefined): void {
    if (fact.kind === 'left') room.members.delete(fact.userId)
    if (fact.kind === 'activity') this.#note(room, fact.originTs ?? at.wallMs, at)
    if (fact.kind === 'typing') {
      room.typing = fact.userIds
      room.typedMs = at.monotonicMs
    }
    if (fact.kind !== 'joined') return
    const isNew = !room.members.has(fact.userId)
    room.members.add(fact.userId)
    this.#meet(world, fact.userId)
    const wasThere = former?.rooms.get(fact.roomId)?.members.has(fact.userId) ?? false
    if (isNew && !wasThere && fact.originTs !== undefined) this.#note(room, fact.originTs, at)
  }

  #note(room: Room, originTs: number, at: Moment): void {
    const ts = Math.min(originTs, at.wallMs)
    room.lastTs = Math.max(room.lastTs, ts)
    room.activeUntilMs = Math.max(room.activeUntilMs, at.monotonicMs + this.options.activeWindowMs - (at.wallMs - ts))
  }

  #meet(world: World, userId: string): void {
    if (world.people.has(userId)) return
    world.people.set(userId, { told: world.strangers.get(userId) ?? 'offline', shown: 'offline' })
    world.strangers.delete(userId)
  }

  #forgetRoomless(world: World): void {
    const seen = new Set([...world.rooms.values()].flatMap(({ members }) => [...members]))
    for (const userId of world.people.keys()) if (!seen.has(userId)) world.people.delete(userId)
  }

  #emptied(fresh: World): boolean {
    const before = [...this.world.people].filter(
      ([userId, p]) => fresh.people.has(userId) && p.shown !== 'offline' && p.leavesAtMs === undefined,
    )
    const gone = before.filter(([userId]) => fresh.people.get(userId)?.told === 'offline')
    if (before.length >= 20 && gone.length * 10 >= before.length * 9) return true
    const nobody = [...fresh.people.values()].every(({ told }) => told === 'offline')
    return nobody && (before.length > 0 || (fresh.people.size > 0 && !this.works))
  }

  #settle(): void {
    if (this.held) return
    for (const person of this.world.people.values())
      if (person.told === 'offline' && person.shown !== 'offline' && this.options.offlineGraceMs > 0)
        person.leavesAtMs ??= this.now + this.options.offlineGraceMs
      else {
        person.shown = person.told
        delete person.leavesAtMs
      }
  }

  #look(): void {
    for (const [roomId, view] of this.counted) {
      if (this.world.rooms.has(roomId)) continue
      this.counted.delete(roomId)
      for (const slug of this.slugs.values()) if (slug.roomId === roomId) slug.frozen = { ...view, stale: true }
    }
    for (const [roomId, room] of this.world.rooms)
      if (!this.held || this.counted.has(roomId)) this.counted.set(roomId, this.#recount(roomId, room))
    for (const slug of this.slugs.values()) if (this.counted.has(slug.roomId)) delete slug.frozen
  }

  #recount(roomId: string, room: Room): TwinView {
    const online = [...room.members].filter((userId) => this.world.people.get(userId)?.shown !== 'offline').length
    const types = this.now < room.typedMs + this.options.typingMaxMs
    const typing = types ? room.typing.filter((userId) => room.members.has(userId)).sort() : []
    const active = typing.length > 0 || this.now < room.activeUntilMs
    return { online, typing, active, lastTs: room.lastTs, roomId, stale: false }
  }
}
