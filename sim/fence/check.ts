// Has Spin walk every order of events of one variant: city.pml -> spin -> C -> cc -> a verifier -> its verdict.
//
// Each variant is built in a folder of its own, which is removed; two run side by side, as the smallest machine has two cores.
import { execFile } from 'node:child_process'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { makeTemporaryFolder } from '@citypresence/stack/temporary-folder'
import { readPan, type Result } from './pan.ts'
import { definesOf, type Variant } from './variants.ts'

export type Checked = Result & { readonly variant: Variant; readonly seconds: number }

const model = join(import.meta.dirname, 'city.pml')
// The largest variant takes 0.3 GB and twenty seconds of one core; beyond these something has grown that nobody looked at.
const megabytesMax = 1_800
const timeoutMs = 240_000
// No run is half as deep; one that is cut by it counts as unfinished, never as held.
const depthMax = 5_000

/** Exact (no hashing of states), all assertions, no order left out. */
const compilerFlags = ['-O1', '-w', '-DSAFETY', '-DNOREDUCE', '-DCOLLAPSE', `-DMEMLIM=${megabytesMax}`]

export async function check(variant: Variant): Promise<Checked> {
  const startedMs = performance.now()
  const folder = makeTemporaryFolder('model')
  try {
    const options = { cwd: folder.path, timeout: timeoutMs, maxBuffer: 16 * 1024 * 1024 }
    await run('spin', ['-a', ...definesOf(variant), model], options)
    await run('cc', [...compilerFlags, '-o', 'verify', 'pan.c'], options)
    // -E: an end is judged by the model itself.
    const output = await run(join(folder.path, 'verify'), ['-E', `-m${depthMax}`, '-w22'], options)
    const seconds = Math.round((performance.now() - startedMs) / 100) / 10
    return { variant, seconds, ...readPan(output) }
  } finally {
    folder.remove()
  }
}

/** All of them, a worker a core; each is told as it is done. */
export async function checkAll(variants: readonly Variant[], told: (one: Checked) => void): Promise<Checked[]> {
  // The longest begin first, so that no core waits for one at the end.
  const waiting = [...variants].sort((a, b) => Number(b.expected === 'held') - Number(a.expected === 'held'))
  const done: Checked[] = []
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const one = await check(next)
      done.push(one)
      told(one)
    }
  }
  await Promise.all(Array.from({ length: Math.max(2, cpus().length) }, work))
  return variants.flatMap((variant) => done.filter((one) => one.variant === variant))
}

export const spinVersion = async (): Promise<string> => (await run('spin', ['-V'], {})).trim()

export const isAsExpected = ({ variant, outcome }: Checked): boolean => outcome === variant.expected

const execute = promisify(execFile)

async function run(command: string, args: readonly string[], options: object): Promise<string> {
  try {
    return (await execute(command, args, { ...options, encoding: 'utf8' })).stdout
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string }
    throw new Error(`${command} ${args.join(' ')}: ${stdout}${stderr}`.slice(0, 4_000), { cause: error })
  }
}
