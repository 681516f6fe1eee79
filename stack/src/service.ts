// Starts one of our own services as the process it is in production: `node <service>/src/main.ts`, its settings in the
// environment, readiness asked at its admin port.
import { readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { freePort, isPortFree } from './free-port.ts'
import { repositoryRoot } from './machine.ts'
import { startProcess, StartFailure, type ProcessExit, type RunningProcess } from './process.ts'
import { makeTemporaryFolder } from './temporary-folder.ts'

export type ServiceOptions = {
  env: Readonly<Record<string, string>>
  /** Which answer counts as started: alive (`/healthz`) or ready to serve (`/readyz`, the default). */
  waitFor?: 'healthz' | 'readyz' | 'nothing'
  readyDeadlineMs?: number
  /** Another script than `<name>/src/main.ts`, from the repository's root: for a stand-in. */
  entry?: string
  /** Extra arguments of node itself, e.g. ['--expose-gc']. */
  nodeArgs?: readonly string[]
}

export type Service = {
  readonly name: string
  readonly pid: number
  readonly adminUrl: string
  readonly logFile: string
  readonly exited: Promise<ProcessExit>
  isRunning(): boolean
  /** Everything it wrote so far. */
  log(): string
  /** Its JSON lines, parsed; other lines are left out. */
  logLines(): Record<string, unknown>[]
  metrics(): Promise<string>
  rss(): number
  pause(): void
  resume(): void
  /** Ends it and removes its log. The exit is told, so that a test can check the code. */
  stop(signal?: NodeJS.Signals): Promise<ProcessExit>
  kill(): Promise<ProcessExit>
}

export type Gateway = Service & { readonly url: string; readonly webSocketUrl: string; readonly port: number }

export const startAggregator = (options: ServiceOptions): Promise<Service> => startService('aggregator', options)

export async function startGateway(options: ServiceOptions): Promise<Gateway> {
  const port = options.env['PORT'] ?? String(await freePort())
  const service = await startService('gateway', { ...options, env: { ...options.env, PORT: port } })
  return Object.assign(service, {
    port: Number(port),
    url: `http://127.0.0.1:${port}`,
    webSocketUrl: `ws://127.0.0.1:${port}/ws/city/presence`,
  })
}

/** At this port if nobody has it, else at a free one. Between a look at a port and a start another city may take it. */
export async function startGatewayNear(
  port: number | undefined,
  options: ServiceOptions,
  start = startGateway,
): Promise<Gateway> {
  if (port === undefined) return start(options)
  try {
    return await start({ ...options, env: { ...options.env, PORT: String(port) } })
  } catch (error) {
    if (await isPortFree(port)) throw error
    // There is nothing to read in its log.
    if (error instanceof StartFailure) rmSync(dirname(error.logFile), { recursive: true, force: true })
    return start(options)
  }
}

export async function startService(name: string, options: ServiceOptions): Promise<Service> {
  const folder = makeTemporaryFolder(name)
  const adminPort = options.env['ADMIN_PORT'] ?? String(await freePort())
  const adminUrl = `http://127.0.0.1:${adminPort}`
  const running = await startProcess({
    name,
    command: process.execPath,
    args: [...(options.nodeArgs ?? []), join(repositoryRoot, options.entry ?? `${name}/src/main.ts`)],
    cwd: repositoryRoot,
    env: { ...options.env, ADMIN_PORT: adminPort },
    logFile: join(folder.path, `${name}.log`),
    ports: [adminPort, options.env['PORT']].filter((port) => port !== undefined).map(Number),
    ...readiness(adminUrl, options),
  }).catch((error: unknown) => {
    folder.keepFor(error)
    throw error
  })
  const end = async (signal?: NodeJS.Signals): Promise<ProcessExit> => {
    const exit = await running.stop(signal)
    readers.log()
    folder.remove()
    return exit
  }
  const readers = logReaders(running)
  return {
    ...plainParts(running),
    adminUrl,
    ...readers,
    metrics: () => textOf(`${adminUrl}/metrics`),
    stop: end,
    kill: () => end('SIGKILL'),
  }
}

function plainParts(running: RunningProcess) {
  const { name, pid, logFile, exited, isRunning, rss, pause, resume } = running
  return { name, pid, logFile, exited, isRunning, rss, pause, resume }
}

function logReaders(running: RunningProcess) {
  // A stopped service's log is gone: keep its last text for whoever asks afterwards.
  let last = ''
  const log = (): string => {
    try {
      last = readFileSync(running.logFile, 'utf8')
    } catch {
      // removed by stop(): the text read before is the answer
    }
    return last
  }
  return { log, logLines: () => log().split('\n').flatMap(jsonLine) }
}

function jsonLine(line: string): Record<string, unknown>[] {
  if (!line.startsWith('{')) return []
  try {
    return [JSON.parse(line) as Record<string, unknown>]
  } catch {
    return [] // a line that is still being written
  }
}

function readiness(adminUrl: string, options: ServiceOptions) {
  const page = options.waitFor ?? 'readyz'
  if (page === 'nothing') return {}
  const ready = async (): Promise<boolean> => {
    const answer = await fetch(`${adminUrl}/${page}`, { signal: AbortSignal.timeout(2_000) })
    await answer.arrayBuffer()
    return answer.status === 200
  }
  return { ready, readyDeadlineMs: options.readyDeadlineMs ?? 60_000 } // a leader alone waits 4 s for another's beat first
}

async function textOf(url: string): Promise<string> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(5_000) })
  return answer.text()
}
