// Where a process of Node spent its time: run with --cpu-prof, ended, and its profile read.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Share } from '../core/result.ts'

type CpuProfile = {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number }
  }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

const shown = 12

/** Hands out the arguments for node, and what came of them once the process has ended by itself. */
export async function profiled(run: (nodeArgs: readonly string[]) => Promise<void>): Promise<readonly Share[]> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-profile-'))
  try {
    await run(['--cpu-prof', `--cpu-prof-dir=${folder}`])
    const file = readdirSync(folder).find((name) => name.endsWith('.cpuprofile'))
    return file === undefined ? [] : sharesOf(JSON.parse(readFileSync(join(folder, file), 'utf8')) as CpuProfile)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function sharesOf({ nodes, samples, timeDeltas }: CpuProfile): readonly Share[] {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]))
  const spent = new Map<string, number>()
  for (const [index, id] of samples.entries()) {
    const name = names.get(id) ?? 'unknown'
    if (name !== '(idle)') spent.set(name, (spent.get(name) ?? 0) + (timeDeltas[index] ?? 0))
  }
  const all = [...spent.values()].reduce((sum, one) => sum + one, 0)
  return [...spent]
    .toSorted(([, one], [, other]) => other - one)
    .slice(0, shown)
    .map(([what, time]) => ({ what, percent: Math.round((1_000 * time) / all) / 10 }))
}

function nameOf({ functionName, url, lineNumber }: CpuProfile['nodes'][number]['callFrame']): string {
  const file = url.split('/').slice(-2).join('/')
  if (functionName.startsWith('(')) return functionName
  return `${functionName === '' ? 'anonymous' : functionName}${file === '' ? ' (native)' : ` ${file}:${lineNumber + 1}`}`
}
