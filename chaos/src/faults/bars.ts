// What all faults need to look at, in the words of their bars.
import { setTimeout as delay } from 'node:timers/promises'
import { until } from '@citypresence/stack/until'
import type { Stage } from '../stage.ts'

export const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`

/** How long it takes until every witness that is connected shows the mark. */
export async function untilMarked(stage: Stage, deadlineMs: number): Promise<number> {
  const beganAtMs = stage.recorder.nowMs()
  await until(() => stage.witnesses.every(({ stale, isConnected }) => !isConnected || stale === true), {
    deadlineMs,
    what: 'the stale mark at every witness',
    everyMs: 5,
  })
  return stage.recorder.nowMs() - beganAtMs
}

/** Until no witness shows the mark any more. */
export async function untilFresh(stage: Stage, deadlineMs: number): Promise<number> {
  const beganAtMs = stage.recorder.nowMs()
  await until(() => stage.witnesses.every(({ stale, isConnected }) => isConnected && stale === false), {
    deadlineMs,
    what: 'the end of the stale mark',
    everyMs: 5,
  })
  return stage.recorder.nowMs() - beganAtMs
}

/** Time that has to pass because the fault is that long: the only waiting without a condition. */
export const lasting = (ms: number): Promise<unknown> => delay(ms)

/** No browser was thrown out meanwhile. */
export function connectionsKept(stage: Stage): () => void {
  const closes = () => stage.recorder.history.filter(({ kind }) => kind === 'closed').length
  const before = closes()
  return () => missedIf(closes() > before, `${closes() - before} browsers lost their connection`)
}

export function missedIf(missed: boolean, text: string): void {
  if (missed) throw new Error(text)
}

/** A counter or gauge of a service, all labels added up; 0 where it was never touched. */
export async function metricOf(service: { metrics(): Promise<string> }, name: RegExp): Promise<number> {
  const lines = (await service.metrics()).split('\n').filter((line) => name.test(line) && !line.startsWith('#'))
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
}

/** Where memory stood, and how far above that it came. */
export function memoryOf(stage: Stage, service: string): () => number {
  const from = stage.recorder.history.length
  const sizes = (entries: Stage['recorder']['history']): number[] =>
    entries.flatMap((entry) => (entry.kind === 'sample' && entry.service === service ? [entry.rssBytes] : []))
  const before = sizes(stage.recorder.history).at(-1) ?? 0
  return () => Math.max(0, ...sizes(stage.recorder.history.slice(from))) - before
}
