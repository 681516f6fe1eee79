// The daemon's own membership, one request at a time: a join from the queue, or the list of one room's members, which
// somebody waits for or which is an audit.
import { momentOf } from '@citypresence/chassis/edge/clock'
import { CityError } from '@citypresence/chassis/errors'
import { joinLimited, joinRefused, joinsPaused, joinSucceeded, type JoinTarget } from '../core/join-queue.ts'
import { isUnknownRoom } from '../core/room-plan.ts'
import { lookForBlindness } from './blind-rooms.ts'
import { MatrixRefusal } from './matrix-errors.ts'
import { lose, tellProgress, type Worker } from './room-worker.ts'

/** A homeserver that does not answer is left alone for so long by joins and audits; the sync keeps knocking. */
const troublePauseMs = 10_000

export async function joinRoom(worker: Worker, { roomId, via }: JoinTarget, signal: AbortSignal): Promise<void> {
  const { client, queue, clock, observer } = worker
  try {
    await client.join(roomId, via, signal)
    worker.joined.add(roomId)
    joinSucceeded(queue, roomId, clock.monotonicMs())
    observer.joined?.(roomId)
  } catch (error) {
    if (signal.aborted) return
    if (!(error instanceof CityError)) throw error
    joinFailed(worker, roomId, error)
  }
  tellProgress(worker)
}

function joinFailed(worker: Worker, roomId: string, error: CityError): void {
  const nowMs = worker.clock.monotonicMs()
  if (error.code === 'MatrixRateLimited') {
    const waitMs = error instanceof MatrixRefusal ? (error.retryAfterMs ?? troublePauseMs) : troublePauseMs
    joinLimited(worker.queue, waitMs, nowMs)
    return
  }
  // A refusal with a status, even of the gateway kind, is about this room: its servers may be gone, the others are not.
  if (error instanceof MatrixRefusal && error.code !== 'MatrixTokenRefused') {
    const failure = new CityError('MatrixJoinFailed', `${roomId}: ${error.message}`, { cause: error })
    joinRefused(worker.queue, roomId, `${error.status} ${error.errcode}`.trimEnd(), nowMs)
    worker.findings.push({ kind: 'lost', roomId })
    worker.log.warn('rooms join', { err: failure }, 'a room could not be joined')
    worker.observer.failed?.(failure)
    return
  }
  joinsPaused(worker.queue, troublePauseMs, nowMs)
  worker.observer.failed?.(error)
}

/** The audit of the room whose turn it is. */
export async function audit(worker: Worker, signal: AbortSignal): Promise<void> {
  worker.auditAtMs = worker.clock.monotonicMs() + worker.auditEveryMs
  const roomId = nextAudited(worker)
  if (roomId === undefined) return
  worker.audited = roomId
  await listMembers(worker, roomId, signal)
}

/** Asks who is in a room, and tells. */
export async function listMembers(worker: Worker, roomId: string, signal: AbortSignal): Promise<void> {
  const { client, clock, findings, observer } = worker
  const askedAt = momentOf(clock)
  try {
    const userIds = await client.joinedMembers(roomId, signal)
    // Wanted anew meanwhile: then this list is too old.
    if ((worker.wanted.get(roomId) ?? Infinity) <= askedAt.monotonicMs) worker.wanted.delete(roomId)
    findings.push({ kind: 'members', roomId, userIds, askedAt })
    observer.audited?.(roomId)
    // Whether a room off the map is shown matters to nobody.
    if (worker.mappedIds.has(roomId)) await lookForBlindness(worker, roomId, userIds, signal)
  } catch (error) {
    if (signal.aborted) return
    if (!(error instanceof CityError)) throw error
    // Not a member: Synapse says so to who was kicked, and to who asks for a room that was purged.
    if (error instanceof MatrixRefusal && error.status === 403) lose(worker, roomId)
    else {
      worker.listAtMs = clock.monotonicMs() + troublePauseMs
      // A list that is waited for and never comes must not keep the audits of all other rooms waiting.
      if (!worker.wanted.has(roomId)) worker.auditAtMs = worker.listAtMs
      worker.log.warn(`rooms list ${error.code}`, { err: error, room: roomId }, 'a list of members did not come')
      wantLater(worker, roomId)
    }
    observer.failed?.(error)
  }
}

/**
 * A room whose list somebody waits for, among those that the daemon is in. Those off the map come last, because nobody is shown
 * them; but they come, because until they did nobody knows who has left the city.
 */
export function nextWanted({ mappedIds, joined, wanted }: Worker, where: 'mapped' | 'elsewhere'): string | undefined {
  for (const roomId of wanted.keys())
    if (joined.has(roomId) && mappedIds.has(roomId) === (where === 'mapped')) return roomId
  return undefined
}

/** The others first: one list that does not come holds up none of them. */
function wantLater({ wanted }: Worker, roomId: string): void {
  const sinceMs = wanted.get(roomId)
  if (sinceMs === undefined) return
  wanted.delete(roomId)
  wanted.set(roomId, sinceMs)
}

/** One that is in doubt; else the room after the one audited last, in the order of the map, among those that the daemon is in. */
function nextAudited(worker: Worker): string | undefined {
  const { plan, joined, audited, doubted } = worker
  worker.doubted = undefined
  if (doubted !== undefined && joined.has(doubted)) return doubted
  const rooms = plan.mapped.map(({ roomId }) => roomId).filter((roomId) => !isUnknownRoom(roomId) && joined.has(roomId))
  return rooms[(rooms.indexOf(audited ?? '') + 1) % rooms.length]
}
