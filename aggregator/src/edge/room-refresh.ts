// One refresh of the map: directory -> judge -> aliases -> /joined_rooms -> plan. What fails leaves what was known.
import { momentOf } from '@citypresence/chassis/edge/clock'
import { CityError } from '@citypresence/chassis/errors'
import { describeDecodeError } from '@citypresence/wire/decode'
import { judgeMap, type RoomMap } from '../core/room-map.ts'
import { backoffMs } from '../core/sync-pace.ts'
import { MatrixRefusal } from './matrix-errors.ts'
import { lose, replan, tellProgress, type Worker } from './room-worker.ts'

/** A map that shrank, and any new one, is asked for again soon: the second look decides. */
const secondLookMs = 10_000
/** Aliases resolved at the same time; each takes a few milliseconds. */
const resolversMax = 4

export async function refresh(worker: Worker, signal: AbortSignal): Promise<void> {
  const startMs = worker.clock.monotonicMs()
  worker.refreshedMs = startMs
  worker.refreshAtMs = startMs + worker.refreshEveryMs
  try {
    await readDirectory(worker, signal)
  } catch (error) {
    failed(worker, error, signal)
  }
  const { good } = worker.judge
  if (good === undefined || signal.aborted) return
  try {
    await resolveAliases(worker, good, signal)
    await compareJoined(worker, signal)
    if (worker.problem === undefined) worker.failures = 0
    worker.observer.refreshed?.(good.length)
  } catch (error) {
    failed(worker, error, signal)
  }
  replan(worker)
  tellProgress(worker)
}

/** Told, and the refresh is tried again earlier than usual, ever more slowly. */
function failed(worker: Worker, error: unknown, signal: AbortSignal): void {
  if (signal.aborted) return
  if (!(error instanceof CityError)) throw error
  const waitMs = Math.min(backoffMs(worker.failures, worker.random()), worker.refreshEveryMs)
  worker.failures++
  worker.refreshAtMs = Math.min(worker.refreshAtMs, worker.clock.monotonicMs() + waitMs)
  if (error.code === 'RoomDirectoryUnreadable' || error.code === 'RoomDirectoryRefused') worker.problem = error
  worker.log.warn(`rooms ${error.code}`, { err: error, wait_ms: waitMs }, 'the map of rooms could not be refreshed')
  worker.observer.failed?.(error)
}

async function readDirectory(worker: Worker, signal: AbortSignal): Promise<void> {
  const { judge, verdict } = judgeMap(worker.judge, await worker.directory.read(signal))
  worker.judge = judge
  if (verdict.kind === 'refused')
    throw new CityError('RoomDirectoryRefused', `the map was refused: ${describeDecodeError(verdict.error)}`)
  if (verdict.kind === 'waiting') {
    worker.refreshAtMs = Math.min(worker.refreshAtMs, worker.refreshedMs + secondLookMs)
    const text = `the map has ${verdict.rooms} rooms where it had ${verdict.roomsBefore}: waiting for a second look`
    worker.problem = new CityError('RoomDirectoryRefused', text)
    worker.log.warn('rooms shrank', { err: worker.problem }, 'the map of rooms shrank')
    worker.observer.failed?.(worker.problem)
    return
  }
  worker.problem = undefined
  worker.readAt = momentOf(worker.clock)
  // Whoever doubts a new map waits for its second sight.
  if (judge.sightings === 1) worker.refreshAtMs = Math.min(worker.refreshAtMs, worker.refreshedMs + secondLookMs)
}

async function resolveAliases(worker: Worker, map: RoomMap, signal: AbortSignal): Promise<void> {
  // An id needs no alias. What is no longer asked for is forgotten.
  const aliases = map.flatMap(({ matrix_room_id: roomId, matrix_room_alias: alias }) =>
    roomId === undefined && alias !== undefined ? [alias] : [],
  )
  const asked = new Set(aliases)
  for (const alias of worker.resolved.keys()) if (!asked.has(alias)) worker.resolved.delete(alias)
  const missing = new Set<string>()
  const left = aliases.values()
  // The first failure ends it for all: a homeserver in trouble is not asked for every alias of the city.
  const trouble = new AbortController()
  const either = AbortSignal.any([signal, trouble.signal])
  const resolve = async (): Promise<void> => {
    for (const alias of left) {
      if (either.aborted) return
      await resolveAlias(worker, alias, missing, either).catch((error: unknown) => trouble.abort(error))
    }
  }
  await Promise.all(Array.from({ length: resolversMax }, resolve))
  if (trouble.signal.aborted) throw trouble.signal.reason as Error
  worker.missing = missing
}

async function resolveAlias(worker: Worker, alias: string, missing: Set<string>, signal: AbortSignal): Promise<void> {
  try {
    worker.resolved.set(alias, await worker.client.resolveAlias(alias, signal))
  } catch (error) {
    if (!(error instanceof MatrixRefusal) || error.code !== 'MatrixRefused') throw error
    missing.add(alias)
    // Once may be the moment between two rooms of an alias that moves; twice in a row it is gone.
    if (worker.missing.has(alias)) worker.resolved.delete(alias)
    worker.log.warn('rooms alias', { err: error }, 'a room alias leads nowhere')
    worker.observer.failed?.(error)
  }
}

async function compareJoined(worker: Worker, signal: AbortSignal): Promise<void> {
  const askedMs = worker.clock.monotonicMs()
  const joined = new Set(await worker.client.joinedRooms(signal))
  // Who waits for the list of a room that the daemon is not in waits for ever, unless told.
  const waitedFor = [...worker.wanted].filter(([, sinceMs]) => sinceMs <= askedMs).map(([roomId]) => roomId)
  const lost = [...new Set([...worker.joined, ...waitedFor])].filter((roomId) => !joined.has(roomId))
  worker.joined = joined
  worker.joinedKnown = true
  for (const roomId of lost) lose(worker, roomId)
}
