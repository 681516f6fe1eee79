// P5: readers who stop and readers who crawl, and what those who behave notice of them.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Gateway } from '@citypresence/stack/service'
import { figure } from '../core/result.ts'
import { median, slopeOf } from '../core/statistics.ts'
import { windowOf, type Window } from '../harness/window.ts'
import { browsersOf, startCity, startOurs } from '../servers/ours.ts'
import { usageOf } from '../harness/machine.ts'
import { most, type Length, type Row } from './row.ts'

type Shape = { readonly clients: number; readonly windows: number; readonly ms: number }
const shapes: Readonly<Record<Length, Shape>> = {
  whole: { clients: 2_000, windows: 12, ms: 5_000 },
  quick: { clients: 1_000, windows: 5, ms: 3_000 },
}
// Fifty rooms, ten times a second: more than who reads 1 KB a second can take, by far.
const [rooms, everyMs] = [50, 100]
/** Who stops for so long is not cut yet, and has much to catch up with. */
const stoppedMs = 8_000

type Phase = { readonly windows: readonly Window[]; readonly rss: readonly (readonly [number, number])[] }

async function phase(sink: Parameters<typeof windowOf>[0], pid: number, { windows, ms }: Shape): Promise<Phase> {
  const seen: Window[] = []
  const rss: [number, number][] = []
  await sink.snap()
  for (let window = 0; window < windows; window++) {
    seen.push(await windowOf(sink, pid, ms))
    rss.push([((window + 1) * ms) / 60_000, usageOf(pid).rssBytes])
  }
  return { windows: seen, rss }
}

/** How many the gateway closed because they did not read. */
async function cutBy(gateway: Gateway): Promise<number> {
  const line = /^citypresence_gateway_closes_total\{code="4408"\} (\d+)$/m.exec(await gateway.metrics())
  return Number(line?.[1] ?? Number.NaN)
}

export const slowReaders: Row = {
  id: 'P5',
  isQuick: true,
  async measure(length) {
    const shape = shapes[length]
    const city = await startCity(rooms)
    const gateway = await startOurs(city)
    const sink = browsersOf(gateway, { sampleEvery: 11 })
    try {
      const beating = city.voice.keepBeating()
      await sink.connect(shape.clients)
      await beating.stop()
      const saying = city.voice.keepSaying(rooms, everyMs)
      await sleep(5_000)
      await sink.mark()
      const calm = await phase(sink, gateway.pid, { ...shape, windows: Math.max(5, Math.floor(shape.windows / 2)) })
      // A tenth crawls, a fifth stops: they are cut after ten seconds and do not come back here.
      await sink.hold('slow', 10, 5)
      await sink.hold('stop', 5, 1)
      const slow = await phase(sink, gateway.pid, shape)
      const cut = await cutBy(gateway)
      // And some who stop for a while only.
      const { held } = await sink.hold('stop', 10, 2)
      await sleep(stoppedMs)
      await sink.resume()
      await sleep(4_000)
      const recovery = await sink.recover()
      const { regressions } = await sink.snap()
      await saying.stop()
      return row(shape, { calm, slow, cut, held, recovery, regressions })
    } finally {
      await sink.stop()
      await gateway.kill()
      await city.stop()
    }
  },
}

type Seen = {
  readonly calm: Phase
  readonly slow: Phase
  readonly cut: number
  readonly held: number
  readonly recovery: {
    readonly recovered: number
    readonly missing: number
    readonly meanMs: number
    readonly maxMs: number
  }
  readonly regressions: number
}

function row({ clients, windows, ms }: Shape, { calm, slow, cut, held, recovery, regressions }: Seen) {
  const p99s = ({ windows: seen }: Phase): number[] => seen.map(({ ages }) => ages.p99)
  const [before, during] = [
    figure('floor', 'p99 of who behaves, nobody slow', 'ms', p99s(calm)),
    figure('ours', 'p99 of who behaves, beside them', 'ms', p99s(slow)),
  ]
  const rss = slow.rss.map(([, bytes]) => bytes)
  const growth = slopeOf(slow.rss.slice(Math.floor(slow.rss.length / 3))) / median(rss)
  return {
    id: 'P5',
    title: 'Readers who do not read',
    workload: `${clients} browsers, ${rooms} rooms that all change every ${everyMs} ms, for ${(windows * ms) / 1_000} s beside a fifth of readers who stopped and a tenth who read 1 KB a second; then a tenth stop for ${stoppedMs / 1_000} s and read on`,
    boundBy: 'nothing of theirs: who lags is passed over, and costs a look',
    figures: [
      during,
      before,
      figure(
        'ours',
        'resident memory meanwhile',
        'MB',
        rss.map((bytes) => bytes / 1e6),
      ),
      figure(
        'ours',
        'who read on: until they had read something younger than that',
        'ms',
        [recovery.meanMs],
        `most ${Math.round(recovery.maxMs)} ms; ${held} had stopped for that while, ${recovery.recovered} of all who read on were still connected and got it`,
      ),
    ],
    goals: [
      most('p99 of who behaves beside the same without slow ones', during.median / before.median, 'x', 1.2, true),
      most('growth of memory, a minute', 100 * growth, '%', 1),
      most('readers who read on and are not current after four seconds', recovery.missing, '', 0),
      most('values older than one shown before', regressions, '', 0),
    ],
    curves: [],
    notRun: [],
    notes: [
      `${cut} of the slow ones were closed by the gateway, as they should be after ten seconds without an answer`,
    ],
  }
}
