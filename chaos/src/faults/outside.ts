// What lies around a process: where its log goes, what names mean, and servers that are not there when it starts.
import { startTcpProxy, type TcpProxy } from '@citypresence/sim/tcp-proxy'
import { until } from '@citypresence/stack/until'
import type { Fault } from '../fault.ts'
import { command, setHosts } from '../machine/inside.ts'
import type { KeptService } from '../kept-service.ts'
import type { Stage } from '../stage.ts'
import { lasting, metricOf, missedIf, recoveredWithin, seconds, untilFresh } from './bars.ts'
import { closesSince, exitsSince } from './changes.ts'

const namedServices = (stage: Stage): readonly (readonly [name: string, service: KeptService])[] => [
  ['aggregator', stage.aggregator],
  ...stage.gateways.map((gateway, index) => [`gateway-${index + 1}`, gateway] as const),
]

async function restartNats(stage: Stage): Promise<void> {
  await stage.nats.kill()
  await stage.nats.restart()
}

/** All speak into something that takes nothing, while NATS is lost and found, which everybody has something to say about. */
async function withoutLog(stage: Stage, output: string): Promise<string> {
  const [closes, exits] = [closesSince(stage), exitsSince(stage)]
  const speakInto = (place: (logFile: string) => string): void => {
    for (const [name, { now }] of namedServices(stage))
      command(stage.folder, name, now.pid, `output ${place(now.logFile)}`)
  }
  speakInto(() => output)
  let tookMs: number
  try {
    await restartNats(stage)
    await lasting(2_000)
    tookMs = await untilFresh(stage, 20_000)
    missedIf(exits() > 0, `${exits()} processes ended`)
    for (const [name, { now }] of namedServices(stage))
      missedIf((await metricOf(now, /errors_total{code="LogLost"}/)) === 0, `${name} lost no line: the fault was none`)
  } finally {
    speakInto((logFile) => logFile)
  }
  missedIf(closes() > 0, `${closes()} browsers lost their connection`)
  const lengths = namedServices(stage).map(([, { now }]) => now.logLines().length)
  await restartNats(stage)
  await until(() => namedServices(stage).every(([, { now }], index) => now.logLines().length > (lengths[index] ?? 0)), {
    deadlineMs: 10_000,
    what: 'all to speak again',
  })
  await untilFresh(stage, 20_000)
  return `nobody ended; NATS found again after ${seconds(tookMs + 2_000)}; all spoke again afterwards`
}

const [before, after] = ['127.0.0.1', '127.0.0.2']

/** Every process of ours ends and comes back, with settings that may differ now. */
async function restartAll(stage: Stage): Promise<void> {
  await Promise.all(
    namedServices(stage).map(async ([name, service]) => {
      const before = service.restarts
      await service.kill()
      // A browser that has not noticed yet still looks connected and fresh.
      await until(() => service.restarts > before, { deadlineMs: 30_000, what: `${name} to be back` })
    }),
  )
  await untilFresh(stage, 40_000)
}

async function move(stage: Stage): Promise<string> {
  const doors: TcpProxy[] = []
  const open = async (to: number, at?: { host: string; port: number }): Promise<TcpProxy> => {
    const door = await startTcpProxy({ to, ...(at !== undefined && { at }) })
    doors.push(door)
    return door
  }
  const matrixPort = Number(new URL(stage.homeserver.url).port)
  try {
    const old = { nats: await open(stage.nats.port), matrix: await open(matrixPort) }
    setHosts(stage.folder, { 'nats.test': before, 'matrix.test': before })
    stage.nextStart.gateway = { NATS_URL: `nats://nats.test:${old.nats.port}` }
    stage.nextStart.aggregator = {
      ...stage.nextStart.gateway,
      MATRIX_HS_URL: `http://matrix.test:${old.matrix.port}`,
    }
    await restartAll(stage)
    stage.beginLife()
    const closes = closesSince(stage)
    const moved = {
      nats: await open(stage.nats.port, { host: after, port: old.nats.port }),
      matrix: await open(matrixPort, { host: after, port: old.matrix.port }),
    }
    setHosts(stage.folder, { 'nats.test': after, 'matrix.test': after })
    await Promise.all([old.nats.stop(), old.matrix.stop()])
    const tookMs = await stage.settle(30_000)
    missedIf(moved.nats.dials < 1 + stage.gateways.length || moved.matrix.dials < 1, 'somebody did not follow')
    missedIf(closes() > 0, `${closes()} browsers lost their connection`)
    recoveredWithin(stage, tookMs, 10_000)
    return `true again ${seconds(tookMs)} after the move`
  } finally {
    stage.nextStart.gateway = {}
    stage.nextStart.aggregator = {}
    await restartAll(stage)
    for (const door of doors) await door.stop()
  }
}

export const outsideFaults: readonly Fault[] = [
  {
    id: 'F41c',
    title: 'the disk that takes the logs is full (ENOSPC), and everybody has something to say',
    bar: 'nobody ends, nobody is thrown out; lost lines are counted; lines come again when there is space',
    length: 'short',
    guard: "with the logger's own output all three processes ended",
    run: (stage) => withoutLog(stage, '/dev/full'),
  },
  {
    id: 'F41d',
    title: 'whoever reads the logs is gone (EPIPE)',
    bar: 'the same',
    length: 'long',
    guard: "with the logger's own output no lost line was counted",
    run: (stage) => withoutLog(stage, 'nobody'),
  },
  {
    id: 'F41e',
    title: 'the names of NATS and Matrix move to another address, the old one refuses',
    bar: 'everybody follows; no browser loses its connection; true again within 10 s',
    length: 'short',
    guard: 'with ten seconds between two dials instead of one all was well again only after 14.3 s',
    breaksPolls: true,
    run: move,
  },
  {
    id: 'F41f',
    title: 'NATS and Matrix are away for 25 s while all of ours start again',
    bar: 'no process ends more than once in 10 s; true within 20 s of the return',
    length: 'long',
    breaksPolls: true,
    async run(stage) {
      const exits = exitsSince(stage)
      const heal = stage.homeserver.fault({ path: /^/, fault: { kind: 'status', status: 502 } })
      await stage.nats.kill()
      await Promise.all(namedServices(stage).map(([, service]) => service.kill()))
      await lasting(25_000)
      await stage.nats.restart()
      heal()
      await until(() => stage.witnesses.every(({ isConnected }) => isConnected), {
        deadlineMs: 30_000,
        what: 'every browser to be back',
      })
      const tookMs = await untilFresh(stage, 30_000)
      missedIf(exits() > 2 * namedServices(stage).length, `${exits()} ends in 25 s`)
      recoveredWithin(stage, tookMs, 20_000)
      return `${exits()} ends; true ${seconds(tookMs)} after all browsers were back`
    },
  },
]
