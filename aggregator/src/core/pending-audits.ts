// Lists of members that were asked for, kept until the sync has caught up with them.
//
//   answer at 10 s -> kept -> a response that was asked for after 10 s is learned -> compared
//
// What differs before that is no drift: the events that explain it are still on their way, and a list applied early would join
// the members of now with the presence of the last response, which together never held.
import type { Moment } from './moment.ts'

export type MembersAudit = {
  readonly roomId: string
  readonly userIds: readonly string[]
  readonly askedAt: Moment
  readonly answeredAt: Moment
}

export type PendingAudits = Map<string, MembersAudit>

// One is asked for each second and a list waits for two polls of half a minute at the most.
const pendingMax = 64
// Names of 100 bytes: 40 MB. A single list may be as long as it comes.
const namesMax = 400_000

export const createPendingAudits = (): PendingAudits => new Map()

/**
 * A list that waits is not replaced by a newer one, nor given up for another room's: in a silent city a poll is held for half a
 * minute, and lists that made way for newer ones would never be old enough for it.
 */
export function keepAudit(pending: PendingAudits, audit: MembersAudit): 'kept' | 'repeated' | 'crowded' {
  if (pending.has(audit.roomId)) return 'repeated'
  const names = [...pending.values()].reduce((sum, { userIds }) => sum + userIds.length, audit.userIds.length)
  if (pending.size >= pendingMax || (pending.size > 0 && names > namesMax)) return 'crowded'
  pending.set(audit.roomId, audit)
  return 'kept'
}

/** Takes those that were answered before this response was asked for, oldest first. */
export function takeCaughtUp(pending: PendingAudits, requestedAtMs: number): readonly MembersAudit[] {
  const taken = [...pending.values()].filter(({ answeredAt }) => answeredAt.monotonicMs <= requestedAtMs)
  for (const { roomId } of taken) pending.delete(roomId)
  return taken
}
