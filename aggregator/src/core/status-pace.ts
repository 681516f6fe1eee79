// When the leader writes its status: a condition that turned at once, everything else once a minute. Once a minute also what did not
// change: somebody may have written over it meanwhile, as the operator does when it took us for lost.
import type { LeaderCondition, LeaderStatus } from './leader-status.ts'

export type ToldCondition = LeaderCondition & { readonly lastTransitionTime: string }

export type StatusPace = {
  /** What stands there, as far as we know: its times are kept while its status stays. */
  readonly told: ReadonlyMap<string, Pick<ToldCondition, 'status' | 'reason' | 'lastTransitionTime'>>
  readonly writtenAtMs: number
  readonly failures: number
  readonly retryAtMs: number
}

const everyMs = 60_000
// Turns that follow on each other are told together.
const turnsTogetherMs = 1_000

export const startPace = (there: readonly ToldCondition[]): StatusPace => ({
  told: new Map(there.map((one) => [one.type, one])),
  writtenAtMs: Number.NEGATIVE_INFINITY,
  failures: 0,
  retryAtMs: Number.NEGATIVE_INFINITY,
})

export function isDue(pace: StatusPace, { conditions }: LeaderStatus, nowMs: number): boolean {
  if (nowMs < pace.retryAtMs) return false
  const sinceMs = nowMs - pace.writtenAtMs
  const turned = conditions.some(({ type, status, reason }) => {
    const before = pace.told.get(type)
    return before?.status !== status || before.reason !== reason
  })
  return sinceMs >= (turned || pace.failures > 0 ? turnsTogetherMs : everyMs)
}

/** The conditions with their times: a time moves only when a status flips. */
export function withTimes(
  { told }: StatusPace,
  { conditions }: LeaderStatus,
  nowWallMs: number,
): readonly ToldCondition[] {
  const now = new Date(nowWallMs).toISOString().replace(/\.\d+Z$/, 'Z')
  return conditions.map((one) => {
    const before = told.get(one.type)
    return { ...one, lastTransitionTime: before?.status === one.status ? before.lastTransitionTime : now }
  })
}

export const written = (conditions: readonly ToldCondition[], nowMs: number): StatusPace => ({
  ...startPace(conditions),
  writtenAtMs: nowMs,
})

// From one second to a minute: the API server has other things to do when it does not answer.
export const notWritten = (pace: StatusPace, nowMs: number): StatusPace => ({
  ...pace,
  failures: pace.failures + 1,
  retryAtMs: nowMs + Math.min(everyMs, 1_000 * 2 ** Math.min(pace.failures, 10)),
})
