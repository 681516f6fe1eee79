// Whether this process stood still a moment ago: then what it reads now may have waited for it all the while, and is as old as that.
//
//   look --250 ms--> look --250 ms--> (frozen, or a turn that took seconds) --> look: stood still since the one before --> answers read
//
// A look that comes more than a second late is a standstill; what waited meanwhile is read in the turns right after it.
import type { Moment } from './moment.ts'

export type Standstill = {
  readonly last: Moment
  readonly stood: { readonly from: Moment; readonly untilMs: number } | undefined
}

export const lookEveryMs = 250
// Far above the turns of a busy loop, and less than anything that is told by the age of the source.
const standstillMs = 1_000
const readWithinMs = 1_000

export const firstLook = (at: Moment): Standstill => ({ last: at, stood: undefined })

export const look = ({ last, stood }: Standstill, at: Moment): Standstill => ({
  last: at,
  stood:
    at.monotonicMs - last.monotonicMs > lookEveryMs + standstillMs ? { from: last, untilMs: at.monotonicMs } : stood,
})

/** When what is read at this moment was here at the earliest. */
export const hereSince = ({ stood }: Standstill, at: Moment): Moment => {
  if (stood === undefined || at.monotonicMs - stood.untilMs > readWithinMs) return at
  return stood.from.monotonicMs < at.monotonicMs ? stood.from : at
}
