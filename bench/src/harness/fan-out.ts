// One server under the load of a fan-out: readers come, a warm-up, then windows. The same for ours, for peers and for the floor.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Figure, Role, Share } from '../core/result.ts'
import { figure, told } from '../core/result.ts'
import { median } from '../core/statistics.ts'
import { startSendLoop } from '../servers/floor.ts'
import { browsersOf, counterOf, startCity, startOurs } from '../servers/ours.ts'
import { peerTitles, startPeer, type PeerName } from '../servers/peers.ts'
import { profileOfGateway } from '../servers/ours.ts'
import { startSink } from './sink.ts'
import { perCpuSecond, windowsOf, type Window } from './window.ts'

export type Load = {
  readonly clients: number
  /** All rooms of the city change each time, so that a flush carries all of them. */
  readonly rooms: number
  readonly everyMs: number
  readonly runs: number
  readonly ms: number
}

type FanOut = {
  readonly messages: Figure
  readonly writes: Figure | undefined
  readonly framesPerWrite: number
}

const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`

function besideOf(windows: readonly Window[]): string {
  const wall = median(windows.map(({ messages, wallMs }) => (messages / wallMs) * 1_000))
  const micros = median(windows.map((one) => 1e6 / perCpuSecond(one)))
  const [busy, reader] = [
    median(windows.map(({ cpuMs, wallMs }) => cpuMs / wallMs)),
    median(windows.map(({ sinkShare }) => sinkShare)),
  ]
  const closed = windows.reduce((sum, one) => sum + one.closed, 0)
  return [
    `${told(micros)} us of CPU a message`,
    `${told(wall)}/s by the clock with ${Math.round(busy * 100)} % of its core`,
    `readers ${Math.round(reader * 100)} % of theirs`,
    `RSS ${megabytes(windows.at(-1)?.rssBytes ?? 0)}`,
    ...(closed > 0 ? [`${closed} connections lost`] : []),
  ].join(', ')
}

const messagesOf = (role: Role, what: string, windows: readonly Window[]): Figure =>
  figure(role, what, 'messages/CPU s', windows.map(perCpuSecond), besideOf(windows))

export async function fanOutOfOurs(load: Load): Promise<FanOut> {
  const city = await startCity(load.rooms)
  const gateway = await startOurs(city)
  const sink = browsersOf(gateway)
  try {
    await sink.connect(load.clients)
    await sink.mark()
    const saying = city.voice.keepSaying(load.rooms, load.everyMs)
    const [writes, frames] = [await counterOf(gateway, 'writes_total'), await counterOf(gateway, 'frames_total')]
    const windows = await windowsOf(sink, gateway.pid, load)
    const written = (await counterOf(gateway, 'writes_total')) - writes
    const framesPerWrite = ((await counterOf(gateway, 'frames_total')) - frames) / written
    await saying.stop()
    return {
      messages: messagesOf('ours', 'gateway as shipped', windows),
      writes: figure(
        'ours',
        'gateway as shipped',
        'writes/CPU s',
        windows.map((one) => perCpuSecond(one) / framesPerWrite),
      ),
      framesPerWrite,
    }
  } finally {
    await sink.stop()
    await gateway.kill()
    await city.stop()
  }
}

/** Where the gateway spends its time under this load. */
export const profileOfFanOut = ({ clients, rooms, everyMs }: Load): Promise<readonly Share[]> =>
  profileOfGateway(rooms, async (city, sink) => {
    await sink.connect(clients)
    const saying = city.voice.keepSaying(rooms, everyMs)
    await sleep(6_000)
    await saying.stop()
  })

/** Undefined where the peer cannot be had. */
export async function fanOutOfPeer(name: PeerName, load: Load): Promise<Figure | undefined> {
  const city = await startCity(load.rooms)
  const peer = await startPeer(name, city)
  if (peer === undefined) {
    await city.stop()
    return undefined
  }
  const sink = startSink(peer.readers)
  try {
    await sink.connect(load.clients)
    const say = peer.keepSaying ?? ((rooms, everyMs) => city.voice.keepSaying(rooms, everyMs))
    const saying = say(load.rooms, load.everyMs)
    const windows = await windowsOf(sink, peer.pid, load)
    await saying.stop()
    return messagesOf('peer', peerTitles[name], windows)
  } finally {
    await sink.stop()
    await peer.stop()
    await city.stop()
  }
}

/** Undefined where there is no C compiler. */
export async function fanOutOfFloor(load: Load): Promise<Figure | undefined> {
  const loop = await startSendLoop(load.clients)
  if (loop === undefined) return undefined
  const rates: number[] = []
  let torn = 0
  await loop.run(load.ms / 2, load.rooms)
  for (let run = 0; run < load.runs; run++) {
    const one = await loop.run(load.ms, load.rooms)
    rates.push((one.writes * 1_000) / one.cpuMs)
    torn += one.torn + one.full
  }
  await loop.stop()
  return figure(
    'floor',
    'C loop of send(2)',
    'writes/CPU s',
    rates,
    torn > 0 ? `${told(torn)} sends found full buffers` : undefined,
  )
}
