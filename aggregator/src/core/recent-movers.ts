// Who came or went in a room lately, as the syncs told it, and when: what a list of its members cannot be compared with.
//
//   asked for at 10 s -> a response at 12 s says that Ada left -> list: everybody but Ada is compared
//
// The list was made somewhen between its question and its answer. Of whoever did not move since the question, the syncs that came
// up to a while after the answer and the list must say the same; of whoever did, the syncs know more. So an audit ends also in a
// room where somebody comes or goes at each response.
//
// Owned by the life of a room and changed in place.

export type RecentMovers = {
  /** Who moved up to then is not known (any more): lists asked for until then are compared with nobody. */
  forgottenMs: number
  /** When each moved last, the latest one last. */
  readonly lately: Map<string, number>
}

/** A list waits for its answer, half a minute at the most, and for two polls of half a minute: what is older nobody asks for. */
const windowMs = 120_000
/** A room in which more people move in two minutes is a storm; its audits wait for the end of it. */
const moversMax = 1_000

/** Of a room that is followed from this moment on. */
export const createMovers = (sinceMs: number): RecentMovers => ({ forgottenMs: sinceMs, lately: new Map() })

export function noteMover(movers: RecentMovers, userId: string, nowMs: number): void {
  // All who are told of at the moment in which a room begins.
  if (nowMs <= movers.forgottenMs) return
  const { lately } = movers
  lately.delete(userId)
  lately.set(userId, nowMs)
  for (const [oldest, movedMs] of lately) {
    if (lately.size <= moversMax && movedMs > nowMs - windowMs) return
    lately.delete(oldest)
    movers.forgottenMs = Math.max(movers.forgottenMs, movedMs)
  }
}

/** Whether somebody moved since a list was asked for; undefined where that is not known of everybody. */
export function movedSince(movers: RecentMovers, askedMs: number): ((userId: string) => boolean) | undefined {
  if (askedMs <= movers.forgottenMs) return undefined
  return (userId) => (movers.lately.get(userId) ?? -Infinity) >= askedMs
}
