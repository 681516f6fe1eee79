// P2: how old a change is when a browser reads it, with a gateway that has more to do than it can, and with one that has not.
//
// The age is taken from the leader's stamp to the reader's clock, NATS and its disk included, on one machine with one clock.
import { setTimeout as sleep } from 'node:timers/promises'
import { figure } from '../core/result.ts'
import { slopeOf } from '../core/statistics.ts'
import { windowOf, type Window } from '../harness/window.ts'
import { startSink } from '../harness/sink.ts'
import { browsersOf, startCity, startOurs } from '../servers/ours.ts'
import { startPeer } from '../servers/peers.ts'
import { usageOf } from '../harness/machine.ts'
import { most, type Length, type Row } from './row.ts'

type Flow = { readonly clients: number; readonly changesPerS: number; readonly windows: number; readonly ms: number }

const saturated: Readonly<Record<Length, Flow>> = {
  whole: { clients: 10_000, changesPerS: 200, windows: 6, ms: 10_000 },
  quick: { clients: 5_000, changesPerS: 200, windows: 3, ms: 4_000 },
}
const calm: Flow = { clients: 10_000, changesPerS: 2, windows: 5, ms: 3_000 }
// Changes come one by one, in this many rooms.
const rooms = 200

/** Windows of one flow, and how long a sweep of it takes by the gateway's CPU. */
async function windowsOfOurs({
  clients,
  changesPerS,
  windows,
  ms,
}: Flow): Promise<{ seen: Window[]; sweepMs: number }> {
  const city = await startCity(rooms)
  const gateway = await startOurs(city)
  const sink = browsersOf(gateway)
  try {
    const beating = city.voice.keepBeating()
    await sink.connect(clients)
    await beating.stop()
    const saying = city.voice.keepSaying(1, 1_000 / changesPerS)
    await sleep(3_000)
    await sink.mark()
    const seen: Window[] = []
    for (let window = 0; window < windows; window++) seen.push(await windowOf(sink, gateway.pid, ms))
    await saying.stop()
    return { seen, sweepMs: sweepOf(await gateway.metrics()) }
  } finally {
    await sink.stop()
    await gateway.kill()
    await city.stop()
  }
}

/** The mean, from the gateway's own histogram. */
function sweepOf(metrics: string): number {
  const read = (name: string): number =>
    Number(new RegExp(`^citypresence_gateway_sweep_seconds_${name} (\\S+)$`, 'm').exec(metrics)?.[1])
  return (read('sum') / read('count')) * 1_000
}

async function agesOfNaive({ clients, changesPerS }: Flow, ms: number): Promise<readonly number[]> {
  const city = await startCity(rooms)
  const peer = await startPeer('naive-ws', city)
  if (peer === undefined) throw new Error('the naive peer is plain Node and always there')
  const sink = startSink(peer.readers)
  try {
    await sink.connect(clients)
    await sink.mark()
    const saying = city.voice.keepSaying(1, 1_000 / changesPerS)
    const ages: number[] = []
    for (let window = 0; window < 5; window++) ages.push((await windowOf(sink, peer.pid, ms / 5)).ages.p99)
    await saying.stop()
    return ages
  } finally {
    usageOf(peer.pid)
    await sink.stop()
    await peer.stop()
    await city.stop()
  }
}

const p99s = (windows: readonly Window[]): readonly number[] => windows.map(({ ages }) => ages.p99)

export const latency: Row = {
  id: 'P2',
  isQuick: false,
  async measure(length) {
    const flow = saturated[length]
    const busy = await windowsOfOurs(flow)
    const idle = await windowsOfOurs(calm)
    const [first, last] = [busy.seen.at(0)?.ages.p99 ?? Number.NaN, busy.seen.at(-1)?.ages.p99 ?? Number.NaN]
    const slope = slopeOf(busy.seen.map(({ ages }, index) => [(index * flow.ms) / 1_000, ages.p99] as const))
    const naive = await agesOfNaive(flow, 15_000)
    const ours = figure('ours', `${flow.clients} browsers, ${flow.changesPerS} changes/s: p99`, 'ms', p99s(busy.seen))
    const calmly = figure('ours', `${calm.clients} browsers, ${calm.changesPerS} changes/s: p99`, 'ms', p99s(idle.seen))
    const small = await sizes(flow)
    return {
      id: 'P2',
      title: 'Age of a change when a browser reads it',
      workload: `${rooms} rooms that change one after the other; from the leader's stamp to the reader's clock`,
      boundBy:
        'a sweep: who stands last in it reads a change one sweep after who stands first, and one that came just too late waits for the next',
      figures: [
        ours,
        figure(
          'ours',
          'the same: p50',
          'ms',
          busy.seen.map(({ ages }) => ages.p50),
        ),
        calmly,
        figure(
          'peer',
          'ws.send to each client: p99 after 3, 6, 9, 12 and 15 s',
          'ms',
          naive,
          naive.map((age) => String(Math.round(age))).join(', '),
        ),
        figure('floor', 'a sweep (mean, by the clock), busy', 'ms', [busy.sweepMs]),
        figure('floor', 'a sweep (mean, by the clock), calm', 'ms', [idle.sweepMs]),
      ],
      goals: [
        most('p99 with more changes than can be told', ours.median, 'ms', 500),
        most('its last ten seconds beside its first', last / first, 'x', 1.1, true),
        most('p99 with room to spare beside two sweeps and 5 ms', calmly.median / (2 * idle.sweepMs + 5), 'x', 1, true),
      ],
      curves: [
        {
          what: `p99 at ${flow.changesPerS} changes/s`,
          across: 'browsers',
          unit: 'ms',
          points: [...small, { at: flow.clients, value: ours.median }],
        },
      ],
      notRun: [],
      notes: [
        `the p99 of the busy one grew by ${slope.toFixed(1)} ms a second over ${(flow.windows * flow.ms) / 1_000} s`,
      ],
    }
  },
}

async function sizes(flow: Flow) {
  const points: { at: number; value: number }[] = []
  for (const clients of [1_000, 5_000]) {
    const { seen } = await windowsOfOurs({ ...flow, clients, windows: 3, ms: 3_000 })
    points.push({ at: clients, value: figure('ours', '', '', p99s(seen)).median })
  }
  return points
}
