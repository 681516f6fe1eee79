// The gateway as an operator starts it by hand: `node gateway/src/main.ts` with settings that may be wrong, and its exit to look at.
// (`startGateway` of stack is for tests that want it ready.)
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { repositoryRoot } from '@citypresence/stack/machine'
import { startProcess, type ProcessExit } from '@citypresence/stack/process'
import { makeTemporaryFolder } from '@citypresence/stack/temporary-folder'
import { until } from '@citypresence/stack/until'

export type GatewayProcess = {
  readonly exited: Promise<ProcessExit>
  /** Everything it wrote so far; after stop() as it was then. */
  log(): string
  /** Waits until it wrote something that matches. */
  says(pattern: RegExp): Promise<RegExpExecArray>
  signal(name: NodeJS.Signals): Promise<ProcessExit>
  stop(): Promise<void>
}

type Running = { readonly env?: Record<string, string>; readonly args?: readonly string[]; readonly main?: string }

/** Ports are free ones unless `env` says otherwise. */
export async function runGateway({ env = {}, args = [], main }: Running): Promise<GatewayProcess> {
  const folder = makeTemporaryFolder('gateway-by-hand')
  const logFile = join(folder.path, 'log')
  const running = await startProcess({
    name: 'gateway',
    command: process.execPath,
    args: [main ?? join(repositoryRoot, 'gateway/src/main.ts'), ...args],
    env: { PORT: '0', ADMIN_PORT: '0', HOST: '127.0.0.1', ADMIN_HOST: '127.0.0.1', ...env },
    logFile,
  })
  let last = ''
  let isOver = false
  const log = (): string => (isOver ? last : (last = readFileSync(logFile, 'utf8')))
  return {
    exited: running.exited,
    log,
    says: (pattern) =>
      until(() => pattern.exec(log()) ?? undefined, { deadlineMs: 20_000, what: `the gateway to say ${pattern}` }),
    signal: (name) => running.stop(name),
    async stop() {
      await running.kill()
      log()
      isOver = true
      folder.remove()
    },
  }
}

/** The port in the line of a server that listens. */
export const portIn = (pattern: RegExp, gateway: GatewayProcess): Promise<number> =>
  gateway.says(pattern).then((match) => Number(match[1]))
