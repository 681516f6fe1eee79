// The rooms that the daemon is not in yet, in their order, at the pace the homeserver allows, with an honest guess of the time.
//
//   wantRooms -> waiting -> nextJoin -> joinSucceeded                  a few dozen milliseconds each, then
//                   ^                -> joinLimited: all wait          one in ten seconds (0.1/s is Synapse's default)
//                   '-- later -------  -> joinRefused: this one waits, ever longer; the others go on
//
// Owned by edge/matrix-rooms and changed in place; times are monotonic and arrive as arguments.

export type JoinTarget = {
  readonly roomId: string
  /** Servers to ask for the room, where ours does not know it. */
  readonly via: readonly string[]
}

type Waiting = {
  readonly target: JoinTarget
  readonly notBeforeMs: number
  readonly refusals: number
  /** Why the last attempt failed. */
  readonly problem: string | undefined
}

export type JoinQueue = {
  /** In the order in which they were asked for. Bounded by the map, which is bounded. */
  readonly waiting: Map<string, Waiting>
  wanted: number
  blockedUntilMs: number
  /** The usual time from one join to the next, measured. */
  paceMs: number | undefined
  lastJoinMs: number | undefined
  /** The wait that the server asked for last; undefined again after two joins without one. */
  limitMs: number | undefined
  joinsSinceLimit: number
}

export type NextJoin =
  | { readonly kind: 'join'; readonly target: JoinTarget }
  | { readonly kind: 'wait'; readonly untilMs: number }
  | { readonly kind: 'idle' }

export type JoinProgress = {
  readonly wanted: number
  readonly joined: number
  readonly refused: readonly { readonly roomId: string; readonly problem: string }[]
  /** How long the rooms that were not refused will take; undefined when there are none. */
  readonly remainingMs: number | undefined
}

/** A room that refused us may be opened by hand any minute, or never. */
const refusalBaseMs = 60_000
const refusalCapMs = 3_600_000
/** Before anything was measured: what a join on a local Synapse takes, doubled. */
const paceGuessMs = 100
/** Each new measurement counts for a quarter: the pace follows the server within some ten joins. */
const paceWeight = 0.25

export const createJoinQueue = (): JoinQueue => ({
  waiting: new Map(),
  wanted: 0,
  blockedUntilMs: -Infinity,
  paceMs: undefined,
  lastJoinMs: undefined,
  limitMs: undefined,
  joinsSinceLimit: 0,
})

/** Takes what the map wants and what the daemon has; what is neither new nor missing keeps its place and its wait. */
export function wantRooms(
  queue: JoinQueue,
  targets: readonly JoinTarget[],
  joined: ReadonlySet<string>,
  nowMs: number,
): void {
  const missing = new Map(targets.filter(({ roomId }) => !joined.has(roomId)).map((target) => [target.roomId, target]))
  queue.wanted = targets.length
  for (const roomId of queue.waiting.keys()) if (!missing.has(roomId)) queue.waiting.delete(roomId)
  for (const [roomId, target] of missing) {
    const known = queue.waiting.get(roomId)
    queue.waiting.set(roomId, { notBeforeMs: nowMs, refusals: 0, problem: undefined, ...known, target })
  }
}

export function nextJoin(queue: JoinQueue, nowMs: number): NextJoin {
  let untilMs = Infinity
  for (const { target, notBeforeMs } of queue.waiting.values()) {
    const dueMs = Math.max(notBeforeMs, queue.blockedUntilMs)
    if (dueMs <= nowMs) return { kind: 'join', target }
    untilMs = Math.min(untilMs, dueMs)
  }
  return untilMs === Infinity ? { kind: 'idle' } : { kind: 'wait', untilMs }
}

export function joinSucceeded(queue: JoinQueue, roomId: string, nowMs: number): void {
  queue.waiting.delete(roomId)
  if (queue.lastJoinMs !== undefined) {
    const tookMs = nowMs - queue.lastJoinMs
    queue.paceMs = queue.paceMs === undefined ? tookMs : queue.paceMs + paceWeight * (tookMs - queue.paceMs)
  }
  // The time until the next wish is no pace.
  queue.lastJoinMs = queue.waiting.size === 0 ? undefined : nowMs
  queue.joinsSinceLimit++
  if (queue.joinsSinceLimit >= 2) queue.limitMs = undefined
}

/** The server wants nothing of the kind for a while. */
export function joinLimited(queue: JoinQueue, waitMs: number, nowMs: number): void {
  queue.blockedUntilMs = Math.max(queue.blockedUntilMs, nowMs + waitMs)
  queue.limitMs = waitMs
  queue.joinsSinceLimit = 0
}

/** Nobody answered: that says nothing about the room and nothing about the pace. */
export function joinsPaused(queue: JoinQueue, waitMs: number, nowMs: number): void {
  queue.blockedUntilMs = Math.max(queue.blockedUntilMs, nowMs + waitMs)
}

export function joinRefused(queue: JoinQueue, roomId: string, problem: string, nowMs: number): void {
  const refused = queue.waiting.get(roomId)
  if (refused === undefined) return
  const waitMs = Math.min(refusalCapMs, refusalBaseMs * 2 ** Math.min(refused.refusals, 30))
  queue.waiting.set(roomId, { ...refused, problem, refusals: refused.refusals + 1, notBeforeMs: nowMs + waitMs })
}

/** A room just lost is not asked for at once: first the loss has to be known everywhere. */
export function postponeJoin(queue: JoinQueue, roomId: string, untilMs: number): void {
  const waiting = queue.waiting.get(roomId)
  if (waiting !== undefined)
    queue.waiting.set(roomId, { ...waiting, notBeforeMs: Math.max(waiting.notBeforeMs, untilMs) })
}

export function progressOf(queue: JoinQueue, nowMs: number): JoinProgress {
  const refused: { roomId: string; problem: string }[] = []
  for (const [roomId, { problem }] of queue.waiting) if (problem !== undefined) refused.push({ roomId, problem })
  const left = queue.waiting.size - refused.length
  return {
    wanted: queue.wanted,
    joined: queue.wanted - queue.waiting.size,
    refused,
    remainingMs: left === 0 ? undefined : remainingMs(queue, left, nowMs),
  }
}

/** A limit comes back after each join while it holds, so it is the pace. */
function remainingMs(queue: JoinQueue, left: number, nowMs: number): number {
  const paceMs = Math.max(queue.limitMs ?? 0, queue.paceMs ?? paceGuessMs)
  const blockedMs = Math.max(0, queue.blockedUntilMs - nowMs)
  return Math.round(blockedMs + (left - 1) * paceMs + Math.min(paceMs, paceGuessMs))
}
