// A child that takes commands on standard input and answers each with one line of JSON: sinks, floors and peers all speak so.
import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { pin, unpin } from './machine.ts'

type Child = {
  readonly pid: number
  /** The next line it writes. */
  line<T>(): Promise<T>
  ask<T>(command: string): Promise<T>
  stop(): Promise<void>
}

type Waiting = { readonly resolve: (text: string) => void; readonly reject: (error: Error) => void }

// What a child says before anybody asks is kept, but no novel.
const linesMax = 1_000
// The slowest answer, of a city of a million people, takes a minute on a busy machine.
const answerMsMax = 240_000
const errorsKept = 4_000

export function startChild(
  command: string,
  args: readonly string[],
  { core, env = {} }: { readonly core: number | undefined; readonly env?: Readonly<Record<string, string>> },
): Child {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...basicEnv(), ...env } })
  if (child.pid !== undefined && core !== undefined) pin(child.pid, core)
  else if (child.pid !== undefined) unpin(child.pid)
  const ended = endOf(child)
  const [lines, waiting]: [string[], Waiting[]] = [[], []]
  createInterface({ input: child.stdout }).on('line', (text) => {
    const first = waiting.shift()
    if (first !== undefined) first.resolve(text)
    else if (lines.length < linesMax) lines.push(text)
  })
  void ended.then((error) => {
    for (const one of waiting.splice(0)) one.reject(error)
  })
  const line = async <T>(): Promise<T> => {
    const known = lines.shift()
    if (known !== undefined) return JSON.parse(known) as T
    if (child.exitCode !== null || child.signalCode !== null) throw await ended
    return JSON.parse(await inTime(new Promise<string>((resolve, reject) => waiting.push({ resolve, reject })))) as T
  }
  return {
    pid: child.pid ?? -1,
    line,
    ask<T>(text: string) {
      child.stdin.write(`${text}\n`)
      return line<T>()
    },
    async stop() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

async function inTime(answer: Promise<string>): Promise<string> {
  const timer = new AbortController()
  const late = sleep(answerMsMax, undefined, { signal: timer.signal }).then(() => {
    throw new Error(`no answer within ${answerMsMax / 1_000} s`)
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    late.catch(() => undefined)
    timer.abort()
  }
}

/** Enough to find programs: nothing that would steer a peer by accident. */
const basicEnv = (): Record<string, string> => ({ PATH: '/usr/local/bin:/usr/bin:/bin', NODE_ENV: 'production' })

function endOf(child: ChildProcess): Promise<Error> {
  let errors = ''
  child.stderr?.on('data', (data: Buffer) => (errors = (errors + data.toString()).slice(-errorsKept)))
  child.stdin?.on('error', () => undefined)
  return new Promise((resolve) => {
    child.once('error', resolve)
    child.once('close', (code, signal) =>
      resolve(new Error(`${child.spawnfile} ended with ${signal ?? String(code)}: ${errors.trim()}`)),
    )
  })
}
