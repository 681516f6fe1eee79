// Limits that the kernel holds: a control group of its own for some processes, gone when the limit is lifted. Both versions of
// the interface; without the right to make groups a fault says so.
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

type Controller = 'cpu' | 'memory'

export type Limited = {
  /** A file of the group, as 'memory.failcnt'; undefined where this kernel has none. */
  read(file: string): string | undefined
  /** The processes go back to where they were. */
  lift(): void
}

const root = '/sys/fs/cgroup'
/** Version 1 has a tree for each controller; version 2 has one tree. */
const isFirstVersion = (): boolean => existsSync(join(root, 'cpu', 'cgroup.procs'))
const treeOf = (controller: Controller): string => (isFirstVersion() ? join(root, controller) : root)

let made = 0

/** Why no group can be made here; undefined where one can. */
export function whyNoLimit(controller: Controller): string | undefined {
  const path = join(treeOf(controller), `city-presence-probe-${process.pid}`)
  try {
    mkdirSync(path)
    try {
      const file = controller === 'cpu' ? cpuLimit(50) : memoryLimit(2 ** 30)
      for (const [name, value] of file) writeFileSync(join(path, name), value)
    } finally {
      rmdirSync(path)
    }
    return undefined
  } catch (error) {
    return `no ${controller} group can be made here (${String((error as NodeJS.ErrnoException).code ?? error)})`
  }
}

type Files = readonly (readonly [name: string, value: string])[]

const periodUs = 100_000
const cpuLimit = (percent: number): Files => {
  const quotaUs = String((periodUs * percent) / 100)
  return isFirstVersion()
    ? [
        ['cpu.cfs_period_us', String(periodUs)],
        ['cpu.cfs_quota_us', quotaUs],
      ]
    : [['cpu.max', `${quotaUs} ${periodUs}`]]
}
const memoryLimit = (bytes: number): Files =>
  isFirstVersion() ? [['memory.limit_in_bytes', String(bytes)]] : [['memory.max', String(bytes)]]

/** Together these processes get so much of one core. */
export const limitCpu = (pids: readonly number[], percent: number): Limited => limit('cpu', pids, cpuLimit(percent))

/** Together they may hold so much memory; the kernel kills one that insists. What they hold already stays where it is. */
export const limitMemory = (pids: readonly number[], bytes: number): Limited =>
  limit('memory', pids, memoryLimit(bytes))

function limit(controller: Controller, pids: readonly number[], files: Files): Limited {
  const path = join(treeOf(controller), `city-presence-${process.pid}-${++made}`)
  mkdirSync(path)
  for (const [name, value] of files) writeFileSync(join(path, name), value)
  const before = pids.map((pid) => ({ pid, group: groupOf(controller, pid) }))
  for (const pid of pids) writeFileSync(join(path, 'cgroup.procs'), String(pid))
  return {
    read(file) {
      const place = join(path, file)
      return existsSync(place) ? readFileSync(place, 'utf8').trim() : undefined
    },
    lift() {
      for (const { pid, group } of before)
        if (existsSync(`/proc/${pid}`)) writeFileSync(join(treeOf(controller), group, 'cgroup.procs'), String(pid))
      rmdirSync(path)
    },
  }
}

/** `4:memory:/some/group` in the first version, `0::/some/group` in the second. */
function groupOf(controller: Controller, pid: number): string {
  const lines = readFileSync(`/proc/${pid}/cgroup`, 'utf8').split('\n')
  const wanted = isFirstVersion() ? controller : ''
  const line = lines.find((one) => one.split(':')[1]?.split(',').includes(wanted)) ?? '0::/'
  return line.split(':').slice(2).join(':')
}
