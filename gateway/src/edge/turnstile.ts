// Lets those who come through a few at each turn of the event loop, in their order. When all browsers of a city come back in one
// moment, those who are in hear what changes all the same: between two turns sweeps, pings and the feed have theirs.
//
//   enter -> nobody waits and few came this turn? through at once : in line -> each turn the next few -> through
//
// The line is as long as there are connections, which the server bounds.

export type Turnstile<T> = {
  enter(one: T): void
  /** How many stand in line. */
  waiting(): number
}

/** `defer` runs after what is pending, sockets included. */
export function createTurnstile<T>(
  perTurn: number,
  pass: (one: T) => void,
  defer: (run: () => void) => void,
): Turnstile<T> {
  let line: T[] = []
  let next = 0
  let left = perTurn
  let isTurning = false
  const turn = (): void => {
    left = perTurn
    while (left > 0 && next < line.length) {
      left--
      pass(line[next++] as T)
    }
    // Those who are through are let go of now and then, not one by one: the line would be moved each time.
    if (next === line.length || next >= 1_024) {
      line = line.slice(next)
      next = 0
    }
    isTurning = line.length > 0 || left < perTurn
    if (isTurning) defer(turn)
  }
  return {
    enter(one) {
      if (left > 0) {
        left--
        pass(one)
      } else line.push(one)
      if (isTurning) return
      isTurning = true
      defer(turn)
    },
    waiting: () => line.length - next,
  }
}
