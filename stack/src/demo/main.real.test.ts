// `make demo` as a person runs it: to its end, with a leader that is killed on the way, with a service that dies, and ended by Ctrl-C
// at the terminal, where the signal reaches make, its shell and the demo at once.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { cachedCity } from '../city-fixture.ts'
import { bareEnv, cacheFolder, repositoryRoot } from '../machine.ts'
import { until } from '../until.ts'
import { startViewer } from '../viewer.ts'

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

const main = join(import.meta.dirname, 'main.ts')
const byMake = ['make', 'demo'] as const
/** Without make, whose own exit code hides that of the demo. */
const byNode = [process.execPath, main] as const

async function demo(env: Record<string, string>, [command, argument]: readonly [string, string] = byMake) {
  // Not this test's own folder among the arguments, so that only servers are found by it.
  const child = spawn(command, [argument], {
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
  return { output: () => output, closed, interrupt, pid: child.pid ?? 0 }
}

/** Processes below this one, with their command lines. */
function childrenOf(pid: number): { readonly pid: number; readonly command: string }[] {
  const parents = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && parentOf(name) === pid)
  return parents.flatMap((name) => [{ pid: Number(name), command: commandOf(name) }, ...childrenOf(Number(name))])
}

function parentOf(pid: string): number | undefined {
  try {
    return Number(
      readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ')[1],
    )
  } catch {
    return undefined // gone meanwhile
  }
}

const isAlive = (pid: number): boolean => commandOf(String(pid)) !== ''
const isOpen = (output: () => string) => (): string | undefined => /The city is open: (\S+)/.exec(output())?.[1]
const openDeadline = { deadlineMs: 60_000, what: 'the city to open' }

async function untilNothingIsLeft(started: readonly { readonly pid: number }[]): Promise<void> {
  const gone = (): boolean => servers().length === 0 && !started.some(({ pid }) => isAlive(pid))
  await until(gone, { deadlineMs: 10_000, what: 'every process to be gone' })
  await until(() => leftFolders().length === 0, { deadlineMs: 10_000, what: 'the folders to be gone' })
}

it('[S31] of two aggregators the line tells who leads; that one killed, nothing is seen of it, and the city has lived', async () => {
  const { output, closed, pid } = await demo({ LEADERS: '2', DEMO_SECONDS: '12' }, byNode)
  const address = new URL(await until(isOpen(output), openDeadline))
  const socket = `ws://${address.host}/ws/city/presence`
  const viewer = startViewer('page', socket, new URLSearchParams(address.hash.slice(1)).get('token') ?? '')
  const marks: (boolean | undefined)[] = []
  try {
    await until(() => viewer.stale === false, { deadlineMs: 20_000, what: 'the page without a mark' })
    viewer.onStatus((stale) => marks.push(stale))
    const leading = /aggregator (\d) leads \(process (\d+)\)/g
    const first = await until(() => [...output().matchAll(leading)].at(-1), { deadlineMs: 20_000, what: 'a leader' })
    const started = childrenOf(pid)
    process.kill(Number(first[2]), 'SIGKILL')
    await until(() => [...output().matchAll(leading)].some((one) => one[1] !== first[1]), {
      deadlineMs: 20_000,
      what: 'the other to lead',
    })
    expect(await closed).toEqual([0, null])
    expect(output()).toContain('The city lived.')
    expect([marks.includes(true), viewer.snapshots]).toEqual([false, 1])
    await untilNothingIsLeft(started)
  } finally {
    viewer.stop()
  }
})

it('[S31] a gateway that dies is the end of the city, with exit code 1 and a sentence; nothing is left', async () => {
  const { output, closed, pid } = await demo({ DEMO_SECONDS: '60' }, byNode)
  await until(isOpen(output), openDeadline)
  const started = childrenOf(pid)
  const gateway = started.find(({ command }) => command.includes('gateway/src/main.ts'))
  process.kill(gateway?.pid ?? 0, 'SIGKILL')
  expect(await closed).toEqual([1, null])
  expect(output()).toContain('The city did not live: The gateway ended on its own.')
  await untilNothingIsLeft(started)
})

it('[S27] Ctrl-C once everything runs ends it all, and no process is left', async () => {
  const { output, closed, interrupt, pid } = await demo({})
  await until(isOpen(output), openDeadline)
  const started = childrenOf(pid)
  expect(started.filter(({ command }) => command.includes('src/main.ts')).length).toBeGreaterThanOrEqual(3)
  interrupt()
  await closed
  await untilNothingIsLeft(started)
})

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

it.each([
  ['DEMO_SECONDS', 'long', 'DEMO_SECONDS has to be a number of seconds, not "long".\n'],
  ['LEADERS', '0', 'LEADERS has to be a number from 1 to 5, not "0".\n'],
])('[S27] %s=%s is refused before anything starts', async (name, value, sentence) => {
  const child = spawn(process.execPath, [main], {
    env: { ...bareEnv(), [name]: value },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let words = ''
  child.stderr.on('data', (chunk: Buffer) => (words += chunk.toString()))
  const [code] = (await once(child, 'close')) as [number]
  expect([code, words]).toEqual([2, sentence])
})
