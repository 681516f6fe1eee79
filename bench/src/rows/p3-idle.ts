// P3: what an idle connection costs in memory, and P11: what silence costs in CPU time, on the same readers.
import { setTimeout as sleep } from 'node:timers/promises'
import { figure, type Figure, type NotRun } from '../core/result.ts'
import { connectionMemory, gatewayMemory, idleCost } from '../core/sizing.ts'
import { slopeOf } from '../core/statistics.ts'
import { pin, serverCore, slabBytes, usageOf } from '../harness/machine.ts'
import { startSink, type Sink } from '../harness/sink.ts'
import { browsersOf, counterOf, profileOfGateway, startCity, startOurs, type City } from '../servers/ours.ts'
import { peerTitles, startPeer, type PeerName } from '../servers/peers.ts'
import { least, most, notRun, type Length, type Row } from './row.ts'

const clients: Readonly<Record<Length, number>> = { whole: 18_000, quick: 6_000 }
const rooms = 100
const peers: readonly PeerName[] = ['naive-ws', 'socket-io', 'nats-ws', 'centrifuge']

type Growth = {
  readonly points: { at: number; value: number }[]
  readonly bytesEach: number
  readonly slabEach: number
}

/**
 * What a process grows by, a third of the browsers after the other. A connection's cost is the slope from the first third on: what
 * comes before grows pools and the room for garbage, which is there once however many come.
 */
async function growthOf(pid: number, sink: Sink, count: number): Promise<Growth> {
  const [rss, slab] = [usageOf(pid).rssBytes, slabBytes()]
  const sizes: (readonly [number, number])[] = []
  const points: { at: number; value: number }[] = []
  let slabEach = 0
  for (const size of [Math.round(count / 3), Math.round((2 * count) / 3), count]) {
    const { failed } = await sink.connect(size - (sizes.at(-1)?.[0] ?? 0))
    if (failed > 0) throw new Error(`${failed} connections failed`)
    await sleep(4_000)
    const bytes = usageOf(pid).rssBytes
    sizes.push([size, bytes])
    points.push({ at: size, value: (bytes - rss) / size / 1_024 })
    slabEach = (slabBytes() - slab) / size
  }
  return { points, bytesEach: slopeOf(sizes), slabEach }
}

export const idleMemory: Row = {
  id: 'P3',
  isQuick: false,
  async measure(length) {
    const city = await startCity(rooms)
    try {
      return await measureMemory(city, clients[length])
    } finally {
      await city.stop()
    }
  },
}

async function measureMemory(city: City, count: number) {
  const gateway = await startOurs(city)
  const alone = usageOf(gateway.pid).rssBytes / 1e6
  const beating = city.voice.keepBeating()
  const sink = browsersOf(gateway)
  const ours = await growthOf(gateway.pid, sink, count)
  await beating.stop()
  await sink.stop()
  await gateway.kill()
  const kib = ours.bytesEach / 1_024
  const figures: Figure[] = [
    figure('ours', 'gateway as shipped', 'KiB', [kib]),
    figure('ours', gatewayMemory, 'MB', [alone]),
  ]
  const missing: NotRun[] = []
  for (const name of peers) {
    const peer = await startPeer(name, city)
    if (peer === undefined) {
      missing.push(notRun(peerTitles[name], 'no Go to build it'))
      continue
    }
    const readers = startSink(peer.readers)
    figures.push(
      figure('peer', peerTitles[name], 'KiB', [(await growthOf(peer.pid, readers, count)).bytesEach / 1_024]),
    )
    await readers.stop()
    await peer.stop()
  }
  const slab = ours.slabEach / 1_024
  figures.push(figure('floor', "the kernel's own memory, both ends of a socket", 'KiB', [slab]))
  return {
    id: 'P3',
    title: 'Memory of an idle connection',
    workload: `${count} browsers come to one gateway with ${rooms} rooms in three waves and stay; the slope of its resident memory over the waves, pings and beats going on`,
    boundBy: 'the socket objects of Node and of the ws library',
    figures,
    goals: [
      most('resident memory of a connection', kib, 'KiB', 8),
      least('connections in a GiB, half of the kernel memory included', 2 ** 20 / (kib + slab / 2), '', 75_000),
    ],
    curves: [{ what: connectionMemory, across: 'browsers', unit: 'KiB', points: ours.points }],
    notRun: missing,
    notes: [],
  }
}

const silent: Readonly<Record<Length, { clients: number; runs: number; ms: number }>> = {
  whole: { clients: 10_000, runs: 5, ms: 6_000 },
  quick: { clients: 5_000, runs: 3, ms: 4_000 },
}

export const silence: Row = {
  id: 'P11',
  isQuick: false,
  profile: () =>
    profileOfGateway(rooms, async (city, sink) => {
      const beating = city.voice.keepBeating()
      await sink.connect(silent.whole.clients)
      await sleep(30_000)
      await beating.stop()
    }),
  async measure(length) {
    const { clients: count, runs, ms } = silent[length]
    const city = await startCity(rooms)
    const gateway = await startOurs(city)
    const sink = browsersOf(gateway)
    try {
      const beating = city.voice.keepBeating()
      await sleep(1_000)
      const alone = await idleMicros(gateway.pid, 1, 3, ms / 2)
      const points: { at: number; value: number }[] = []
      let open = 0
      for (const size of [count / 4, count / 2, count]) {
        await sink.connect(size - open)
        open = size
        await sleep(3_000)
        if (size < count)
          points.push({ at: size, value: (await idleMicros(gateway.pid, size, 1, ms)).at(0) ?? Number.NaN })
      }
      // A reader is asked for a sign of life after 20 s of silence, the first time earlier: let them get into step.
      await sleep(length === 'whole' ? 10_000 : 2_000)
      const [before, stored] = [await sink.snap(), await counterOf(gateway, 'frames_total')]
      const values = await idleMicros(gateway.pid, count, runs, ms)
      const after = await sink.snap()
      const ours = figure('ours', 'gateway as shipped', 'us of CPU a second', values)
      points.push({ at: count, value: ours.median })
      await beating.stop()
      return {
        id: 'P11',
        title: 'Silence',
        workload: `${count} browsers, ${rooms} rooms in which nothing happens; a beat a second comes from the leader`,
        boundBy: 'a ping and a pong for each reader every 20 seconds, and a look at each of them every second',
        figures: [ours, figure('floor', 'the same gateway without readers, us of CPU a second in all', 'us', alone)],
        goals: [
          most('CPU time of an idle connection', ours.median, 'us/s', 2),
          most(
            'data frames sent to browsers',
            after.messages - before.messages + (await counterOf(gateway, 'frames_total')) - stored,
            '',
            0,
          ),
        ],
        curves: [{ what: idleCost, across: 'browsers', unit: 'us/s', points }],
        notRun: [notRun('writes to the Kubernetes API', 'counted by the tests of the operator and of the election')],
        notes: [`${after.pings - before.pings} pings were answered meanwhile`],
      }
    } finally {
      await sink.stop()
      await gateway.kill()
      await city.stop()
    }
  },
}

/** CPU microseconds a second, for each of so many. */
async function idleMicros(pid: number, count: number, runs: number, ms: number): Promise<readonly number[]> {
  pin(pid, serverCore)
  const values: number[] = []
  for (let run = 0; run < runs; run++) {
    const before = usageOf(pid)
    await sleep(ms)
    const after = usageOf(pid)
    values.push(((after.cpuMs - before.cpuMs) * 1e6) / (after.atMs - before.atMs) / count)
  }
  return values
}
