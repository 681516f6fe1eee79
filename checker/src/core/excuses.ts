// What a fault excuses while it lasts and for a while after: that the source's silence goes unnoticed for longer than usual, and
// that people who type all the time are shown as not typing, because a broken poll may hide that they stopped.
import type { Counts } from './truth-spans.ts'
import type { Entry } from './history.ts'

export type Excuses = readonly {
  readonly fromMs: number
  readonly toMs: number
  readonly blindMs: number
  readonly breaksPolls: boolean
}[]

// For so long somebody may go on typing without the homeserver saying it once more.
const typingMaxMs = 130_000

export function excusesOf(history: readonly Entry[]): Excuses {
  const excuses: { fromMs: number; toMs: number; blindMs: number; breaksPolls: boolean }[] = []
  for (const entry of history) {
    if (entry.kind !== 'fault') continue
    const { atMs, blindMs, breaksPolls, id } = entry
    if (blindMs === 0 && !breaksPolls) continue
    if (entry.phase === 'begins') excuses.push({ fromMs: atMs, toMs: Infinity, blindMs, breaksPolls })
    else {
      // Some troubles overlap: the one that is over is the oldest of its kind that is not.
      const open = excuses.find(
        (one) => one.toMs === Infinity && one.blindMs === blindMs && one.breaksPolls === breaksPolls,
      )
      if (open === undefined) throw new Error(`${id} ended and never began`)
      // What it hid may still be on its way to be seen.
      open.toMs = atMs + Math.max(blindMs, breaksPolls ? typingMaxMs : 0)
    }
  }
  return excuses
}

export const blindMsAt = (excuses: Excuses, atMs: number): number =>
  Math.max(0, ...at(excuses, atMs).map(({ blindMs }) => blindMs))

/** Whether what is shown is what held, as far as anybody could know then. */
export const isAsKnown = (excuses: Excuses, atMs: number, held: Counts, shown: Counts): boolean =>
  held.online === shown.online &&
  (held.typing === shown.typing || (shown.typing === 0 && at(excuses, atMs).some(({ breaksPolls }) => breaksPolls)))

const at = (excuses: Excuses, atMs: number): Excuses =>
  excuses.filter(({ fromMs, toMs }) => atMs >= fromMs && atMs <= toMs)
