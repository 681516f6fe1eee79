// What all faults need to look at, in the words of their bars.
import { setTimeout as delay } from 'node:timers/promises'
import type { SeenRequest } from '@citypresence/sim/homeserver/serve'
import type { SessionState } from '@citypresence/sim/homeserver/accounts'
import { until } from '@citypresence/stack/until'
import type { KeptService } from '../kept-service.ts'
import type { Stage } from '../stage.ts'
import type { Witness } from '../witness.ts'

export const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`

/** How long it takes until each of them that is connected shows the mark. */
export async function untilMarked(stage: Stage, deadlineMs: number, witnesses = stage.witnesses): Promise<number> {
  const beganAtMs = stage.recorder.nowMs()
  await until(() => witnesses.every(({ stale, isConnected }) => !isConnected || stale === true), {
    deadlineMs: deadlineMs * stage.patience,
    what: 'the stale mark at every witness',
    everyMs: 5,
  })
  return stage.recorder.nowMs() - beganAtMs
}

/** Until none of them shows the mark any more. */
export async function untilFresh(stage: Stage, deadlineMs: number, witnesses = stage.witnesses): Promise<number> {
  const beganAtMs = stage.recorder.nowMs()
  await until(() => witnesses.every(({ stale, isConnected }) => isConnected && stale === false), {
    deadlineMs: deadlineMs * stage.patience,
    what: 'the end of the stale mark',
    everyMs: 5,
  })
  return stage.recorder.nowMs() - beganAtMs
}

/** Until everybody shows the truth, without the last change that settling makes. */
export async function untilTrue(stage: Stage, deadlineMs: number): Promise<number> {
  const beganAtMs = stage.recorder.nowMs()
  await until(() => stage.lies().length === 0, {
    deadlineMs: deadlineMs * stage.patience,
    what: 'every witness to show the truth',
    everyMs: 10,
  })
  return stage.recorder.nowMs() - beganAtMs
}

/** Time that has to pass because the fault is that long: the only waiting without a condition. */
export const lasting = (ms: number): Promise<unknown> => delay(ms)

/** The daemon's session becomes this one; what was asked with it until all are marked, and for so much longer. */
export async function loseSession(stage: Stage, state: SessionState, longerMs = 0): Promise<readonly SeenRequest[]> {
  const { homeserver, town } = stage
  const from = homeserver.requests.length
  homeserver.setSession(town.daemon.userId, state)
  await untilMarked(stage, 15_000)
  await lasting(longerMs)
  return homeserver.requests.slice(from)
}

/** Everybody is right again, in time. */
export async function backBar(stage: Stage, barMs: number): Promise<number> {
  const tookMs = await stage.settle(30_000)
  recoveredWithin(stage, tookMs, barMs)
  return tookMs
}

/** Who looks at this gateway, and who does not. */
export function witnessesOf(stage: Stage, gateway: number): { at: readonly Witness[]; elsewhere: readonly Witness[] } {
  const url = stage.gateways[gateway]?.now.webSocketUrl
  return {
    at: stage.witnesses.filter((witness) => witness.url === url),
    elsewhere: stage.witnesses.filter((witness) => witness.url !== url),
  }
}

/** None of them was shown the mark meanwhile. */
export function unmarked(stage: Stage, witnesses = stage.witnesses): () => void {
  const from = stage.recorder.history.length
  const names = new Set(witnesses.map(({ name }) => name))
  return () => {
    const marks = stage.recorder.history
      .slice(from)
      .filter((entry) => entry.kind === 'frame' && entry.message.type === 'status' && entry.message.stale)
    const told = marks.filter((entry) => entry.kind === 'frame' && names.has(entry.witness))
    missedIf(told.length > 0, `${told.length} marks where nothing had to be marked`)
  }
}

/** No browser was thrown out meanwhile. */
export function connectionsKept(stage: Stage): () => void {
  const closes = () => stage.recorder.history.filter(({ kind }) => kind === 'closed').length
  const before = closes()
  return () => missedIf(closes() > before, `${closes() - before} browsers lost their connection`)
}

/** Noted for the drawing of the page, and missed when it took longer than it may. */
export function recoveredWithin(stage: Stage, tookMs: number, barMs: number): void {
  stage.recorder.note({ kind: 'recovered', tookMs, barMs })
  lateIf(stage, tookMs, barMs, `all well again only after ${seconds(tookMs)}`)
}

/** A bar of time: missed where it took longer, told where it did but this stage has patience. */
export function lateIf({ patience }: Stage, tookMs: number, barMs: number, text: string): void {
  missedIf(tookMs > barMs * patience, text)
  if (tookMs > barMs) process.stderr.write(`later than the bar of ${seconds(barMs)}: ${text}\n`)
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

/** The most that one of these ways was dialled since. */
export function dialsOf(links: readonly { readonly dials: number }[]): () => number {
  const before = links.map(({ dials }) => dials)
  return () => Math.max(...links.map(({ dials }, index) => dials - (before[index] ?? 0)))
}

/** Why a service says that it is not ready; empty when it is. */
export async function reasonsOf({ now }: Pick<KeptService, 'now'>): Promise<readonly string[]> {
  const answer = await fetch(`${now.adminUrl}/readyz`, { signal: AbortSignal.timeout(2_000) })
  return ((await answer.json()) as { reasons: string[] }).reasons
}
