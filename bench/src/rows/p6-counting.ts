// P6: how many presence events a second the aggregator counts, from the bytes of an answer to the list of rooms that changed.
import { join } from 'node:path'
import { figure, type Curve, type Figure } from '../core/result.ts'
import { median } from '../core/statistics.ts'
import { startChild } from '../harness/lines.ts'
import { serverCore } from '../harness/machine.ts'
import { least, most, type Row } from './row.ts'

type Way = 'ours' | 'maps' | 'recount' | 'parse'
type Town = { readonly people: number; readonly rooms: number; readonly roomsOfEach: number }
type Flips = { readonly nanos: readonly number[]; readonly changed: number; readonly rss: number }

// Ten rooms each, a thousand people in a room; of the smallest town a hundred.
const town = (people: number): Town => ({ people, rooms: Math.max(100, people / 100), roomsOfEach: 10 })
/** 2,000 events are 200 KB: an answer that is read on the loop, as it comes to who is kept busy. */
type Answers = { readonly events: number; readonly answers: number }
const usualAnswer: Answers = { events: 2_000, answers: 100 }
/** One room that holds everybody, where looking at all members again is worst. */
const oneRoom = (people: number): Town => ({ people, rooms: 1, roomsOfEach: 1 })

async function flips(way: Way, { people, rooms, roomsOfEach }: Town, answer = usualAnswer, runs = 5): Promise<Flips> {
  const script = join(import.meta.dirname, '../load/presence-flips.ts')
  const child = startChild(
    process.execPath,
    [
      '--max-old-space-size=8192',
      script,
      way,
      ...[people, rooms, roomsOfEach, answer.events, answer.answers, runs].map(String),
    ],
    { core: serverCore },
  )
  try {
    return await child.line<Flips>()
  } finally {
    await child.stop()
  }
}

const perSecond = ({ nanos }: Flips): readonly number[] => nanos.map((one) => 1e9 / one)

function told(role: Figure['role'], what: string, seen: Flips): Figure {
  return figure(
    role,
    what,
    'events/CPU s',
    perSecond(seen),
    `${Math.round(median(seen.nanos))} ns an event, RSS ${Math.round(seen.rss / 1e6)} MB`,
  )
}

export const counting: Row = {
  id: 'P6',
  isQuick: true,
  async measure(length) {
    const usual = town(100_000)
    const ours = await flips('ours', usual)
    const parse = await flips('parse', usual)
    const recount = await flips('recount', usual, { events: 500, answers: 2 }, 3)
    const ratio = median(recount.nanos) / median(ours.nanos)
    const figures = [
      told('ours', '100,000 people with 10 rooms each', ours),
      told('peer', "the first description's recount of each room, 100,000 people", recount),
      told('floor', 'JSON.parse of the same answers alone', parse),
    ]
    const goals = [
      least('events counted, 100,000 people', median(perSecond(ours)), 'events/s', 500_000),
      least('beside a recount of each room', ratio, 'x', 100, true),
    ]
    const curves: Curve[] = []
    if (length === 'whole') {
      const [small, middle, large] = [
        await flips('ours', town(1_000)),
        await flips('ours', town(10_000)),
        await flips('ours', town(1_000_000)),
      ]
      const all = await flips('ours', oneRoom(100_000))
      figures.splice(
        1,
        0,
        told('ours', '1,000,000 people with 10 rooms each', large),
        told('ours', '100,000 people in one room', all),
      )
      figures.push(told('peer', 'Maps and Sets of strings, 100,000 people', await flips('maps', usual)))
      goals.push(
        most(
          'time of an event, 1,000,000 people beside 1,000',
          median(large.nanos) / median(small.nanos),
          'x',
          15,
          true,
        ),
      )
      const sizes = [20, 200, 2_000]
      const micros: number[] = []
      for (const events of sizes)
        micros.push(median((await flips('ours', usual, { events, answers: 200_000 / events })).nanos))
      curves.push({
        what: 'CPU of a presence event',
        across: 'events in an answer',
        unit: 'ns',
        points: sizes.map((at, index) => ({ at, value: micros[index] ?? Number.NaN })),
      })
      curves.push({
        what: 'CPU of a presence event',
        across: 'people',
        unit: 'ns',
        points: [
          { at: 1_000, value: median(small.nanos) },
          { at: 10_000, value: median(middle.nanos) },
          { at: 100_000, value: median(ours.nanos) },
          { at: 1_000_000, value: median(large.nanos) },
        ],
      })
    }
    return {
      id: 'P6',
      title: 'Counting',
      workload:
        'answers of /sync with 2,000 presence events each, every one of them somebody who comes or goes; from the bytes to the list of rooms whose counts changed',
      boundBy: 'memory: the people who change lie anywhere in it; before that JSON.parse',
      figures,
      goals,
      curves,
      notRun: [],
      notes: [],
    }
  },
}
