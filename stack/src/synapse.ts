// Starts a real Synapse: one process, a database file, no limits. An existing folder with `hs.db` and `signing.key` can be
// copied in, which is how a city of people and rooms starts in two seconds (city-fixture.ts).
import { randomBytes } from 'node:crypto'
import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { synapsePython } from './cache.ts'
import { freePort } from './free-port.ts'
import { startProcess, type RunningProcess } from './process.ts'
import { startAgain, type Restartable } from './restartable.ts'
import { newSigningKey, synapseConfig, synapseLogConfig, type SynapseSettings } from './synapse-config.ts'
import { makeTemporaryFolder } from './temporary-folder.ts'

export type SynapseOptions = Partial<SynapseSettings> & {
  port?: number
  /** A folder with `hs.db` and `signing.key` of a Synapse that was stopped in good order. */
  copyFrom?: string
}

export type Synapse = Omit<Restartable, 'restart'> & {
  readonly url: string
  readonly port: number
  readonly serverName: string
  readonly registrationSecret: string
  /** Holds hs.db and signing.key. */
  readonly folder: string
  /** Starts again on the same database, with changed settings when given: presence switched off, say. */
  restart(changes?: Partial<SynapseSettings>): Promise<void>
  /** SIGKILL: what a crash does. */
  kill(): Promise<void>
}

const defaults: SynapseSettings = {
  serverName: 'test.local',
  presenceEnabled: true,
  presenceTimers: {},
  logLevel: 'WARNING',
  extra: {},
}

/** What a copied Synapse is made of. The database's journal files exist only while it runs. */
export const synapseFiles = ['hs.db', 'signing.key'] as const

export async function startSynapse(options: SynapseOptions = {}): Promise<Synapse> {
  const python = synapsePython()
  const { port: wantedPort, copyFrom, ...given } = options
  let settings: SynapseSettings = { ...defaults, ...given }
  const folder = makeTemporaryFolder('synapse')
  const port = wantedPort ?? (await freePort())
  const registrationSecret = randomBytes(16).toString('hex')
  const url = `http://127.0.0.1:${port}`
  fillFolder(folder.path, copyFrom)
  const start = (): Promise<RunningProcess> => {
    writeConfig(settings, { folder: folder.path, port, registrationSecret })
    return startProcess({
      name: 'Synapse',
      command: python,
      args: ['-m', 'synapse.app.homeserver', '--config-path', join(folder.path, 'homeserver.yaml')],
      cwd: folder.path,
      logFile: join(folder.path, 'synapse.log'),
      ports: [port],
      ready: () => isAnswering(url),
      readyDeadlineMs: 120_000, // 2-4 s on a quiet machine; a cold disk and two busy cores have been seen to take 20 s
    })
  }
  const server = await startAgain(start, folder)
  const plainRestart = server.restart.bind(server)
  return Object.assign(server, {
    url,
    port,
    serverName: settings.serverName,
    registrationSecret,
    folder: folder.path,
    kill: () => server.end('SIGKILL'),
    restart: async (changes: Partial<SynapseSettings> = {}) => {
      settings = { ...settings, ...changes }
      await plainRestart()
    },
  })
}

function fillFolder(folder: string, copyFrom: string | undefined): void {
  if (copyFrom === undefined) writeFileSync(join(folder, 'signing.key'), newSigningKey(), { mode: 0o600 })
  else for (const name of synapseFiles) copyFileSync(join(copyFrom, name), join(folder, name))
}

function writeConfig(settings: SynapseSettings, places: Parameters<typeof synapseConfig>[1]): void {
  const write = (name: string, value: unknown): void =>
    writeFileSync(join(places.folder, name), `${JSON.stringify(value, undefined, 2)}\n`, { mode: 0o600 })
  write('homeserver.yaml', synapseConfig(settings, places))
  write('log.yaml', synapseLogConfig(settings.logLevel))
}

async function isAnswering(url: string): Promise<boolean> {
  const answer = await fetch(`${url}/_matrix/client/versions`, { signal: AbortSignal.timeout(5_000) })
  await answer.arrayBuffer()
  return answer.status === 200
}
