// Long polls: who waits for news, what wakes him, and the answers that are given a second time.
//
//   question -> kept answer of the same question? -> answer now, if there is anything to say or nobody waits
//                                                 -> else wait: a change asks anew, the timeout answers with nothing
import type { SyncResult } from './sync-answer.ts'

export type PollClock = { wallMs(): number; after(ms: number, run: () => void): () => void }

export type Poll = {
  /** Two questions with the same key within two minutes get the same answer. */
  readonly key: string
  readonly since: string | undefined
  readonly timeoutMs: number
  ask(): SyncResult
}

export type Polls = {
  answer(poll: Poll, aborted: AbortSignal): Promise<SyncResult>
  /** Something changed: whoever waits asks again. */
  wake(): void
  waiting(): number
  /** After a restart nothing is kept. */
  forget(): void
}

type Kept = { readonly result: Promise<SyncResult>; doneAtMs: number | undefined }

// Synapse keeps an answer for two minutes after it was ready, so that a client whose connection broke gets it again.
export const keptAnswerMs = 120_000

export function createPolls(clock: PollClock): Polls {
  const waiters = new Set<() => void>()
  const kept = new Map<string, Kept>()

  const forgetOld = (): void => {
    for (const [key, { doneAtMs }] of kept)
      if (doneAtMs !== undefined && clock.wallMs() - doneAtMs >= keptAnswerMs) kept.delete(key)
  }

  const wait = (poll: Poll, aborted: AbortSignal): Promise<SyncResult> =>
    new Promise((resolve) => {
      const finish = (result: SyncResult): void => {
        cancel()
        waiters.delete(look)
        aborted.removeEventListener('abort', giveUp)
        resolve(result)
      }
      const look = (): void => {
        const result = poll.ask()
        if (!result.isEmpty) finish(result)
      }
      const giveUp = (): void => finish(poll.ask())
      const cancel = clock.after(poll.timeoutMs, giveUp)
      waiters.add(look)
      aborted.addEventListener('abort', giveUp, { once: true })
    })

  return {
    async answer(poll, aborted) {
      forgetOld()
      const known = kept.get(poll.key)
      if (known !== undefined) return known.result
      const now = poll.ask()
      const isDone = !now.isEmpty || poll.timeoutMs === 0 || poll.since === undefined
      const entry: Kept = { result: isDone ? Promise.resolve(now) : wait(poll, aborted), doneAtMs: undefined }
      kept.set(poll.key, entry)
      const result = await entry.result
      entry.doneAtMs = clock.wallMs()
      // An answer that leads nowhere is not kept, or its reader would come round at once, for ever.
      if (result.nextBatch === poll.since && kept.get(poll.key) === entry) kept.delete(poll.key)
      return result
    },
    wake() {
      for (const look of [...waiters]) look()
    },
    waiting: () => waiters.size,
    forget: () => kept.clear(),
  }
}
