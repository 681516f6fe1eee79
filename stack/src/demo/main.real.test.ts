// `make demo` as a person runs it, ended by Ctrl-C at the terminal: the signal reaches make, its shell and the demo at once.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { cachedCity } from '../city-fixture.ts'
import { bareEnv, cacheFolder, repositoryRoot } from '../machine.ts'
import { until } from '../until.ts'

let folder = ''
beforeEach(async () => {
  await cachedCity('demo', true)
  folder = mkdtempSync(join(tmpdir(), 'city-presence-demo-test-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Processes whose command line names this test's folder: the servers, each with its configuration there. */
function servers(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => commandOf(pid))
    .filter((command) => command.includes(folder))
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return '' // gone meanwhile
  }
}

/** Ours: npm leaves a compile cache of its own there. */
const leftFolders = (): string[] => readdirSync(folder).filter((name) => name.startsWith('city-presence-'))

async function demo(env: Record<string, string>) {
  // Not this test's own folder among the arguments of make, so that only servers are found by it.
  const child = spawn('make', ['demo'], {
    cwd: repositoryRoot,
    env: { ...bareEnv(), CITY_PRESENCE_CACHE: cacheFolder(), TMPDIR: folder, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // a process group, as a terminal makes one
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const closed = once(child, 'close')
  const interrupt = (): boolean => process.kill(-(child.pid ?? 0), 'SIGINT')
  await until(() => output.includes('Starting Synapse'), { deadlineMs: 60_000, what: 'the demo to begin' })
  return { output: () => output, closed, interrupt }
}

it('[S27] Ctrl-C while the city starts ends everything and leaves nothing', async () => {
  const { output, closed, interrupt } = await demo({})
  await until(() => servers().length >= 2, { deadlineMs: 30_000, what: 'Synapse and nats-server to run' })
  interrupt()
  await closed
  expect(output()).toContain('Ending the city')
  await until(() => servers().length === 0, { deadlineMs: 10_000, what: 'the servers to be gone' })
  await until(() => leftFolders().length === 0, { deadlineMs: 10_000, what: 'the folders to be gone' })
})

it('[S27] a second Ctrl-C ends it at once, and still nothing is left', async () => {
  const { closed, interrupt } = await demo({})
  await until(() => servers().length >= 2, { deadlineMs: 30_000, what: 'Synapse and nats-server to run' })
  interrupt()
  interrupt()
  await closed
  await until(() => servers().length === 0, { deadlineMs: 10_000, what: 'the servers to be gone' })
  await until(() => leftFolders().length === 0, { deadlineMs: 10_000, what: 'the folders to be gone' })
})

it('[S27] a length that is no number is refused before anything starts', async () => {
  const main = join(import.meta.dirname, 'main.ts')
  const child = spawn(process.execPath, [main], {
    env: { ...bareEnv(), DEMO_SECONDS: 'long' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let words = ''
  child.stderr.on('data', (chunk: Buffer) => (words += chunk.toString()))
  const [code] = (await once(child, 'close')) as [number]
  expect([code, words]).toEqual([2, 'DEMO_SECONDS has to be a number of seconds, not "long".\n'])
})
