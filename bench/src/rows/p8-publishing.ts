// P8: how many rooms a second the leader's fenced batches bring through a file-backed stream, beside what costs less and says less.
import { join } from 'node:path'
import { figure, type Figure } from '../core/result.ts'
import { startChild } from '../harness/lines.ts'
import { unpin } from '../harness/machine.ts'
import { startNats } from '@citypresence/stack/nats-server'
import { least, type Length, type Row } from './row.ts'

type Way = 'ours' | 'raw' | 'in-flight' | 'awaited'
type Rate = { readonly perS: number; readonly cpuMicros: number }

const titles: Readonly<Record<Way, string>> = {
  ours: 'fenced batches of a thousand',
  raw: 'a bare loop of the same batches, bodies and fence ready',
  'in-flight': 'js.publish, 512 in flight, no fence',
  awaited: 'js.publish, each awaited, no fence',
}
const ways: readonly Way[] = ['ours', 'raw', 'in-flight', 'awaited']
const lengths: Readonly<Record<Length, { runs: number; ms: number }>> = {
  whole: { runs: 7, ms: 1_200 },
  quick: { runs: 5, ms: 800 },
}

export const publishing: Row = {
  id: 'P8',
  isQuick: true,
  async measure(length) {
    const { runs, ms } = lengths[length]
    const nats = await startNats({ accounts: 'open' })
    unpin(nats.pid)
    const child = startChild(process.execPath, [join(import.meta.dirname, '../load/publish.ts'), nats.url], {
      core: undefined,
    })
    const seen = new Map<Way, Rate[]>(ways.map((way) => [way, []]))
    const points: { at: number; value: number }[] = []
    try {
      await child.line()
      // In turns, so that a disk that is busy for a while is so for all of them. The first round warms up.
      for (let run = 0; run <= runs; run++)
        for (const way of ways) {
          const rate = await child.ask<Rate>(`${way} 1000 ${ms}`)
          if (run > 0) seen.get(way)?.push(rate)
        }
      for (const size of length === 'whole' ? [10, 100, 1_000] : [])
        points.push({ at: size, value: (await child.ask<Rate>(`ours ${size} ${ms}`)).perS })
    } finally {
      await child.stop()
      await nats.stop()
    }
    const of = (way: Way): Figure => {
      const rates = seen.get(way) ?? []
      const cpu = figure(
        'ours',
        '',
        '',
        rates.map(({ cpuMicros }) => cpuMicros),
      )
      const role = way === 'ours' ? 'ours' : way === 'raw' ? 'floor' : 'peer'
      return figure(
        role,
        titles[way],
        'acknowledged/s',
        rates.map(({ perS }) => perS),
        `${cpu.median.toFixed(1)} us of CPU each`,
      )
    }
    const [ours, raw, inFlight, awaited] = [of('ours'), of('raw'), of('in-flight'), of('awaited')]
    return {
      id: 'P8',
      title: 'Fenced publishing',
      workload:
        'a thousand rooms, over and over, into a stream on disk; nats-server and the leader share the machine, the ways in turns',
      boundBy: 'nats-server and its disk',
      figures: [ours, inFlight, awaited, raw],
      goals: [
        least('beside the bare loop', ours.median / raw.median, 'x', 0.9, true),
        least('beside js.publish in flight', ours.median / inFlight.median, 'x', 2.5, true),
      ],
      curves:
        length === 'whole'
          ? [{ what: 'rooms acknowledged', across: 'rooms in a batch', unit: 'a second', points }]
          : [],
      notRun: [],
      notes: [],
    }
  },
}
