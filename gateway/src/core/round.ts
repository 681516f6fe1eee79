// A walk round all members of a set that never ends: each is visited once a period, however many there are and whoever comes or
// goes meanwhile, a few at each tick. Pings, expiry and deadlines are checked on this walk, so none of them falls due for all
// at once, and nobody needs a timer of its own.
//
// Owns its iterator over the set; a JavaScript Set may grow and shrink under one.

export type Round<T> = { readonly members: ReadonlySet<T>; rest: Iterator<T> | undefined }

export const createRound = <T>(members: ReadonlySet<T>): Round<T> => ({ members, rest: undefined })

/** Visits the next `count` members, fewer where the round ends first: the next call begins another. */
export function visitNext<T>(round: Round<T>, count: number, visit: (member: T) => void): void {
  round.rest ??= round.members.values()
  for (let visited = 0; visited < count; visited++) {
    const next = round.rest.next()
    if (next.done === true) {
      round.rest = undefined
      return
    }
    visit(next.value)
  }
}

/** How many to visit at each tick so that the round takes at most the period. */
export const shareOf = (size: number, tickMs: number, periodMs: number): number =>
  Math.ceil((size * tickMs) / periodMs) + 1
