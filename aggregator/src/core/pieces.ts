// Long work in pieces: who runs it may do something else between two of them, as long as nobody touches what is worked on.
//
//   function* work(): Pieces<Answer> { ...; yield; ... }      wholly(work())            at once
//                                                             work().next(), next(), …  a piece at a time
export type Pieces<T> = Generator<undefined, T, undefined>

/** A look at so many people takes a few milliseconds. */
export const peoplePerPiece = 10_000
/** A look at so many rooms does, too. */
export const roomsPerPiece = 500

export function wholly<T>(pieces: Pieces<T>): T {
  for (;;) {
    const step = pieces.next()
    if (step.done === true) return step.value
  }
}

/** Visits all, with a pause after each so many. */
export function* visit<T>(all: Iterable<T>, perPiece: number, look: (one: T) => void): Pieces<void> {
  let left = perPiece
  for (const one of all) {
    if (left === 0) {
      yield
      left = perPiece
    }
    left--
    look(one)
  }
}
