// The whole truth the daemon knows: people, rooms, which slug is which room, and whether the source may be believed.
//
//   learn, learn, … syncSucceeded          one response: what it adds up to is looked at when it ends (or takeChanged asks)
//   startReplacement … takeReplacement     an initial sync, learned beside the city and swapped in, in pieces
//   advance                                what time alone changes
//        |
//        v
//   takeChanged -> slugs whose value may differ -> valueOf(slug)
//
// Unknown is not zero: a room is `unobserved` until it was counted once with presence working; a room that is lost later keeps
// its last value, marked stale. While presence is held (see shown-presence) only membership moves.
//
// A city belongs to one loop, which hands it to these functions; they change it in place. What can be read is what the last
// look saw, so nobody meets half a response.
import type { RoomPresence } from '@citypresence/wire/room-presence'
import type { RoomSlug } from '@citypresence/wire/subjects'
import type { UserPresence } from '@citypresence/wire/user-presence'
import { whomToAsk } from './blind-rooms.ts'
import { createCityRooms, inheritBlind, lookAtRoom, noteBlind, takeMap, valueOfSlug } from './city-rooms.ts'
import type { CityRooms, MappedRoom, RoomValue } from './city-rooms.ts'
import { isInTheDark, takeUsers, tells, tellUsersAnew } from './city-users.ts'
import type { Moment } from './moment.ts'
import { createObservation, endLives, findLifeDue, forgetRoomless, observe, stopAllTyping } from './observation.ts'
import type { Observation } from './observation.ts'
import { auditMembers, cameBack, isHeardOf, isOpen, joinRoom, takeDirtyRooms } from './presence-state.ts'
import { movedSince } from './recent-movers.ts'
import { peoplePerPiece, roomsPerPiece, visit, wholly, type Pieces } from './pieces.ts'
import { carryLife } from './room-life.ts'
import * as shown from './shown-presence.ts'
import { firstHealth, hold, isHeld, judgeSource, notePresence, noteProbe, noteSync } from './source-health.ts'
import { sourceDueMs, wantsProbe } from './source-health.ts'
import type { SourceHealth, SourceVerdict } from './source-health.ts'
import type { Fact } from './sync-facts.ts'
import { areAwaited, takeList } from './unlisted-rooms.ts'
import { createUserWatch, forgetMarks, hasMarks } from './user-watch.ts'

export type { MappedRoom, RoomValue } from './city-rooms.ts'

export type CityOptions = {
  readonly daemonUserId: string
  /** The server name of local users. */
  readonly homeServer: string
  /** A message or a join makes a room active for so long. */
  readonly activeWindowMs: number
  /** Who goes offline is shown for so much longer; 0: not at all. */
  readonly offlineGraceMs: number
  /** Without a good sync for so long the source is stale. */
  readonly staleAfterMs: number
  /** A typing list ends so long after its event. Must be more than the homeserver's own two minutes. */
  readonly typingMaxMs: number
  /** So many people of whom no room is known are remembered, for the case that they come into one. */
  readonly outsidersMax: number
  /** Whether changes of single users are kept for takeChangedUsers. */
  readonly userEvents: boolean
  /** Whether these hold users of other homeservers too. */
  readonly remoteUsers: boolean
}

export type City = {
  readonly options: CityOptions
  readonly rooms: CityRooms
  observation: Observation
  health: SourceHealth
  /** The latest moment the city was told of. */
  now: Moment
  /** The response that is being learned. */
  response: Moment | undefined
}

export const createCity = (options: CityOptions): City => ({
  options,
  rooms: createCityRooms(),
  observation: emptyObservation(options),
  health: firstHealth,
  now: { wallMs: 0, monotonicMs: 0 },
  response: undefined,
})

const emptyObservation = ({ daemonUserId, outsidersMax, userEvents }: CityOptions): Observation =>
  createObservation(daemonUserId, outsidersMax, userEvents ? createUserWatch() : undefined)

/** Learns (a slice of) one response. Slices of one response carry the same moment, that of its receipt. */
export function learn(city: City, facts: readonly Fact[], at: Moment): void {
  if (city.response?.monotonicMs !== at.monotonicMs) endResponse(city)
  city.response = at
  reach(city, at)
  const lesson = { at, limits: city.options, former: undefined }
  for (const fact of facts) observe(city.observation, fact, lesson)
  hearPresence(city, facts, at)
}

/** Presence comes last among the facts of an answer. */
function hearPresence(city: City, facts: readonly Fact[], at: Moment): void {
  if (facts.at(-1)?.kind === 'presence') city.health = notePresence(city.health, at)
}

/** An initial sync in the making: it says everything, so it is learned apart from the city. */
export type Replacement = { readonly observation: Observation; readonly city: City; readonly lazy: boolean }

/** `lazy`: it names only some of the members of each room, so that a room counts when its list of members came. */
export const startReplacement = (city: City, lazy = false): Replacement => ({
  observation: emptyObservation(city.options),
  city,
  lazy,
})

export function learnInto(replacement: Replacement, facts: readonly Fact[], at: Moment): void {
  const { observation, city, lazy } = replacement
  hearPresence(city, facts, at)
  const lesson = { at, limits: city.options, former: city.observation.state, lazy }
  for (const fact of facts) observe(observation, fact, lesson)
  shown.showAsTold(observation.state)
}

export const finishReplacement = (city: City, replacement: Replacement, at: Moment): void =>
  wholly(takeReplacement(city, replacement, at))

/**
 * Puts the replacement in the place of all that was learned before; activity of rooms that stay is kept. Between two pieces nobody
 * may change the city or take what changed: half of it is seen from before, and half from after.
 */
export function* takeReplacement(city: City, replacement: Replacement, at: Moment): Pieces<void> {
  endResponse(city)
  reach(city, at)
  const { observation: former, health } = city
  const { observation: fresh } = replacement
  forgetRoomless(fresh)
  const doubt = { presenceWorked: health.presence === 'works', allListed: fresh.unlisted.size === 0 }
  if (yield* shown.emptiesCity(former.state, fresh.state, doubt)) city.health = hold(health, at)
  yield* shown.carryShown(former.state, fresh.state, shownRule(city))
  for (const [roomId, life] of former.lives) {
    fresh.touched.add(roomId)
    const freshLife = fresh.lives.get(roomId)
    if (freshLife !== undefined) carryLife(life, freshLife)
  }
  findLifeDue(fresh)
  city.observation = fresh
  settleDoubted(city)
  yield* lookInPieces(city, at)
}

/** How a comparison ended: `unfollowed` where the daemon is not in the room any more. */
export type Comparison = {
  readonly added: number
  readonly removed: number
  readonly end: 'compared' | 'overtaken' | 'unfollowed'
}

/**
 * Compares with the homeserver's own list of a room; what differs is corrected. Whoever moved since the list was asked for is left
 * as the syncs say; where that is not known of everybody, the list is overtaken and nobody is compared. Between two pieces nothing
 * may be learned.
 */
export function* compareMembers(
  city: City,
  roomId: string,
  userIds: readonly string[],
  at: Moment,
  askedAt?: Moment,
): Pieces<Comparison> {
  reach(city, at)
  const { lives, state } = city.observation
  const life = lives.get(roomId)
  if (life === undefined) return { added: 0, removed: 0, end: 'unfollowed' }
  const hasMoved = movedSince(life.movers, askedAt?.monotonicMs ?? Infinity)
  if (hasMoved === undefined) return { added: 0, removed: 0, end: 'overtaken' }
  const drift = yield* auditMembers(state, roomId, userIds, hasMoved)
  lookUnlessLearning(city)
  return { ...drift, end: 'compared' }
}

export const confirmMembers = (...given: Parameters<typeof compareMembers>): Comparison =>
  wholly(compareMembers(...given))

/** Whether the homeserver tells presence of a room: where it does not, the room keeps its last value, marked. */
export function noteBlindness(city: City, roomId: string, isBlind: boolean, at: Moment): void {
  reach(city, at)
  noteBlind(city.rooms, roomId, isBlind)
  city.observation.touched.add(roomId)
  lookUnlessLearning(city)
}

export const isBlind = ({ rooms }: City, roomId: string): boolean => rooms.blind.has(roomId)

/** A room that the leader before knew to be kept out of presence stays marked, with the value that it had. */
export const inheritBlindness = ({ rooms }: City, last: RoomPresence): void => inheritBlind(rooms, last)

/** Whose presence tells whether the homeserver tells presence of this room; nobody's while members are still to be listed. */
export const lookoutsIn = (city: City, roomId: string, listed: readonly string[], turn: number): readonly string[] =>
  isWaitingForLists(city) ? [] : whomToAsk(city.observation.state, roomId, listed, turn)

/** Rooms that do not count before their members are listed. */
export const unlistedRooms = (city: City): Iterable<string> => city.observation.unlisted.keys()

const isWaitingForLists = ({ observation, now }: City): boolean => areAwaited(observation.unlisted, now.monotonicMs)

/**
 * The list of such a room: it counts from its last piece on. False where it came too late, or is too old. Between two pieces
 * anything may be learned, but nothing while an initial sync takes the place of the city; after that it is too old.
 */
export function* takeMembers(
  city: City,
  roomId: string,
  userIds: readonly string[],
  { at, askedAt }: { readonly at: Moment; readonly askedAt: Moment },
): Pieces<boolean> {
  reach(city, at)
  const { observation } = city
  const { state, touched, unlisted } = observation
  const pieces = takeList(unlisted, roomId, { userIds, askedAt }, (userId) => {
    if (joinRoom(state, roomId, userId)) cameBack(state, userId)
  })
  let step = pieces.next()
  for (; step.done !== true; step = pieces.next()) {
    // Whoever came with this piece is shown now: in the end it would be everybody at once.
    lookUnlessLearning(city)
    yield
  }
  if (!step.value || city.observation !== observation) return false
  touched.add(roomId)
  settleDoubted(city)
  lookUnlessLearning(city)
  return true
}

export const listMembers = (...given: Parameters<typeof takeMembers>): boolean => wholly(takeMembers(...given))

/**
 * Once all rooms are listed, whoever was told of before and is in none of them is gone; and so is, when a list does not come, of whom
 * nothing was heard since. So many at a time.
 */
function settleDoubted(city: City): void {
  const { state, unlisted } = city.observation
  if (state.watch === undefined || isWaitingForLists(city)) return
  const { doubted, gone } = state.watch
  let looks = Math.min(peoplePerPiece, doubted.size)
  for (const userId of doubted) {
    if (looks-- === 0) return
    if (cameBack(state, userId)) continue
    doubted.delete(userId)
    if (unlisted.size > 0 && isHeardOf(state, userId)) doubted.add(userId)
    else gone.add(userId)
  }
}

/** Takes a new map of the city: it holds these rooms and no other. */
export function mapRooms(city: City, rooms: readonly MappedRoom[], at: Moment): void {
  reach(city, at)
  takeMap(city.rooms, rooms, (roomId) => isOpen(city.observation.state, roomId), at.wallMs)
}

/** A response was learned to its end. */
export function syncSucceeded(city: City, at: Moment): void {
  endResponse(city)
  reach(city, at)
  city.health = noteSync(city.health, at)
}

/** What a probe found out: whether the homeserver keeps what it is told about presence. */
export function presenceProbed(city: City, works: boolean, at: Moment): void {
  reach(city, at)
  const wasHeld = isHeld(city.health)
  city.health = noteProbe(city.health, works, at)
  if (!wasHeld || !works) return
  shown.settleEverybody(city.observation.state, shownRule(city))
  for (const roomId of city.rooms.awaiting) city.observation.touched.add(roomId)
  lookUnlessLearning(city)
}

export const wantsPresenceProbe = (city: City, at: Moment): boolean => wantsProbe(city.health, at.monotonicMs)

/** Whether presence is not believed, until a probe says that it works. */
export const isPresenceHeld = (city: City): boolean => isHeld(city.health)

/** After a lost connection the end of typing may have been missed. */
export function clearTyping(city: City, at: Moment): void {
  reach(city, at)
  stopAllTyping(city.observation)
  lookUnlessLearning(city)
}

/** What time alone changes: typing that was not ended, the active window, the offline grace. */
export function advance(city: City, at: Moment): void {
  reach(city, at)
  shown.endGraces(city.observation.state, city.now.monotonicMs)
  endLives(city.observation, city.now.monotonicMs)
  lookUnlessLearning(city)
}

/** When time alone changes something next, on the monotonic clock. May be early, never late. */
export function nextDueAtMs(city: City): number | undefined {
  const { observation, health, now, options } = city
  const dueMs = Math.min(
    observation.lifeDueMs,
    shown.nextGraceEndMs(observation.state) ?? Infinity,
    sourceDueMs(health, now.monotonicMs, options.staleAfterMs) ?? Infinity,
  )
  return dueMs === Infinity ? undefined : dueMs
}

/** The slugs whose value may differ from what it was when they were last taken. Ends the response that is being learned. */
export function takeChanged(city: City): ReadonlySet<RoomSlug> {
  endResponse(city)
  const { changed } = city.rooms
  city.rooms.changed = new Set()
  return changed
}

export const valueOf = (city: City, slug: RoomSlug): RoomValue => valueOfSlug(city.rooms, slug)

export const mappedSlugs = (city: City): readonly RoomSlug[] => [...city.rooms.slugs.keys()]

export const sourceOf = (city: City, at: Moment): SourceVerdict =>
  judgeSource(city.health, at, city.options.staleAfterMs)

/** So many users whose status changed since they were last taken; erased: no room is shared any more. Ends the response. */
export function takeChangedUsers(city: City, max: number): ReadonlyMap<string, UserPresence | 'erased'> {
  endResponse(city)
  return takeUsers(city.observation.state, city.options, max)
}

export const haveUsersChanged = ({ observation: { state } }: City): boolean =>
  state.watch !== undefined && hasMarks(state.watch)

/** For who tells nobody. */
export function forgetChangedUsers({ observation: { state } }: City): void {
  if (state.watch !== undefined) forgetMarks(state.watch)
}

/** For a leader that begins: everybody is to be told of. Ends the response. */
export function changeAllUsers(city: City): void {
  endResponse(city)
  tellUsersAnew(city.observation.state)
}

/** Whether somebody who is not known is not there: every room is listed, and presence is believed. */
export const knowsEverybody = (city: City): boolean => !isWaitingForLists(city) && !isHeld(city.health)

/**
 * Whether somebody is there, and nothing else is known: each of their rooms is kept out of presence, or it is one whose list of
 * members does not come.
 */
export function isUserInTheDark({ observation, options, rooms }: City, userId: string): boolean {
  const { state, unlisted } = observation
  if (!tells(options, userId)) return false
  return isInTheDark(state, rooms.blind, userId) || (unlisted.size > 0 && isHeardOf(state, userId))
}

function reach(city: City, at: Moment): void {
  if (at.monotonicMs >= city.now.monotonicMs) city.now = at
}

const shownRule = (city: City): shown.ShownRule => ({
  held: isHeld(city.health),
  graceMs: city.options.offlineGraceMs,
  nowMs: city.now.monotonicMs,
})

/** The response is whole: now it can be seen whether it takes the city offline, and what it changed. */
function endResponse(city: City): void {
  const { response, observation } = city
  if (response === undefined) return
  city.response = undefined
  forgetRoomless(observation)
  if (shown.takesMostOffline(observation.state)) city.health = hold(city.health, response)
  // The last room that was to be listed may have been lost instead.
  settleDoubted(city)
  look(city, response)
}

/** Between two slices of a response nothing is looked at. */
function lookUnlessLearning(city: City): void {
  if (city.response === undefined) look(city, city.now)
}

/** Shows what may be shown, and looks at every room where something happened. */
const look = (city: City, stamp: Moment): void => wholly(lookInPieces(city, stamp))

function* lookInPieces(city: City, stamp: Moment): Pieces<void> {
  const { observation, rooms, now } = city
  forgetRoomless(observation)
  shown.settleShown(observation.state, shownRule(city))
  const { touched } = observation
  takeDirtyRooms(observation.state, touched)
  const held = isHeld(city.health)
  const moment = { held, nowMs: now.monotonicMs, stampTs: stamp.wallMs }
  yield* visit(touched, roomsPerPiece, (roomId) => lookAtRoom(rooms, observation, roomId, moment))
  touched.clear()
}
