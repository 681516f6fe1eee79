// What the worker behind the map of rooms knows, and what it does with it after anything was learned: make the plan anew.
// Used by the three files that do its work: matrix-rooms (the loop), room-refresh and room-membership.
import { type Clock, systemClock } from '@citypresence/chassis/edge/clock'
import type { CityError } from '@citypresence/chassis/errors'
import type { SampledLog } from '@citypresence/chassis/log'
import { roomsMax } from '@citypresence/wire/room-directory'
import type { RoomSlug } from '@citypresence/wire/subjects'
import type { MappedRoom } from '../core/city-rooms.ts'
import {
  createJoinQueue,
  postponeJoin,
  progressOf,
  wantRooms,
  type JoinProgress,
  type JoinQueue,
} from '../core/join-queue.ts'
import type { Moment } from '../core/moment.ts'
import { firstJudge, type RoomMapJudge } from '../core/room-map.ts'
import { planRooms, type Resolved, type RoomPlan, type Successor } from '../core/room-plan.ts'
import { createChannel, type Channel } from './channel.ts'
import type { MatrixClient } from './matrix-client.ts'
import type { RoomDirectory } from './room-directory.ts'

/** What was found out about a room beside the sync. */
export type Finding =
  /** Who is in the room, as the homeserver lists it; asked at `askedAt`, so news of the sync since then are newer. */
  | { readonly kind: 'members'; readonly roomId: string; readonly userIds: readonly string[]; readonly askedAt: Moment }
  /** The daemon is not in the room (any more), though no sync may have said so. */
  | { readonly kind: 'lost'; readonly roomId: string }
  /** Whether the homeserver keeps the room out of presence. */
  | { readonly kind: 'blind'; readonly roomId: string; readonly isBlind: boolean }

/** How far the daemon is in being in every room of the map. */
export type RoomProgress = {
  readonly joins: JoinProgress
  /** Slugs whose alias leads nowhere, and slugs that lead into the room of another one. */
  readonly unresolved: readonly RoomSlug[]
  readonly doubled: readonly RoomSlug[]
}

/** For metrics. */
export type RoomObserver = {
  refreshed?(rooms: number): void
  progress?(progress: RoomProgress): void
  joined?(roomId: string): void
  audited?(roomId: string): void
  /** So many rooms of the map are kept out of presence. */
  blind?(rooms: number): void
  failed?(error: CityError): void
}

/** How rooms are found of which the homeserver tells no presence. */
export type Lookout = {
  readonly daemonUserId: string
  readonly presenceOf: MatrixClient['presenceOf']
  /** Whom to ask for among those listed. */
  readonly of: (roomId: string, listed: readonly string[], turn: number) => readonly string[]
  /** Whether the city knows a room to be kept out of presence. */
  readonly isBlind: (roomId: string) => boolean
}

export type RoomSourceOptions = {
  readonly client: Pick<MatrixClient, 'resolveAlias' | 'joinedRooms' | 'joinedMembers' | 'join'>
  readonly directory: RoomDirectory
  /** Without it no room is found to be kept out of presence. */
  readonly lookout?: Lookout
  readonly log: SampledLog
  /** ROOM_REFRESH_INTERVAL_MS */
  readonly refreshEveryMs?: number
  /** The least time between two audits, each of one room. */
  readonly auditEveryMs?: number
  readonly clock?: Clock
  readonly random?: () => number
  readonly observer?: RoomObserver
}

const refreshEveryMsDefault = 300_000
/** One request a second is nothing to a homeserver, and 300 rooms are audited between two refreshes. */
const auditEveryMsDefault = 1_000
/** The loss of a room has this time to arrive before the daemon may be back in it. */
const lossNewsMs = 2_000
/** More than a reader can be behind; an audit that is dropped comes round again. */
const findingsMax = 1_000

export type Worker = Required<
  Pick<RoomSourceOptions, 'client' | 'directory' | 'log' | 'clock' | 'random' | 'refreshEveryMs' | 'auditEveryMs'>
> & {
  readonly observer: RoomObserver
  readonly maps: Channel<readonly MappedRoom[]>
  readonly findings: Channel<Finding>
  readonly queue: JoinQueue
  readonly successors: Map<string, Successor>
  readonly resolved: Map<string, Resolved>
  /** Aliases that led nowhere once. */
  missing: Set<string>
  judge: RoomMapJudge
  plan: RoomPlan
  /** The Matrix rooms of the plan. */
  mappedIds: ReadonlySet<string>
  published: string | undefined
  /** Rooms that the daemon is in, as far as known. */
  joined: Set<string>
  /** Before the first answer nothing is joined: the daemon may be in all of them already. */
  joinedKnown: boolean
  audited: string | undefined
  readonly lookout: Lookout | undefined
  /** Rooms of the map of whose presence the last look was refused. */
  readonly doubts: Set<string>
  /** Whose turn it is to be asked for. */
  readonly turn: { now: number }
  /** The room to be audited next, because a second look decides. */
  doubted: string | undefined
  /** Rooms whose members somebody waits for, and since when. */
  wanted: Map<string, number>
  readAt: Moment | undefined
  problem: CityError | undefined
  failures: number
  /** When the progress of the joins was last written down. */
  progressLoggedMs: number
  refreshAtMs: number
  refreshedMs: number
  auditAtMs: number
  /** Lists that are waited for come as fast as the homeserver answers; after trouble not before this. */
  listAtMs: number
  poke: AbortController
}

const emptyPlan: RoomPlan = { mapped: [], targets: [], unresolved: [], doubled: [] }

export function createWorker(options: RoomSourceOptions): Worker {
  const { clock = systemClock, random = Math.random, observer = {} } = options
  return {
    ...options,
    clock,
    random,
    observer,
    refreshEveryMs: options.refreshEveryMs ?? refreshEveryMsDefault,
    auditEveryMs: options.auditEveryMs ?? auditEveryMsDefault,
    // Only the newest map matters.
    maps: createChannel(1),
    findings: createChannel(findingsMax),
    queue: createJoinQueue(),
    successors: new Map(),
    resolved: new Map(),
    missing: new Set(),
    judge: firstJudge,
    plan: emptyPlan,
    mappedIds: new Set(),
    published: undefined,
    joined: new Set(),
    joinedKnown: false,
    audited: undefined,
    lookout: options.lookout,
    doubts: new Set(),
    turn: { now: 0 },
    doubted: undefined,
    wanted: new Map(),
    readAt: undefined,
    problem: undefined,
    failures: 0,
    progressLoggedMs: -Infinity,
    refreshAtMs: -Infinity,
    refreshedMs: -Infinity,
    auditAtMs: clock.monotonicMs(),
    listAtMs: -Infinity,
    poke: new AbortController(),
  }
}

/** Every room of a city may have been replaced a few times; what is older than that nobody means any more. */
const successorsMax = roomsMax * 2

export function addSuccessor(successors: Map<string, Successor>, roomId: string, successor: Successor): boolean {
  if (roomId === successor.roomId || successors.get(roomId)?.roomId === successor.roomId) return false
  successors.set(roomId, successor)
  const [oldest] = successors.keys()
  if (successors.size > successorsMax && oldest !== undefined) successors.delete(oldest)
  return true
}

export function lose(worker: Worker, roomId: string): void {
  worker.joined.delete(roomId)
  worker.wanted.delete(roomId)
  // The first look into a room that was entered anew is a first one.
  worker.doubts.delete(roomId)
  worker.findings.push({ kind: 'lost', roomId })
  wantRooms(worker.queue, worker.plan.targets, worker.joined, worker.clock.monotonicMs())
  postponeJoin(worker.queue, roomId, worker.clock.monotonicMs() + lossNewsMs)
}

/** From what is known now to the map and the joins; tells the map when it is another one. */
export function replan(worker: Worker): void {
  const { good } = worker.judge
  if (good === undefined) return
  worker.plan = planRooms(good, worker.resolved, worker.successors)
  worker.mappedIds = new Set(worker.plan.mapped.map(({ roomId }) => roomId))
  if (worker.joinedKnown) wantRooms(worker.queue, worker.plan.targets, worker.joined, worker.clock.monotonicMs())
  const text = JSON.stringify(worker.plan.mapped)
  if (text === worker.published) return
  worker.published = text
  worker.maps.push(worker.plan.mapped)
  for (const roomId of worker.doubts) if (!worker.mappedIds.has(roomId)) worker.doubts.delete(roomId)
  tellBlindRooms(worker)
}

export function tellBlindRooms({ lookout, mappedIds, observer }: Worker): void {
  if (lookout !== undefined) observer.blind?.([...mappedIds].filter((roomId) => lookout.isBlind(roomId)).length)
}

export const progressIn = ({ queue, plan, clock }: Worker): RoomProgress => ({
  joins: progressOf(queue, clock.monotonicMs()),
  unresolved: plan.unresolved,
  doubled: plan.doubled,
})

/** Joining 100 rooms takes a homeserver as it comes a quarter of an hour: somebody wants to know how long. */
const progressEveryMs = 10_000

/** Told at each step; written down while rooms are missing, and once when the last was joined. */
export function tellProgress(worker: Worker): void {
  const progress = progressIn(worker)
  worker.observer.progress?.(progress)
  const nowMs = worker.clock.monotonicMs()
  const { wanted, joined, refused, remainingMs } = progress.joins
  const isDone = remainingMs === undefined
  const wasMissing = worker.progressLoggedMs !== -Infinity
  if (isDone ? !wasMissing : nowMs - worker.progressLoggedMs < progressEveryMs) return
  worker.progressLoggedMs = isDone ? -Infinity : nowMs
  const numbers = { wanted, joined, refused: refused.length, remaining_ms: remainingMs }
  worker.log.info('rooms progress', numbers, isDone ? 'no room is left to be joined' : 'rooms are being joined')
}
