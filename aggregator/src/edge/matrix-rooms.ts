// Keeps the map of the city true: which slug is which Matrix room, and the daemon a member of every one of them.
//
//   directory -> judge -> aliases resolved -> upgrades followed -> map ----------------> updates()
//   /joined_rooms -> rooms not joined yet -> join queue -> join, one after the other     (progress tells how far it is)
//                 -> rooms lost without a word ------------------------------\
//   /joined_members of one room after the other (audit) ----------------------> findings()
//
// One worker does one thing at a time, in this order of urgency: refresh, lists of members that somebody waits for, join, such
// lists of rooms off the map (each is asked for once, so audits wait for their end), audit. Nothing here ends the process: what
// fails is told, tried again later, and what was known stays.
import { sleep } from '@citypresence/chassis/edge/clock'
import type { CityError } from '@citypresence/chassis/errors'
import type { MappedRoom } from '../core/city-rooms.ts'
import { nextJoin } from '../core/join-queue.ts'
import type { Moment } from '../core/moment.ts'
import { audit, joinRoom, listMembers, nextWanted } from './room-membership.ts'
import { refresh } from './room-refresh.ts'
import { addSuccessor, createWorker, progressIn, replan } from './room-worker.ts'
import type { Finding, RoomProgress, RoomSourceOptions, Worker } from './room-worker.ts'

export type { Finding, RoomObserver, RoomSourceOptions } from './room-worker.ts'

export type RoomStatus = {
  readonly directory: {
    /** Undefined until there was a good map. */
    readonly rooms: number | undefined
    readonly readAt: Moment | undefined
    /** Why the last attempt gave no new map. */
    readonly problem: CityError | undefined
  }
} & RoomProgress

export interface RoomSource {
  /** The map, each time it changed; starts the worker. A slug without a known room has a roomId that no room has. */
  updates(signal: AbortSignal): AsyncIterable<readonly MappedRoom[]>
  /** One reader; audits are dropped while it does not read. */
  findings(signal: AbortSignal): AsyncIterable<Finding>
  /** The room was replaced: from now on its slug means the replacement. */
  tombstone(roomId: string, replacement: string, viaServer: string): void
  /** Something may have changed (an alias, say): refresh before the time, at most every five seconds. */
  refreshSoon(): void
  /** The members of these rooms are listed before any audit; first of all those of rooms on the map. */
  wantMembers(roomIds: Iterable<string>): void
  /** How often in a row the map of now was seen. */
  sightings(): number
  status(): RoomStatus
}

/** However often aliases change, the directory is asked no oftener. */
const refreshPauseMs = 5_000

export function createRoomSource(options: RoomSourceOptions): RoomSource {
  const worker = createWorker(options)
  const { clock } = worker
  const refreshBy = (atMs: number) => {
    worker.refreshAtMs = Math.min(worker.refreshAtMs, Math.max(atMs, worker.refreshedMs + refreshPauseMs))
    worker.poke.abort()
  }
  return {
    updates: (signal) => runAndTell(worker, () => refreshBy(clock.monotonicMs()), signal),
    findings: (signal) => worker.findings.values(signal),
    tombstone(roomId, replacement, viaServer) {
      if (!addSuccessor(worker.successors, roomId, { roomId: replacement, viaServer })) return
      replan(worker)
      refreshBy(clock.monotonicMs())
    },
    refreshSoon: () => refreshBy(clock.monotonicMs()),
    wantMembers(roomIds) {
      const nowMs = clock.monotonicMs()
      worker.wanted = new Map(Array.from(roomIds, (roomId) => [roomId, nowMs]))
      worker.poke.abort()
    },
    sightings: () => worker.judge.sightings,
    status: () => ({
      directory: { rooms: worker.judge.good?.length, readAt: worker.readAt, problem: worker.problem },
      ...progressIn(worker),
    }),
  }
}

async function* runAndTell(
  worker: Worker,
  onChange: () => void,
  signal: AbortSignal,
): AsyncGenerator<readonly MappedRoom[]> {
  const stopWatching = worker.directory.watch(onChange)
  const ended = run(worker, signal).catch((error: unknown) => worker.maps.fail(error))
  try {
    yield* worker.maps.values(signal)
  } finally {
    stopWatching()
    await ended
  }
}

async function run(worker: Worker, signal: AbortSignal): Promise<void> {
  const { clock } = worker
  while (!signal.aborted) {
    const nowMs = clock.monotonicMs()
    const join = nextJoin(worker.queue, nowMs)
    const mayList = worker.listAtMs <= nowMs
    const urgent = mayList ? nextWanted(worker, 'mapped') : undefined
    const wanted = mayList ? nextWanted(worker, 'elsewhere') : undefined
    if (worker.refreshAtMs <= nowMs) await refresh(worker, signal)
    else if (urgent !== undefined) await listMembers(worker, urgent, signal)
    else if (join.kind === 'join') await joinRoom(worker, join.target, signal)
    else if (wanted !== undefined) await listMembers(worker, wanted, signal)
    else if (worker.auditAtMs <= nowMs) await audit(worker, signal)
    else await pause(worker, join.kind === 'wait' ? join.untilMs : Infinity, signal)
  }
}

async function pause(worker: Worker, joinAtMs: number, signal: AbortSignal): Promise<void> {
  const wanted = nextWanted(worker, 'mapped') ?? nextWanted(worker, 'elsewhere')
  const listAtMs = wanted === undefined ? Infinity : worker.listAtMs
  const untilMs = Math.min(worker.refreshAtMs, worker.auditAtMs, joinAtMs, listAtMs)
  await sleep(worker.clock, untilMs - worker.clock.monotonicMs(), AbortSignal.any([signal, worker.poke.signal]))
  if (worker.poke.signal.aborted) worker.poke = new AbortController()
}
