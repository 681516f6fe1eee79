// Waits for a fact instead of for a while: asks again and again until the answer is yes or a deadline has passed.
import { setTimeout as delay } from 'node:timers/promises'

export type UntilOptions = {
  /** Give up after this time; the error names `what`. */
  deadlineMs: number
  /** What is waited for, as the end of the sentence "waited 5000 ms for ...". */
  what: string
  everyMs?: number
  /** Ends the wait with an error: whoever waited no longer needs the answer. */
  signal?: AbortSignal
}

type Answer<T> = { kind: 'value'; value: T } | { kind: 'error'; error: unknown } | { kind: 'late' }

// 20 ms: short beside anything a server does, long enough not to keep a core busy with asking.
const everyMsDefault = 20

/** Resolves with the first truthy answer. An answer that throws counts as "not yet" and is told in the error. */
export async function until<T>(condition: () => T | Promise<T>, options: UntilOptions): Promise<NonNullable<T>> {
  const startMs = performance.now()
  const leftMs = (): number => startMs + options.deadlineMs - performance.now()
  let last: Answer<T> = { kind: 'late' }
  do {
    options.signal?.throwIfAborted()
    const answer = await ask(condition, Math.max(1, leftMs()))
    if (answer.kind === 'value' && isYes(answer.value)) return answer.value
    // The first question may simply never be answered; a later one that is cut off says less than the answer before it.
    if (answer.kind !== 'late' || last.kind === 'late') last = answer
    await delay(Math.min(options.everyMs ?? everyMsDefault, Math.max(0, leftMs())))
  } while (leftMs() > 0)
  throw new Error(`waited ${options.deadlineMs} ms for ${options.what}; ${tell(last)}`)
}

function isYes<T>(value: T): value is NonNullable<T> {
  return Boolean(value)
}

async function ask<T>(condition: () => T | Promise<T>, limitMs: number): Promise<Answer<T>> {
  const timer = new AbortController()
  const late = delay(limitMs, { kind: 'late' } as const, { signal: timer.signal }).catch(
    () => ({ kind: 'late' }) as const,
  )
  try {
    return await Promise.race([answerOf(condition), late])
  } finally {
    timer.abort()
  }
}

async function answerOf<T>(condition: () => T | Promise<T>): Promise<Answer<T>> {
  try {
    return { kind: 'value', value: await condition() }
  } catch (error) {
    return { kind: 'error', error }
  }
}

function tell<T>(answer: Answer<T>): string {
  if (answer.kind === 'late') return 'the question was never answered'
  if (answer.kind === 'value') return `the last answer was ${String(answer.value)}`
  return `the last answer was an error: ${answer.error instanceof Error ? answer.error.message : String(answer.error)}`
}
