// P9: from a change on Matrix right after the leader went to the frame in a browser; what `make failover` measures, a few times.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bareEnv, machineSetting, repositoryRoot } from '@citypresence/stack/machine'
import { figure } from '../core/result.ts'
import { unpin } from '../harness/machine.ts'
import { most, notRun, type Row } from './row.ts'

type Sample = { readonly way: string; readonly shownMs: number; readonly stored: number; readonly shown: number }

// So many as fit beside the other rows; docs/FAILOVER.md has fifty of each.
const cycles = { SIGTERM: 10, SIGKILL: 5 } as const

async function play(way: keyof typeof cycles): Promise<readonly Sample[] | string> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-failover-'))
  const into = join(folder, 'samples')
  const child = spawn(process.execPath, [join(repositoryRoot, 'aggregator/src/testing/measure-failover.ts')], {
    env: { ...bareEnv(), ...ownCache(), WAYS: way, ROOMS: '12', CYCLES: String(cycles[way]), INTO: into },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  if (child.pid !== undefined) unpin(child.pid)
  let errors = ''
  child.stderr.on('data', (data: Buffer) => (errors = (errors + data.toString()).slice(-500)))
  const code = await new Promise((resolve) => child.once('close', resolve))
  try {
    if (code !== 0 || !existsSync(into)) return errors.trim() || `it ended with ${String(code)}`
    return readFileSync(into, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Sample)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Where the servers lie, if that was told. */
const ownCache = (): Record<string, string> =>
  Object.fromEntries(
    ['CITY_PRESENCE_CACHE', 'XDG_CACHE_HOME'].flatMap((name) => {
      const value = machineSetting(name)
      return value === undefined ? [] : [[name, value]]
    }),
  )

export const failover: Row = {
  id: 'P9',
  isQuick: false,
  async measure() {
    const [term, kill] = [await play('SIGTERM'), await play('SIGKILL')]
    const played = [term, kill].filter((one) => typeof one !== 'string')
    const stale = played.flat().reduce((sum, { stored, shown }) => sum + stored + shown, 0)
    const of = (samples: readonly Sample[]): number[] => samples.map(({ shownMs }) => shownMs)
    const largest = (samples: readonly Sample[]): number => Math.max(...of(samples))
    return {
      id: 'P9',
      title: 'Failover',
      workload:
        'two aggregators with a Lease of 6 s on a real kube-apiserver; the leader is ended, and the frame of a change made right after it is awaited in a browser',
      boundBy: 'a crash by the Lease that has to run out, a handover by one flush',
      figures: [
        ...(typeof term === 'string' ? [] : [figure('ours', 'SIGTERM', 'ms', of(term))]),
        ...(typeof kill === 'string'
          ? []
          : [figure('ours', 'SIGKILL', 'ms', of(kill)), figure('floor', 'the Lease', 'ms', [6_000])]),
      ],
      goals: [
        ...(typeof term === 'string' ? [] : [most('SIGTERM, the longest', largest(term), 'ms', 500)]),
        ...(typeof kill === 'string' ? [] : [most('SIGKILL, the longest', largest(kill), 'ms', 8_000)]),
        ...(played.length === 0 ? [] : [most('words of a deposed leader, stored or shown', stale, '', 0)]),
      ],
      curves: [],
      notRun: [term, kill].flatMap((one) => (typeof one === 'string' ? [notRun('make failover', one)] : [])),
      notes: ['fifty of each way, at 12 and at 1,000 rooms, stand in [FAILOVER.md](FAILOVER.md)'],
    }
  },
}
