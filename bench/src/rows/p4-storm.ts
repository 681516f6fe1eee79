// P4: a city's browsers come back in one moment, each with a token to be verified and a snapshot to be given.
import { setTimeout as sleep } from 'node:timers/promises'
import { figure, type Figure } from '../core/result.ts'
import { median } from '../core/statistics.ts'
import { usageOf } from '../harness/machine.ts'
import { startSink, type Connected, type Sink } from '../harness/sink.ts'
import { browsersOf, profileOfGateway, startCity, startOurs, type City } from '../servers/ours.ts'
import { peerTitles, startPeer } from '../servers/peers.ts'
import { least, most, type Length, type Row } from './row.ts'

const shape: Readonly<Record<Length, { clients: number; runs: number }>> = {
  whole: { clients: 10_000, runs: 5 },
  quick: { clients: 4_000, runs: 3 },
}
// All of them want in at once; the kernel keeps four thousand at the door, the others would only wait a second for another try.
const atTheDoor = 2_000
const calmReaders = 500

type Storm = { readonly perCpuS: number; readonly perS: number; readonly p99: number }

async function stormsOn(pid: number, sink: Sink, count: number, runs: number): Promise<readonly Storm[]> {
  const storms: Storm[] = []
  for (let run = 0; run <= runs; run++) {
    const before = usageOf(pid)
    const connected: Connected = await sink.connect(count, atTheDoor)
    const after = usageOf(pid)
    if (connected.failed > 0) throw new Error(`${connected.failed} of ${count} connections failed`)
    // The first warms up.
    if (run > 0)
      storms.push({
        perCpuS: (count * 1_000) / (after.cpuMs - before.cpuMs),
        perS: (count * 1_000) / connected.tookMs,
        p99: connected.p99,
      })
    await sink.closeAll()
    await sleep(1_000)
  }
  return storms
}

const besideOf = (storms: readonly Storm[]): string =>
  `${Math.round(median(storms.map(({ perS }) => perS)))}/s by the clock, p99 to the snapshot ${Math.round(median(storms.map(({ p99 }) => p99)))} ms`

const figureOf = (role: 'ours' | 'peer', what: string, storms: readonly Storm[]): Figure =>
  figure(
    role,
    what,
    'connections/CPU s',
    storms.map(({ perCpuS }) => perCpuS),
    besideOf(storms),
  )

/** The p99 of changes for readers who are in, calm and during a storm. */
async function liveAges(city: City, count: number): Promise<{ calm: number[]; storm: number[] }> {
  const gateway = await startOurs(city)
  const [readers, storm] = [browsersOf(gateway, { sampleEvery: 5 }), browsersOf(gateway)]
  try {
    const beating = city.voice.keepBeating()
    await readers.connect(calmReaders)
    await beating.stop()
    const saying = city.voice.keepSaying(1, 50)
    await sleep(1_000)
    await readers.mark()
    const [calm, stormy]: [number[], number[]] = [[], []]
    for (let run = 0; run < 5; run++) {
      await readers.snap()
      await sleep(1_500)
      calm.push((await readers.snap()).ages.p99)
      await storm.connect(count, atTheDoor)
      stormy.push((await readers.snap()).ages.p99)
      await storm.closeAll()
      await sleep(700)
    }
    await saying.stop()
    return { calm, storm: stormy }
  } finally {
    await readers.stop()
    await storm.stop()
    await gateway.kill()
  }
}

async function ratesOf(rooms: number, { clients, runs }: { clients: number; runs: number }) {
  const city = await startCity(rooms)
  const beating = city.voice.keepBeating()
  const gateway = await startOurs(city)
  const mine = browsersOf(gateway)
  const ours = await stormsOn(gateway.pid, mine, clients, runs)
  await mine.stop()
  await gateway.kill()
  const peer = await startPeer('fastify-websocket', city)
  if (peer === undefined) throw new Error('this peer is plain Node and always there')
  await beating.stop()
  // It knows what it heard: each room once.
  await city.voice.say(0, Math.min(rooms, 999))
  await sleep(300)
  const theirs = startSink(peer.readers)
  const others = await stormsOn(peer.pid, theirs, clients, runs)
  await theirs.stop()
  await peer.stop()
  await city.stop()
  return { ours, others }
}

export const storm: Row = {
  id: 'P4',
  isQuick: true,
  profile: () =>
    profileOfGateway(100, async (city, sink) => {
      const beating = city.voice.keepBeating()
      for (let run = 0; run < 5; run++) {
        await sink.connect(5_000, atTheDoor)
        await sink.closeAll()
      }
      await beating.stop()
    }),
  async measure(length) {
    const { clients, runs } = shape[length]
    const hundred = await ratesOf(100, { clients, runs })
    const thousand = length === 'whole' ? await ratesOf(1_000, { clients, runs: 3 }) : undefined
    const ten = length === 'whole' ? await ratesOf(10, { clients, runs: 3 }) : undefined
    const city = await startCity(100)
    const { calm, storm: stormy } = await liveAges(city, clients)
    await city.stop()
    const rate = (storms: readonly Storm[]): number => median(storms.map(({ perCpuS }) => perCpuS))
    const ratio = rate(hundred.ours) / rate(hundred.others)
    return {
      id: 'P4',
      title: 'Storm of connections',
      workload: `${clients} browsers connect, ${atTheDoor} of them under way at a time, each with an HS256 token and a snapshot of 100 rooms, which the gateway encodes once for all`,
      boundBy: 'Node: the objects of a request and of a socket, and the verification of a signature for each',
      figures: [
        figureOf('ours', 'gateway as shipped, 100 rooms', hundred.ours),
        figureOf('peer', `${peerTitles['fastify-websocket']}, 100 rooms`, hundred.others),
        ...(thousand === undefined
          ? []
          : [
              figureOf('ours', 'gateway as shipped, 1,000 rooms', thousand.ours),
              figureOf('peer', `${peerTitles['fastify-websocket']}, 1,000 rooms`, thousand.others),
            ]),
        figure('ours', `p99 age of changes for ${calmReaders} who are in, calm`, 'ms', calm),
        figure('ours', 'the same during a storm', 'ms', stormy),
      ],
      goals: [
        least('beside @fastify/websocket, 100 rooms', ratio, 'x', 1.2, true),
        ...(thousand === undefined
          ? []
          : [least('the same, 1,000 rooms', rate(thousand.ours) / rate(thousand.others), 'x', 2, true)]),
        most('p99 of who is in, storm beside calm', median(stormy) / median(calm), 'x', 3, true),
      ],
      curves:
        thousand === undefined || ten === undefined
          ? []
          : [
              {
                what: 'CPU of a connection',
                across: 'rooms in the snapshot',
                unit: 'us',
                points: [
                  { at: 10, value: 1e6 / rate(ten.ours) },
                  { at: 100, value: 1e6 / rate(hundred.ours) },
                  { at: 1_000, value: 1e6 / rate(thousand.ours) },
                ],
              },
            ],
      notRun: [],
      notes: [],
    }
  },
}
