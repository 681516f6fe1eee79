// Rooms that the homeserver keeps out of presence (Synapse's `exclude_rooms_from_presence`): nobody there ever comes online, which
// looks like a room that sleeps. Asked beside the audit of a room in which nobody is seen, one person a time.
//
//   nobody is online -> presence of one member: 200, they may be seen     -> the room is not blind
//                                               403, and still a member   -> blind: what it shows is not known
import { CityError } from '@citypresence/chassis/errors'
import { MatrixRefusal } from './matrix-errors.ts'
import type { Worker } from './room-worker.ts'

export async function lookForBlindness(
  worker: Worker,
  roomId: string,
  userIds: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const { blindness, blind, client, findings } = worker
  const others = userIds.filter((userId) => userId !== blindness?.daemonUserId)
  if (blindness === undefined || !(blind.has(roomId) || blindness.isSuspect(roomId))) return
  // The one who could not be seen is asked for again; else another one each time.
  const known = blind.get(roomId)
  const userId = known !== undefined && others.includes(known) ? known : others[worker.looks++ % others.length]
  if (userId === undefined) return
  try {
    await blindness.presenceOf(userId, signal)
    if (blind.delete(roomId)) findings.push({ kind: 'blind', roomId, isBlind: false })
  } catch (error) {
    if (signal.aborted) return
    if (!(error instanceof CityError)) throw error
    // Anything but a 403 tells nothing. Whoever left meanwhile may not be seen either.
    if (!(error instanceof MatrixRefusal) || error.status !== 403 || blind.has(roomId)) return
    if (!(await client.joinedMembers(roomId, signal)).includes(userId)) return
    blind.set(roomId, userId)
    findings.push({ kind: 'blind', roomId, isBlind: true })
    worker.log.warn('rooms blind', { err: error }, 'the homeserver keeps a room out of presence')
  }
}
