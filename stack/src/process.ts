// Starts one real server as a child process and knows when it is ready and when it is gone.
//
//   startProcess -> spawn in a process group of its own -> ask `ready` until yes -> running
//                        | exits first, or never says yes
//                        v
//                  an error that names the log file and shows its end
//
// The group is guarded by the reaper from its first moment until its last process is gone.
import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync, readSync, fstatSync } from 'node:fs'
import { isPortFree } from './free-port.ts'
import { guard, release, startReaper } from './reaper.ts'
import { bareEnv } from './machine.ts'
import { until } from './until.ts'

export type ProcessOptions = {
  /** How the process is called in errors. */
  name: string
  command: string
  args: readonly string[]
  /** Added to a bare environment: nothing else is inherited. */
  env?: Readonly<Record<string, string>>
  cwd?: string
  /** Standard output and error go here, appended. */
  logFile: string
  /** Ports it will listen on. One that is taken fails the start: its present owner would answer `ready` in its place. */
  ports?: readonly number[]
  /** Asks the server. False, or an error, means "not yet". Without it a started process counts as ready. */
  ready?: () => boolean | Promise<boolean>
  readyDeadlineMs?: number
}

export type ProcessExit = { code: number | null; signal: NodeJS.Signals | null }

export type RunningProcess = {
  readonly name: string
  readonly pid: number
  readonly logFile: string
  readonly exited: Promise<ProcessExit>
  readonly isRunning: () => boolean
  /** Asks it to end (SIGTERM unless told otherwise) and insists with SIGKILL after the deadline. */
  stop(signal?: NodeJS.Signals, deadlineMs?: number): Promise<ProcessExit>
  /** SIGKILL: no goodbye. */
  kill(): Promise<ProcessExit>
  /** Freezes every process of the group, as a machine that hangs would. */
  readonly pause: () => void
  readonly resume: () => void
  /** Resident memory of the process itself, in bytes; 0 when it is gone. */
  readonly rss: () => number
}

// A minute: Synapse needs 2-4 s on a quiet machine, and tests run on busy ones.
const readyDeadlineMsDefault = 60_000
// 10 s: Synapse takes 1.5 s to say goodbye, everything else less.
const stopDeadlineMsDefault = 10_000
const logTailBytes = 4_000 // as much of the log as one still reads inside an error message

/** A start that failed after the process was launched: there is a log to read, and whoever owns its folder keeps it. */
export class StartFailure extends Error {
  override readonly name = 'StartFailure'
  readonly logFile: string

  constructor(name: string, logFile: string, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    super(`${name} did not start: ${reason}\nIts log is ${logFile}, which ends:\n${tailOf(logFile)}`, { cause })
    this.logFile = logFile
  }
}

export async function startProcess(options: ProcessOptions): Promise<RunningProcess> {
  for (const port of options.ports ?? []) {
    if (!(await isPortFree(port))) throw new Error(`${options.name} did not start: port ${port} is taken`)
  }
  const running = launch(options)
  try {
    if (running.pid < 0) await running.exited // rejects: the command could not be started
    await waitUntilReady(running, options)
  } catch (error) {
    await running.kill()
    throw new StartFailure(options.name, options.logFile, error)
  }
  return running
}

async function waitUntilReady(running: RunningProcess, options: ProcessOptions): Promise<void> {
  const { ready } = options
  if (ready === undefined) return
  const ended = new AbortController()
  void running.exited.then((exit) => ended.abort(new Error(`it ended with ${describeExit(exit)}`)))
  await until(ready, {
    deadlineMs: options.readyDeadlineMs ?? readyDeadlineMsDefault,
    what: `${options.name} to be ready`,
    everyMs: 25,
    signal: ended.signal,
  })
}

function launch(options: ProcessOptions): RunningProcess {
  startReaper()
  const log = openSync(options.logFile, 'a')
  const child = spawn(options.command, options.args, {
    cwd: options.cwd,
    env: { ...bareEnv(), ...options.env },
    stdio: ['ignore', log, log],
    detached: true, // a group of its own: it is stopped by us, in order, and not by Ctrl-C at the terminal
  })
  closeSync(log)
  return running(options, child, exitOf(child, options.name))
}

function exitOf(child: ChildProcess, name: string): Promise<ProcessExit> {
  const { pid } = child
  const exited = new Promise<ProcessExit>((resolve, reject) => {
    child.once('error', (error) =>
      reject(new Error(`${name} could not be started: ${error.message}`, { cause: error })),
    )
    child.once('exit', (code, signal) => {
      if (pid !== undefined) {
        signalGroup(pid, 'SIGKILL') // what it forked goes with it
        release({ kind: 'group', pid })
      }
      resolve({ code, signal })
    })
  })
  if (pid !== undefined) guard({ kind: 'group', pid })
  exited.catch(() => undefined)
  return exited
}

function running(options: ProcessOptions, child: ChildProcess, exited: Promise<ProcessExit>): RunningProcess {
  // -1 is what a command that could not be started gets: `exited` rejects and tells why.
  const pid = child.pid ?? -1
  const isRunning = (): boolean => child.pid !== undefined && child.exitCode === null && child.signalCode === null
  const stop = async (signal: NodeJS.Signals = 'SIGTERM', deadlineMs = stopDeadlineMsDefault): Promise<ProcessExit> => {
    if (!isRunning()) return exited.catch(() => ({ code: null, signal: null }))
    const insist = setTimeout(() => signalGroup(pid, 'SIGKILL'), deadlineMs)
    // A frozen process hears nothing but SIGKILL, so wake it first.
    signalGroup(pid, 'SIGCONT')
    child.kill(signal)
    return exited.finally(() => clearTimeout(insist))
  }
  return {
    name: options.name,
    pid,
    logFile: options.logFile,
    exited,
    isRunning,
    stop,
    kill: () => stop('SIGKILL'),
    pause: () => signalGroup(pid, 'SIGSTOP'),
    resume: () => signalGroup(pid, 'SIGCONT'),
    rss: () => (isRunning() ? rssOf(pid) : 0),
  }
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  if (pid <= 0) return
  try {
    process.kill(-pid, signal)
  } catch (error) {
    // ESRCH: nobody left in the group. EPERM: on macOS a group of zombies answers so.
    if (!(error instanceof Error && 'code' in error && (error.code === 'ESRCH' || error.code === 'EPERM'))) throw error
  }
}

/** Whether a process of this number exists (a zombie nobody has collected does not count). */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  const stat = `/proc/${pid}/stat`
  if (!existsSync('/proc/self/stat')) return true
  try {
    const text = readFileSync(stat, 'utf8')
    return !text.slice(text.lastIndexOf(')') + 2).startsWith('Z')
  } catch {
    return false
  }
}

function rssOf(pid: number): number {
  try {
    const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
    return Number(line?.[1] ?? 0) * 1024
  } catch {
    return 0 // gone between the question and the answer, or a system without /proc
  }
}

export function describeExit(exit: ProcessExit): string {
  return exit.signal ?? `exit code ${exit.code ?? 'unknown'}`
}

export function tailOf(logFile: string): string {
  if (!existsSync(logFile)) return '(no log was written)'
  const file = openSync(logFile, 'r')
  try {
    const { size } = fstatSync(file)
    const buffer = Buffer.alloc(Math.min(size, logTailBytes))
    readSync(file, buffer, 0, buffer.length, size - buffer.length)
    return buffer.toString('utf8').trimEnd() || '(empty)'
  } finally {
    closeSync(file)
  }
}
