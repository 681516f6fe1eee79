// One window of a fan-out under load: what the readers got and what the server used for it.
import { setTimeout as sleep } from 'node:timers/promises'
import { usageOf } from './machine.ts'
import type { Ages, Sink } from './sink.ts'

export type Window = {
  readonly messages: number
  readonly bytes: number
  readonly wallMs: number
  readonly cpuMs: number
  readonly rssBytes: number
  readonly ages: Ages
  readonly closed: number
  /** Of the reader's own core: a window in which it had none to spare measures the reader. */
  readonly sinkShare: number
}

export async function windowOf(sink: Sink, pid: number, ms: number): Promise<Window> {
  const [before, usedBefore] = [await sink.snap(), usageOf(pid)]
  await sleep(ms)
  const [after, used] = [await sink.snap(), usageOf(pid)]
  const wallMs = after.atMs - before.atMs
  const bytes = after.bytes - before.bytes
  // Where several messages share a frame they are counted in the looked at share of the bytes.
  const sampledBytes = after.sampledBytes - before.sampledBytes
  const sampled = after.sampledMessages - before.sampledMessages
  return {
    messages: sampledBytes === 0 ? 0 : Math.round((sampled * bytes) / sampledBytes),
    bytes,
    wallMs,
    cpuMs: used.cpuMs - usedBefore.cpuMs,
    rssBytes: used.rssBytes,
    ages: after.ages,
    closed: after.closed - before.closed,
    sinkShare: (after.cpuMs - before.cpuMs) / wallMs,
  }
}

/** Several windows after one that only warms up. */
export async function windowsOf(
  sink: Sink,
  pid: number,
  { runs = 5, ms = 2_000, warmMs = 2_000 }: { readonly runs?: number; readonly ms?: number; readonly warmMs?: number },
): Promise<readonly Window[]> {
  await sleep(warmMs)
  const windows: Window[] = []
  for (let run = 0; run < runs; run++) windows.push(await windowOf(sink, pid, ms))
  return windows
}

/** Of one core, the server's: what it delivers in a second of CPU time. */
export const perCpuSecond = ({ messages, cpuMs }: Window): number => (messages * 1_000) / Math.max(cpuMs, 1)
