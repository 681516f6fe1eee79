// A walk round all members of a set that never ends: each is visited once a period, however many there are and whoever comes or
// goes meanwhile, a few at each tick. Pings, expiry and deadlines are checked on this walk, so none of them falls due for all
// at once, and nobody needs a timer of its own.
//
// Owns its iterator over the set; a JavaScript Set may grow and shrink under one.

export type Round<T> = {
  readonly members: ReadonlySet<T>
  rest: Iterator<T> | undefined
  /** How many this round still visits. Who came after its beginning waits for the next, so that nobody holds it up. */
  left: number
  /** Members at the beginning of this round and of the one before. */
  size: number
  sizeBefore: number
}

export const createRound = <T>(members: ReadonlySet<T>): Round<T> => ({
  members,
  rest: undefined,
  left: 0,
  size: 0,
  sizeBefore: 0,
})

/** Visits as many as bring the round about within the period, fewer where it ends first: the next call begins another. */
export function visitShare<T>(round: Round<T>, tickMs: number, periodMs: number, visit: (member: T) => void): void {
  const rest = (round.rest ??= begin(round))
  // When half of them leave, those who stay must not wait longer for it: the larger of the two rounds sets the pace.
  const pace = Math.max(round.size, round.sizeBefore)
  const share = Math.ceil((pace * tickMs) / periodMs) + 1
  for (let visited = 0; visited < share; visited++) {
    const next = round.left > 0 ? rest.next() : undefined
    if (next === undefined || next.done === true) {
      round.rest = undefined
      return
    }
    round.left--
    visit(next.value)
  }
}

function begin<T>(round: Round<T>): Iterator<T> {
  round.sizeBefore = round.size
  round.size = round.members.size
  round.left = round.size
  return round.members.values()
}
