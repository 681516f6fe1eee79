// Nothing stays behind: whatever ends this process (Ctrl-C, a failed test, SIGKILL), reaper.sh sees its pipe close, kills the
// process groups it was told of and removes the temporary folders. Server processes stay our direct children that way,
// with their own pids and exit codes, and no wrapper sits between us and them.
import { spawn, type ChildProcess } from 'node:child_process'
import { Socket } from 'node:net'
import { join } from 'node:path'

export type Guarded = { kind: 'group'; pid: number } | { kind: 'folder'; path: string }

let reaper: ChildProcess | undefined

/** From now on this group is killed, or this folder removed, when this process ends. */
export function guard(what: Guarded): void {
  tell(lineOf(what))
}

/** It is gone already, or shall stay. */
export function release(what: Guarded): void {
  tell(`gone ${lineOf(what)}`)
}

/** Starts the reaper before there is anything to reap, so that no child can be missed while it starts. */
export function startReaper(): ChildProcess {
  if (reaper !== undefined) return reaper
  const child = spawn('sh', [join(import.meta.dirname, 'reaper.sh')], {
    detached: true, // its own process group: a Ctrl-C at the terminal must not end it
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  child.stdin.on('error', () => undefined) // a killed reaper must not take the tests with it
  child.unref()
  if (child.stdin instanceof Socket) child.stdin.unref()
  reaper = child
  return child
}

function tell(line: string): void {
  startReaper().stdin?.write(`${line}\n`)
}

function lineOf(what: Guarded): string {
  if (what.kind === 'group') return `group ${what.pid}`
  // The list is made of lines, so such a path could name another folder than its own.
  if (what.path.includes('\n')) throw new Error('a temporary folder with a line break in its name cannot be guarded')
  return `folder ${what.path}`
}
