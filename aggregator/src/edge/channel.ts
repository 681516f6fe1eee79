// What one loop hands to another: a bounded queue that is read with `for await`. When it is full the oldest goes, because
// everything that travels here is newer truth about the same things.

export interface Channel<T> {
  push(value: T): void
  /** What was pushed, in order, until the signal aborts; throws what `fail` was told, once the queue is empty. One reader. */
  values(signal: AbortSignal): AsyncGenerator<T>
  fail(error: unknown): void
}

export function createChannel<T>(lengthMax: number): Channel<T> {
  const queue: T[] = []
  let failure: { readonly error: unknown } | undefined
  let wake: (() => void) | undefined
  const news = (signal: AbortSignal) =>
    new Promise<void>((resolve) => {
      const done = () => {
        signal.removeEventListener('abort', done)
        wake = undefined
        resolve()
      }
      wake = done
      signal.addEventListener('abort', done, { once: true })
    })
  return {
    push(value) {
      queue.push(value)
      if (queue.length > lengthMax) queue.shift()
      wake?.()
    },
    fail(error) {
      failure = { error }
      wake?.()
    },
    async *values(signal) {
      while (!signal.aborted) {
        const value = queue.shift()
        if (value !== undefined) yield value
        else if (failure !== undefined) throw failure.error
        else await news(signal)
      }
    },
  }
}
