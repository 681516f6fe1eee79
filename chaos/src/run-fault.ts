// One fault from beginning to end: life goes on, something breaks and is mended, everybody settles on the truth, and then the
// history is judged. A bar that was missed, a city that did not come back, and a broken invariant are all the same: missed.
import { checkHistory } from '@citypresence/checker/core/check-history'
import type { Entry } from '@citypresence/checker/core/history'
import type { Fault } from './fault.ts'
import type { Stage } from './stage.ts'

export type Outcome = {
  readonly id: string
  readonly result: 'held' | 'missed' | 'not run'
  /** What was measured, or why it was missed or not run. */
  readonly figure: string
  /** From the end of the fault until every witness showed the truth. */
  readonly settledMs: number | undefined
  /** How long it took until all was well again, and how long it may: the time that came closest to its bar. */
  readonly recovery?: { readonly tookMs: number; readonly barMs: number }
}

const violationsShown = 5

export async function runFault(stage: Stage, fault: Fault): Promise<Outcome> {
  const { id, blindMs = 0, breaksPolls = false } = fault
  const why = fault.cannot?.()
  if (why !== undefined) return { id, result: 'not run', figure: why, settledMs: undefined }
  const { recorder } = stage
  try {
    // Whatever an earlier fault left behind is not this one's.
    await stage.settle()
    if (fault.still !== true) stage.beginLife()
    const beganAtMs = recorder.nowMs()
    recorder.note({ kind: 'fault', id, phase: 'begins', blindMs, breaksPolls })
    const figure = await fault
      .run(stage)
      .finally(() => recorder.note({ kind: 'fault', id, phase: 'ends', blindMs, breaksPolls }))
    const settledMs = await stage.settle()
    const violations = checkHistory(recorder.history).filter(({ atMs }) => atMs >= beganAtMs)
    const recovery = closestCall(recorder.history.filter(({ atMs }) => atMs >= beganAtMs))
    if (violations.length === 0)
      return { id, result: 'held', figure, settledMs, ...(recovery !== undefined && { recovery }) }
    const told = violations.slice(0, violationsShown).map(({ invariant, text }) => `${invariant}: ${text}`)
    return { id, result: 'missed', figure: `${violations.length} broken: ${told.join('; ')}`, settledMs }
  } catch (error) {
    return {
      id,
      result: 'missed',
      figure: error instanceof Error ? error.message : String(error),
      settledMs: undefined,
    }
  }
}

function closestCall(history: readonly Entry[]): Outcome['recovery'] {
  const all = history.flatMap((entry) => (entry.kind === 'recovered' ? [entry] : []))
  const [closest] = all.toSorted((one, other) => other.tookMs / other.barMs - one.tookMs / one.barMs)
  return closest && { tookMs: Math.round(closest.tookMs), barMs: closest.barMs }
}
