// P12: from the start of a gateway's process until it listens, and until somebody who waits at its door has a snapshot.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { gatewayNodeFlags } from '@citypresence/stack/cache'
import { freePort } from '@citypresence/stack/free-port'
import { bareEnv, repositoryRoot } from '@citypresence/stack/machine'
import { startProcess } from '@citypresence/stack/process'
import { makeToken } from '@citypresence/stack/tokens'
import { socketPath } from '@citypresence/wire/client-messages'
import { figure } from '../core/result.ts'
import { serverCore } from '../harness/machine.ts'
import { gatewayEnv, secret, startCity, type City } from '../servers/ours.ts'
import { most, type Row } from './row.ts'

const rooms = 1_000
const tracing = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' }

/** As stack/install/image-stage.sh makes it for the image. */
function compileCache(folder: string): Record<string, string> {
  const env = {
    NODE_COMPILE_CACHE: folder,
    NODE_COMPILE_CACHE_PORTABLE: '1',
    NODE_OPTIONS: gatewayNodeFlags().join(' '),
  }
  execFileSync(process.execPath, [join(repositoryRoot, 'gateway/src/main.ts'), '--help'], {
    env: { ...bareEnv(), ...env },
    stdio: 'ignore',
  })
  return env
}

type Start = { readonly listeningMs: number; readonly snapshotMs: number }

export const coldStart: Row = {
  id: 'P12',
  isQuick: false,
  async measure(length) {
    const runs = length === 'whole' ? 7 : 3
    const city = await startCity(rooms)
    // A city in which something is said all the time; in a silent one a gateway waits for the next beat, up to a second.
    const saying = city.voice.keepSaying(1, 50)
    const folder = mkdtempSync(join(tmpdir(), 'bench-compiled-'))
    try {
      const compiled = compileCache(folder)
      const plain = await several(runs, () => startOnce(city, compiled))
      const traced = await several(runs, () => startOnce(city, { ...compiled, ...tracing }))
      const sources = await several(3, () => startOnce(city, {}))
      const bare = await several(runs, () => Promise.resolve(bareNode()))
      const snapshots = plain.map(({ snapshotMs, listeningMs }) => snapshotMs - listeningMs)
      const [ours, withTraces, first] = [
        figure(
          'ours',
          'gateway listens',
          'ms',
          plain.map(({ listeningMs }) => listeningMs),
        ),
        figure(
          'ours',
          'gateway listens, traces on',
          'ms',
          traced.map(({ listeningMs }) => listeningMs),
        ),
        figure('ours', `from there to the first snapshot of ${rooms} rooms`, 'ms', snapshots),
      ]
      return {
        id: 'P12',
        title: 'Cold start',
        workload: `node gateway/src/main.ts on one core, with the compile cache of its image, from its exec to its line "gateway listens", and to the first byte of a snapshot of ${rooms} rooms for somebody who asks every 5 ms; a room changes every 50 ms`,
        boundBy: 'Node itself, the reading of sources and libraries, and the first use of each',
        figures: [
          ours,
          withTraces,
          first,
          figure(
            'ours',
            'gateway listens, from sources, nothing compiled before',
            'ms',
            sources.map(({ listeningMs }) => listeningMs),
          ),
          figure('floor', 'node -e 0', 'ms', bare),
        ],
        goals: [
          most('until it listens', ours.median, 'ms', 250),
          most('the same with traces', withTraces.median, 'ms', 450),
          most('then until the first snapshot', first.median, 'ms', 150),
        ],
        curves: [],
        notRun: [],
        notes: [],
      }
    } finally {
      rmSync(folder, { recursive: true, force: true })
      await saying.stop()
      await city.stop()
    }
  },
}

async function several<T>(runs: number, run: () => Promise<T>): Promise<T[]> {
  const all: T[] = []
  // The first brings the files into the system's memory.
  for (let number = 0; number <= runs; number++) {
    const one = await run()
    if (number > 0) all.push(one)
  }
  return all
}

function bareNode(): number {
  const fromMs = performance.now()
  spawnSync('taskset', ['-c', String(serverCore), process.execPath, '-e', '0'])
  return performance.now() - fromMs
}

async function startOnce(city: City, more: Readonly<Record<string, string>>): Promise<Start> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-start-'))
  const [port, adminPort] = [await freePort(), await freePort()]
  const logFile = join(folder, 'log')
  const fromMs = performance.now()
  const running = await startProcess({
    name: 'gateway',
    command: 'taskset',
    args: ['-c', String(serverCore), process.execPath, join(repositoryRoot, 'gateway/src/main.ts')],
    cwd: repositoryRoot,
    env: { ...gatewayEnv(city.nats), ...more, PORT: String(port), ADMIN_PORT: String(adminPort) },
    logFile,
  })
  try {
    while (!readFileSync(logFile, 'utf8').includes('gateway listens')) await sleep(2)
    const listeningMs = performance.now() - fromMs
    while (!(await hasSnapshot(port))) await sleep(5)
    return { listeningMs, snapshotMs: performance.now() - fromMs }
  } finally {
    await running.kill()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Asks as a browser does; false for a 503 of a gateway that does not know the city yet. */
function hasSnapshot(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1')
    let text = ''
    const done = (answer: boolean): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.on('error', () => done(false)).on('close', () => done(false))
    socket.on('data', (data) => {
      text += data.toString('latin1')
      if (text.includes('"type":"snapshot"')) done(true)
      else if (text.includes(' 503 ')) done(false)
    })
    const lines = ['Host: bench', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13']
    const target = `GET ${socketPath}?token=${makeToken({ secret })} HTTP/1.1`
    socket.write([target, ...lines, 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', '', ''].join('\r\n'))
  })
}
