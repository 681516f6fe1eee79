// Whether this process could do a leader's work now, for the election by Lease: who could not lets others go first, and a leader who
// cannot for too long hands over.
//
//   cut from NATS:    nothing can be said. Hands over after 10 s; a candidate does not try at all.
//   cut from Matrix:  what is said is old and says so. Hands over after 60 s; a candidate lets others go first, and takes what nobody
//                     else wants, for a marked city is better than none.
//
// Only a leader that was fit while it led hands over: where all are cut for good the Lease soon stays where it is.
export type Fitness = {
  readonly linkCutAtMs: number | undefined
  /** Since it leads. */
  readonly wasFit: boolean
}

export type Condition = {
  readonly leads: boolean
  readonly isLinked: boolean
  /** Since the last good sync; undefined before the first. */
  readonly sourceAgeMs: number | undefined
}

export type Judgement = {
  readonly fitness: Fitness
  readonly heldBackMs: number
  readonly handOver: 'NATS' | 'Matrix' | undefined
}

const linkPatienceMs = 10_000
const sourcePatienceMs = 60_000
// Any fit candidate has answered a free Lease by then, also one that waits for a retry.
const letOthersGoMs = 5_000

export const firstFitness: Fitness = { linkCutAtMs: undefined, wasFit: false }

export function judgeFitness(before: Fitness, { leads, isLinked, sourceAgeMs }: Condition, nowMs: number): Judgement {
  const isSourceGood = sourceAgeMs !== undefined && sourceAgeMs < sourcePatienceMs
  const fitness: Fitness = {
    linkCutAtMs: isLinked ? undefined : (before.linkCutAtMs ?? nowMs),
    wasFit: leads && (before.wasFit || (isLinked && isSourceGood)),
  }
  const { linkCutAtMs, wasFit } = fitness
  const isCutTooLong = linkCutAtMs !== undefined && nowMs - linkCutAtMs >= linkPatienceMs
  return {
    fitness,
    heldBackMs: !isLinked ? Number.POSITIVE_INFINITY : isSourceGood ? 0 : letOthersGoMs,
    handOver: !wasFit ? undefined : isCutTooLong ? 'NATS' : isSourceGood ? undefined : 'Matrix',
  }
}
