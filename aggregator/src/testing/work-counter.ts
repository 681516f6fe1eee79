// How much is done in one turn of the event loop, counted instead of timed: each look into a Map or a Set, each change of one, and
// each step over one. Everything that a city knows of people and rooms by name lies in these, so what handles a thousand people
// counts some thousands, on any machine and however busy it is.
//
// It changes the built-in classes while it counts, for this process: one at a time, and only in tests.

export type WorkCounter = {
  /** Another turn begins. */
  turn(): void
  /** The most that was done in one turn since this was asked last. */
  most(): number
  stop(): void
}

type Method = (this: unknown, ...given: unknown[]) => unknown

export function countWork(): WorkCounter {
  let [now, most] = [0, 0]
  const restores: (() => void)[] = []
  const count = (holder: object, name: string): void => {
    const owner = holder as Record<string, Method>
    const original = owner[name]
    if (original === undefined) throw new Error(`there is no ${name}`)
    owner[name] = function (...given) {
      now++
      return original.apply(this, given)
    }
    restores.push(() => void (owner[name] = original))
  }
  for (const name of ['get', 'set', 'has', 'delete']) count(Map.prototype, name)
  for (const name of ['add', 'has', 'delete']) count(Set.prototype, name)
  for (const iterator of [new Map().entries(), new Set().values()])
    count(Object.getPrototypeOf(iterator) as object, 'next')
  const turn = (): void => {
    most = Math.max(most, now)
    now = 0
  }
  return {
    turn,
    most() {
      turn()
      const found = most
      most = 0
      return found
    },
    stop: () => restores.forEach((restore) => restore()),
  }
}
