// When a fault was allowed to go unnoticed for longer than silence may, and by how much.
import type { Entry } from './history.ts'

export type BlindTimes = readonly { readonly fromMs: number; readonly toMs: number; readonly blindMs: number }[]

export function blindTimesOf(history: readonly Entry[]): BlindTimes {
  const times: { fromMs: number; toMs: number; blindMs: number }[] = []
  for (const entry of history) {
    if (entry.kind !== 'fault' || entry.blindMs === 0) continue
    const { atMs, blindMs } = entry
    if (entry.phase === 'begins') times.push({ fromMs: atMs, toMs: Infinity, blindMs })
    else {
      const last = times.at(-1)
      // What it hid may still be on its way to be seen.
      if (last?.toMs === Infinity) last.toMs = atMs + blindMs
    }
  }
  return times
}

export const blindMsAt = (times: BlindTimes, atMs: number): number =>
  Math.max(0, ...times.filter(({ fromMs, toMs }) => atMs >= fromMs && atMs <= toMs).map(({ blindMs }) => blindMs))
