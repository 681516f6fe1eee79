// Starts a real nats-server with JetStream and the accounts of production (nats-config.ts). The store and the ports stay
// the same over stop() and restart(), so that a test can take the server away and give it back.
import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { natsServerBinary, type NatsVersion } from './cache.ts'
import { freePort } from './free-port.ts'
import { natsConfig, type NatsAccounts, type NatsConfigInput, type NatsUser, type NatsUsers } from './nats-config.ts'
import { startProcess, type RunningProcess } from './process.ts'
import { startAgain, type Restartable } from './restartable.ts'
import { makeTemporaryFolder } from './temporary-folder.ts'
import { until } from './until.ts'

export type NatsOptions = {
  version?: NatsVersion
  accounts?: NatsAccounts
  /** Kept by the caller: not removed at stop(). */
  storeDir?: string
  port?: number
  serverName?: string
  jetstream?: boolean
  syncInterval?: string
  fileStoreMaxBytes?: number
  /** The same for all servers of a cluster; made up unless given. */
  users?: NatsUsers
  cluster?: NatsConfigInput['cluster']
}

export type NatsServer = Restartable & {
  readonly url: string
  readonly monitorUrl: string
  readonly port: number
  readonly storeDir: string
  /** User `aggregator`: writes the streams. */
  readonly leader: NatsUser
  /** User `gateway`: hears rooms, and reads them. */
  readonly gateway: NatsUser
  /** Everything in the leader's account: for tests that look at all, or play foul. */
  readonly admin: NatsUser
  readonly system: NatsUser
  /** SIGKILL: what a crash does. restart() works afterwards. */
  kill(): Promise<void>
  /** Changes its configuration while it runs, for good: other users, rights withheld. Resolves when the server has taken it. */
  reload(change: NatsChange): Promise<void>
}

export type NatsChange = Partial<Pick<NatsConfigInput, 'users' | 'withheld' | 'fileStoreMaxBytes'>>

export const createNatsUsers = (): NatsUsers => ({
  leader: user('aggregator'),
  gateway: user('gateway'),
  admin: user('admin'),
  system: user('system'),
})

export async function startNats(options: NatsOptions = {}): Promise<NatsServer> {
  const binary = natsServerBinary(options.version ?? 'current')
  const folder = makeTemporaryFolder('nats')
  const storeDir = options.storeDir ?? join(folder.path, 'store')
  mkdirSync(storeDir, { recursive: true })
  const port = options.port ?? (await freePort())
  const monitorPort = await freePort()
  const users = options.users ?? createNatsUsers()
  const configFile = join(folder.path, 'nats.conf')
  const logFile = join(folder.path, 'nats-server.log')
  let config: NatsConfigInput = {
    serverName: options.serverName ?? `nats-${port}`,
    port,
    monitorPort,
    storeDir,
    accounts: options.accounts ?? 'two',
    users,
    jetstream: options.jetstream ?? true,
    ...(options.syncInterval === undefined ? {} : { syncInterval: options.syncInterval }),
    ...(options.fileStoreMaxBytes === undefined ? {} : { fileStoreMaxBytes: options.fileStoreMaxBytes }),
    ...(options.cluster === undefined ? {} : { cluster: options.cluster }),
  }
  const writeConfig = (): void => writeFileSync(configFile, natsConfig(config), { mode: 0o600 })
  writeConfig()
  const monitorUrl = `http://127.0.0.1:${monitorPort}`
  const start = (): Promise<RunningProcess> =>
    startProcess({
      name: 'nats-server',
      command: binary,
      args: ['--config', configFile],
      logFile,
      ports: [port, monitorPort, ...(options.cluster === undefined ? [] : [options.cluster.port])],
      ready: () => isHealthy(monitorUrl, options.cluster !== undefined),
      readyDeadlineMs: 30_000, // 30-110 ms on a quiet machine; replay of a large store takes longer
    })
  const server = await startAgain(start, folder)
  return Object.assign(server, {
    url: `nats://127.0.0.1:${port}`,
    monitorUrl,
    port,
    storeDir,
    ...users,
    kill: () => server.end('SIGKILL'),
    async reload(change: NatsChange) {
      config = { ...config, ...change }
      writeConfig()
      const before = reloadsIn(logFile)
      process.kill(server.pid, 'SIGHUP')
      await until(() => reloadsIn(logFile) > before, {
        deadlineMs: 10_000,
        what: 'nats-server to take its new settings',
      })
    },
  })
}

const reloadsIn = (logFile: string): number =>
  readFileSync(logFile, 'utf8').split('Reloaded server configuration').length

/** One of several is there before the others are: it becomes whole only with them. */
async function isHealthy(monitorUrl: string, isPart: boolean): Promise<boolean> {
  const answer = await fetch(`${monitorUrl}/healthz${isPart ? '?js-server-only=true' : ''}`, {
    signal: AbortSignal.timeout(2_000),
  })
  await answer.arrayBuffer()
  return answer.status === 200
}

const user = (name: string): NatsUser => ({ user: name, pass: randomBytes(16).toString('hex') })
