// The machine under a measurement: which core a process may use, what it used so far, and how busy all of it is.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { arch, cpus, loadavg, release, totalmem } from 'node:os'

/** The server that is measured has one core for itself; whoever feeds it and reads from it has the other. */
export const serverCore = 0
export const loadCore = 1

// Asked before anything is pinned, which would change the answer.
const cores = cpus().length

const hasTaskset = (() => {
  try {
    execFileSync('taskset', ['--version'], { stdio: 'ignore' })
    return cores > 1
  } catch {
    return false
  }
})()

/** All threads of the process, and whatever they begin later. Without taskset, or with one core, it stays where it is. */
export function pin(pid: number, core: number): void {
  if (hasTaskset) execFileSync('taskset', ['-a', '-c', '-p', String(core), String(pid)], { stdio: 'ignore' })
}

/** Wherever there is room; a child begins where its parent is. */
export function unpin(pid: number): void {
  const all = `0-${cores - 1}`
  if (hasTaskset) execFileSync('taskset', ['-a', '-c', '-p', all, String(pid)], { stdio: 'ignore' })
}

const isPinned = (): boolean => hasTaskset

type Usage = { readonly cpuMs: number; readonly rssBytes: number; readonly atMs: number }

// Linux counts in hundredths of a second in /proc/<pid>/stat, whatever its own clock is.
const tickMs = 10

export function usageOf(pid: number): Usage {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const kilobytes = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN)
  // utime and stime are the 14th and 15th field, the 12th and 13th after the name.
  return {
    cpuMs: (Number(fields[11]) + Number(fields[12])) * tickMs,
    rssBytes: kilobytes * 1_024,
    atMs: performance.now(),
  }
}

export const describeMachine = (): string =>
  [
    `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${cores} cores`,
    `${Math.round(totalmem() / 2 ** 30)} GiB`,
    `Linux ${release()} ${arch()}`,
    `Node ${process.versions.node}`,
    isPinned() ? 'roles pinned to cores' : 'roles NOT pinned (no taskset, or one core)',
  ].join(', ')

export const loadNow = (): string => (loadavg()[0] ?? 0).toFixed(1)

/** Kernel memory in use beside processes, for what sockets cost there. */
export function slabBytes(): number {
  const kilobytes = /^Slab:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1]
  return Number(kilobytes ?? 0) * 1_024
}
