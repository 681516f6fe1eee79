// P1: one core fans out changes of ten rooms to five thousand sockets.
import type { Figure, NotRun } from '../core/result.ts'
import { fanOutOfFloor, fanOutOfOurs, fanOutOfPeer, profileOfFanOut, type Load } from '../harness/fan-out.ts'
import { peerTitles, type PeerName } from '../servers/peers.ts'
import { writeCost } from '../core/sizing.ts'
import { least, notRun, type Length, type Row } from './row.ts'

const peers: Readonly<Record<Length, readonly PeerName[]>> = {
  whole: ['naive-ws', 'socket-io', 'fastify-websocket', 'nats-ws', 'centrifuge'],
  quick: ['naive-ws'],
}
// A sweep over five thousand takes some 40 ms: all rooms have changed again before the next begins.
const usual = { clients: 5_000, rooms: 10, everyMs: 20 }
const lengths = { whole: { runs: 5, ms: 2_000 }, quick: { runs: 3, ms: 1_500 } } as const

export const fanOut: Row = {
  id: 'P1',
  isQuick: true,
  profile: () => profileOfFanOut({ ...usual, ...lengths.whole }),
  async measure(length) {
    const load: Load = { ...usual, ...lengths[length] }
    const ours = await fanOutOfOurs(load)
    const floor = await fanOutOfFloor(load)
    const others = new Map<PeerName, Figure>()
    const missing: NotRun[] = floor === undefined ? [notRun('C loop of send(2)', 'no C compiler')] : []
    for (const name of peers[length]) {
      const peer = await fanOutOfPeer(name, load)
      if (peer === undefined) missing.push(notRun(peerTitles[name], 'no Go to build it'))
      else others.set(name, peer)
    }
    const ratioTo = (name: PeerName): number => ours.messages.median / (others.get(name)?.median ?? Number.NaN)
    const writes = ours.writes?.median ?? Number.NaN
    return {
      id: 'P1',
      title: 'Fan-out of one core',
      workload: `${usual.clients} browsers on one gateway process pinned to one core, all ${usual.rooms} rooms change every ${usual.everyMs} ms, more often than a sweep can go round: a flush carries ${usual.rooms} rooms (${ours.framesPerWrite.toFixed(1)} frames a write were seen)`,
      boundBy: 'the kernel: a write through loopback TCP, the receiving side of it included',
      figures: [
        ours.messages,
        ...(ours.writes === undefined ? [] : [ours.writes]),
        ...others.values(),
        ...(floor === undefined ? [] : [floor]),
      ],
      goals: [
        least('messages delivered by one core', ours.messages.median, 'messages/s', 1e6),
        least('beside ws.send to each client', ratioTo('naive-ws'), 'x', 10, true),
        ...(others.has('socket-io') ? [least('beside Socket.IO', ratioTo('socket-io'), 'x', 15, true)] : []),
        ...(floor === undefined ? [] : [least("writes beside the C loop's", writes / floor.median, 'x', 0.75, true)]),
      ],
      curves: length === 'quick' ? [] : await curvesOf(load, ours.messages.median),
      notRun: [...missing, notRun('uWebSockets.js', 'has no package on npm that runs on Node 24')],
      notes: [],
    }
  },
}

async function curvesOf(load: Load, known: number) {
  const few = { ...load, runs: 3 }
  const at = async (more: Partial<Load>) => (await fanOutOfOurs({ ...few, ...more })).messages.median
  // Half as many take half as long, so they are told twice as often.
  const microsOf = (perCpuSecond: number): number => (1e6 * load.rooms) / perCpuSecond
  const [thousand, tenThousand] = [await at({ clients: 1_000, everyMs: 5 }), await at({ clients: 10_000, everyMs: 40 })]
  const [single, fifty] = [await at({ rooms: 1, everyMs: 10 }), await at({ rooms: 50, everyMs: 40 })]
  return [
    {
      what: writeCost,
      across: 'browsers',
      unit: 'us',
      points: [
        { at: 1_000, value: microsOf(thousand) },
        { at: 5_000, value: microsOf(known) },
        { at: 10_000, value: microsOf(tenThousand) },
      ],
    },
    {
      what: 'messages of one core, 5,000 browsers',
      across: 'rooms a flush',
      unit: 'messages/CPU s',
      points: [
        { at: 1, value: single },
        { at: 10, value: known },
        { at: 50, value: fifty },
      ],
    },
  ]
}
