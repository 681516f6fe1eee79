// Whose turn it is to follow Matrix: with STANDBY=waits a leader's, from its election until another was faster; else always.
//
//   set(true) -> begun ...... set(false) -> the signal of the turn aborts ...... set(true) -> begun again
export type Turns = {
  set(isOurs: boolean): void
  /** Resolves when it is our turn, or at the abort. */
  begun(signal: AbortSignal): Promise<void>
  /** Aborts when the turn that is now ends. */
  end(): AbortSignal
}

export function createTurns(isOursAtFirst: boolean): Turns {
  let turn = isOursAtFirst ? new AbortController() : undefined
  let wake = (): void => undefined
  return {
    set(isOurs) {
      if (isOurs === (turn !== undefined)) return
      turn?.abort()
      turn = isOurs ? new AbortController() : undefined
      wake()
    },
    async begun(signal) {
      while (turn === undefined && !signal.aborted)
        await new Promise<void>((resolve) => {
          wake = resolve
          signal.addEventListener('abort', () => resolve(), { once: true })
        })
    },
    end: () => turn?.signal ?? AbortSignal.abort(),
  }
}
