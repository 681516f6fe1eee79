// The launcher itself, with small programs of the shell: what is told when a start fails, and that nothing stays behind.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { isAlive, startProcess, type ProcessOptions, type RunningProcess } from './process.ts'
import { until } from './until.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'city-presence-process-test-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

let logs = 0
const shell = (script: string, more: Partial<ProcessOptions> = {}): Promise<RunningProcess> =>
  startProcess({
    name: 'a shell',
    command: 'sh',
    args: ['-c', script],
    logFile: join(folder, `${logs++}.log`),
    ...more,
  })

const said = (running: RunningProcess, text: string): boolean => readFileSync(running.logFile, 'utf8').includes(text)

it('[S4] a process that ends before it is ready fails at once, with its log named and shown', async () => {
  const start = shell('echo the disk is full; exit 7', { ready: () => false, readyDeadlineMs: 60_000 })
  await expect(start).rejects.toThrow(
    /a shell did not start: it ended with exit code 7\nIts log is .*\.log.*\nthe disk is full/s,
  )
})

it('[S4] a process that never gets ready is killed and told so', async () => {
  const start = shell('echo $$ > pid; sleep 600', { cwd: folder, ready: () => false, readyDeadlineMs: 300 })
  await expect(start).rejects.toThrow('waited 300 ms for a shell to be ready')
  const pid = Number(readFileSync(join(folder, 'pid'), 'utf8'))
  expect(isAlive(pid)).toBe(false)
})

it('[S4] a command that does not exist is told by its name', async () => {
  const start = startProcess({
    name: 'nothing',
    command: '/no/such/program',
    args: [],
    logFile: join(folder, 'x.log'),
    ready: () => true,
  })
  await expect(start).rejects.toThrow('nothing could not be started: spawn /no/such/program ENOENT')
})

it('[S4] a port that is taken fails the start, because its owner would answer for it', async () => {
  const owner = createServer().listen(0, '127.0.0.1')
  await once(owner, 'listening')
  const { port } = owner.address() as AddressInfo
  await expect(shell('sleep 600', { ports: [port], ready: () => true })).rejects.toThrow(`port ${port} is taken`)
  owner.close()
})

it('[S5] stop asks, and insists after the deadline', async () => {
  const polite = await shell('trap "exit 4" TERM; echo up; while :; do sleep 0.01; done')
  await until(() => said(polite, 'up'), { deadlineMs: 10_000, what: 'the trap to be set' })
  expect(await polite.stop()).toEqual({ code: 4, signal: null })
  const deaf = await shell('trap "" TERM; echo up; while :; do sleep 0.01; done')
  await until(() => said(deaf, 'up'), { deadlineMs: 10_000, what: 'the trap to be set' })
  expect(await deaf.stop('SIGTERM', 50)).toEqual({ code: null, signal: 'SIGKILL' })
  expect(isAlive(deaf.pid)).toBe(false)
})

it('[S5] a paused process can be stopped, and its children go with it', async () => {
  const parent = await shell('sleep 600 & echo child $!; wait')
  const child = await until(() => Number(/child (\d+)/.exec(readFileSync(parent.logFile, 'utf8'))?.[1] ?? 0), {
    deadlineMs: 10_000,
    what: 'the child',
  })
  parent.pause()
  await parent.stop()
  await until(() => !isAlive(child), { deadlineMs: 5_000, what: 'the child to be gone' })
})

it('[S5] the environment of a child is bare but for what it was given', async () => {
  const running = await shell('env; exit 0', { env: { GIVEN: 'yes' } })
  await running.exited
  const names = readFileSync(running.logFile, 'utf8').match(/^\w+(?==)/gm) ?? []
  expect(names).toContain('GIVEN')
  // The shell adds PWD, SHLVL and _ itself.
  const allowed = ['GIVEN', 'PATH', 'HOME', 'TMPDIR', 'LANG', 'LC_ALL', 'TZ', 'PWD', 'OLDPWD', 'SHLVL', '_']
  expect(names.filter((name) => !allowed.includes(name))).toEqual([])
})

it.each(['SIGKILL', 'SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  '[S6] a parent ended by %s leaves no server and no folder',
  async (signal) => {
    const parent = spawn(process.execPath, [join(import.meta.dirname, 'testing', 'hold-servers.ts')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [line] = (await once(parent.stdout, 'data')) as [Buffer]
    const { pid, folder: held } = JSON.parse(line.toString()) as { pid: number; folder: string }
    expect([isAlive(pid), existsSync(held)]).toEqual([true, true])
    parent.kill(signal)
    await once(parent, 'exit')
    await until(() => !isAlive(pid), { deadlineMs: 10_000, what: 'the server to be gone' })
    await until(() => !existsSync(held), { deadlineMs: 10_000, what: 'the folder to be gone' })
  },
)
