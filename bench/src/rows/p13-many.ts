// P13: as many browsers as the machine holds, on several gateway processes, and one change to all of them.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Gateway } from '@citypresence/stack/service'
import { figure } from '../core/result.ts'
import { pin, serverCore, slabBytes, usageOf } from '../harness/machine.ts'
import type { Sink } from '../harness/sink.ts'
import { browsersOf, startCity, startOurs, type City } from '../servers/ours.ts'
import { most, type Length, type Row } from './row.ts'

// A process may hold 20,000 files open: six of 16,700.
const shapes: Readonly<Record<Length, { gateways: number; each: number; runs: number }>> = {
  whole: { gateways: 6, each: 16_700, runs: 5 },
  quick: { gateways: 2, each: 5_000, runs: 3 },
}
const rooms = 10
const giga = 2 ** 30

export const many: Row = {
  id: 'P13',
  isQuick: false,
  async measure(length) {
    const { gateways: count, each, runs } = shapes[length]
    const city = await startCity(rooms)
    const gateways: Gateway[] = []
    const sinks: Sink[] = []
    const slab = slabBytes()
    try {
      const points: { at: number; value: number }[] = []
      for (let number = 0; number < count; number++) {
        await grow(city, gateways, sinks, each)
        if ([1, Math.ceil(count / 2)].includes(number + 1))
          points.push({ at: (number + 1) * each, value: (await changeToAll(city, sinks, 1)).at(0) ?? Number.NaN })
      }
      const values = await changeToAll(city, sinks, runs)
      const open = (await Promise.all(sinks.map((sink) => sink.snap()))).reduce((sum, one) => sum + one.open, 0)
      const rss = gateways.reduce((sum, { pid }) => sum + usageOf(pid).rssBytes, 0)
      const ours = figure('ours', `one change to ${open} browsers, until the last has it`, 'ms', values)
      points.push({ at: open, value: ours.median })
      return {
        id: 'P13',
        title: 'A hundred thousand browsers on one machine',
        workload: `${count} gateway processes on one core with ${each} browsers each; a room changes in quiet, and the age of that change at the last of all browsers is taken`,
        boundBy: 'one core that writes to all of them, and the other that reads',
        figures: [
          ours,
          figure('ours', 'resident memory of all gateways', 'GiB', [rss / giga]),
          figure('floor', "the kernel's own memory, both ends", 'GiB', [(slabBytes() - slab) / giga]),
        ],
        goals: [
          most('one change to all', ours.median, 'ms', 1_500),
          most('browsers that were not there', count * each - open, '', 0),
        ],
        curves: [{ what: 'one change to all', across: 'browsers', unit: 'ms', points }],
        notRun: [],
        notes: [],
      }
    } finally {
      for (const sink of sinks) await sink.stop()
      for (const gateway of gateways) await gateway.kill()
      await city.stop()
    }
  },
}

async function grow(city: City, gateways: Gateway[], sinks: Sink[], each: number): Promise<void> {
  const gateway = await startOurs(city)
  pin(gateway.pid, serverCore)
  gateways.push(gateway)
  // Each of them is looked at: the last one counts.
  const sink = browsersOf(gateway, { sampleEvery: 1 })
  sinks.push(sink)
  const beating = city.voice.keepBeating()
  await sink.connect(each)
  await beating.stop()
}

/** The age at whoever read it last, of each of so many changes. */
async function changeToAll(city: City, sinks: readonly Sink[], runs: number): Promise<number[]> {
  const oldest: number[] = []
  for (let run = 0; run < runs; run++) {
    const beating = city.voice.keepBeating()
    await sleep(1_500)
    await beating.stop()
    for (const sink of sinks) await sink.mark()
    await city.voice.say(run % rooms, 1)
    await sleep(3_000)
    const snaps = await Promise.all(sinks.map((sink) => sink.snap()))
    oldest.push(Math.max(...snaps.map(({ ages }) => ages.max)))
  }
  return oldest
}
