// What the homeserver's answers add up to: who is where and shown as what (presence-state), and what happens in each room
// (room-life). The city has one; an initial sync builds a second one beside it, which then takes its place.
import type { Moment } from './moment.ts'
import {
  cameBack,
  closeRoom,
  createPresenceState,
  dropOrphans,
  isMember,
  isOpen,
  joinRoom,
  leaveRoom,
  openRoom,
  statusCode,
  tell,
} from './presence-state.ts'
import type { PresenceState } from './presence-state.ts'
import { createLife, endLife, hasMovedSince, lifeDueMs, noteActivity, noteMove } from './room-life.ts'
import { noteMover } from './recent-movers.ts'
import { setTyping, stopTyping, type RoomLife } from './room-life.ts'
import type { Fact } from './sync-facts.ts'
import { noteJoined, noteLeft, noteUnlisted, type Unlisted } from './unlisted-rooms.ts'
import type { UserWatch } from './user-watch.ts'

export type LifeLimits = { readonly activeWindowMs: number; readonly typingMaxMs: number }

export type Observation = {
  readonly state: PresenceState
  /** One for each room that is followed. */
  readonly lives: Map<string, RoomLife>
  /** Rooms whose life changed since they were last looked at. */
  readonly touched: Set<string>
  /** Nothing of any life ends before this. */
  lifeDueMs: number
  /** Rooms that are followed and whose members nobody has listed yet (see unlisted-rooms). */
  readonly unlisted: Map<string, Unlisted>
}

export const createObservation = (
  daemonUserId: string,
  outsidersMax: number,
  watch: UserWatch | undefined,
): Observation => ({
  state: createPresenceState(daemonUserId, outsidersMax, watch),
  lives: new Map(),
  touched: new Set(),
  lifeDueMs: Infinity,
  unlisted: new Map(),
})

export type Lesson = {
  readonly at: Moment
  readonly limits: LifeLimits
  /** What was known before, when everything is learned anew: being listed again is no coming in. */
  readonly former: PresenceState | undefined
  /** The answer names only some of the members of each room. */
  readonly lazy?: boolean
}

export function observe(observation: Observation, fact: Fact, lesson: Lesson): void {
  const { state } = observation
  switch (fact.kind) {
    case 'presence':
      tell(state, fact.userId, statusCode[fact.state], lastActiveTsOf(fact, lesson.at))
      return
    case 'joined':
      noteMoved(observation, fact, lesson.at)
      if (!isOvertaken(observation, fact)) observeJoin(observation, fact, lesson)
      return
    case 'left':
      noteMoved(observation, fact, lesson.at)
      if (isOvertaken(observation, fact)) return
      noteLeft(observation.unlisted, fact.roomId, fact.userId)
      leaveRoom(state, fact.roomId, fact.userId)
      return
    case 'self-joined':
      follow(observation, fact.roomId, lesson)
      return
    case 'self-left':
      closeRoom(state, fact.roomId)
      observation.unlisted.delete(fact.roomId)
      observation.lives.delete(fact.roomId)
      return
    case 'typing':
      changeLife(observation, fact.roomId, (life) =>
        setTyping(life, fact.userIds, lesson.at, lesson.limits.typingMaxMs),
      )
      return
    case 'activity':
      observeActivity(observation, fact.roomId, fact.originTs, lesson)
      return
    // Which room stands for a slug is decided elsewhere.
    case 'tombstone':
    case 'alias-changed':
  }
}

/** A stamp is relative to when the answer was made; without one the last known stays. */
const lastActiveTsOf = ({ lastActiveAgoMs }: Fact & { kind: 'presence' }, at: Moment): number | undefined =>
  lastActiveAgoMs === undefined ? undefined : Math.max(0, at.wallMs - lastActiveAgoMs)

function follow(observation: Observation, roomId: string, { lazy, at }: Lesson): void {
  if (lazy === true && !isOpen(observation.state, roomId)) noteUnlisted(observation.unlisted, roomId, at)
  openRoom(observation.state, roomId)
  if (!observation.lives.has(roomId)) observation.lives.set(roomId, createLife(at.monotonicMs))
}

type Membership = Fact & { kind: 'joined' | 'left' }

/** State of another branch of the room may be older than the news. Remembers what is news. */
function isOvertaken({ lives }: Observation, { roomId, userId, originTs, isNews, mayBeOld }: Membership): boolean {
  const life = lives.get(roomId)
  if (life === undefined || originTs === undefined) return false
  if (isNews === true) noteMove(life, userId, originTs)
  return mayBeOld === true && hasMovedSince(life, userId, originTs)
}

/** A change of a name comes as a join too; only who was not there before has come in. */
function observeJoin(observation: Observation, fact: Membership, lesson: Lesson): void {
  const { roomId, userId, originTs } = fact
  noteJoined(observation.unlisted, roomId, userId)
  if (!joinRoom(observation.state, roomId, userId)) return
  if (observation.state.watch?.doubted.has(userId) === true) cameBack(observation.state, userId)
  const wasThere = lesson.former !== undefined && isMember(lesson.former, roomId, userId)
  if (originTs !== undefined && !wasThere) observeActivity(observation, roomId, originTs, lesson)
}

/** Whatever is told of somebody's membership: a list that was asked for before it says nothing of them. */
function noteMoved({ lives }: Observation, { roomId, userId }: Membership, at: Moment): void {
  const life = lives.get(roomId)
  if (life !== undefined) noteMover(life.movers, userId, at.monotonicMs)
}

function observeActivity(observation: Observation, roomId: string, originTs: number | undefined, lesson: Lesson): void {
  changeLife(observation, roomId, (life) => noteActivity(life, originTs, lesson.at, lesson.limits.activeWindowMs))
}

function changeLife(observation: Observation, roomId: string, change: (life: RoomLife) => void): void {
  const life = observation.lives.get(roomId)
  if (life === undefined) return
  change(life)
  observation.touched.add(roomId)
  observation.lifeDueMs = Math.min(observation.lifeDueMs, lifeDueMs(life))
}

/** When a response ends: whoever was left without a room is no part of the city. */
export const forgetRoomless = ({ state, unlisted }: Observation): void =>
  dropOrphans(state, { allListed: unlisted.size === 0 })

/** Ends typing and activity whose time is over. Looks at the rooms only when the earliest end has come. */
export function endLives(observation: Observation, nowMs: number): void {
  if (observation.lifeDueMs > nowMs) return
  for (const [roomId, life] of observation.lives) if (endLife(life, nowMs)) observation.touched.add(roomId)
  findLifeDue(observation)
}

export function findLifeDue(observation: Observation): void {
  observation.lifeDueMs = Infinity
  for (const life of observation.lives.values())
    observation.lifeDueMs = Math.min(observation.lifeDueMs, lifeDueMs(life))
}

/** Nobody types any more, as far as is known: after a lost connection the end of typing may have been missed. */
export function stopAllTyping(observation: Observation): void {
  for (const [roomId, life] of observation.lives) if (stopTyping(life)) observation.touched.add(roomId)
}
