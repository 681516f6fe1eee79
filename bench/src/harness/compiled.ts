// The two C programs of the benchmark, compiled at their first use into the cache, keyed by their text.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { cacheFolder } from '@citypresence/stack/machine'

/** The path of the program, or undefined where there is no C compiler. */
export function compiled(name: 'sink' | 'send-loop'): string | undefined {
  const source = join(import.meta.dirname, `../load/${name}.c`)
  const key = createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 12)
  const program = join(cacheFolder(), 'bench', `${name}-${key}`)
  if (existsSync(program)) return program
  const temporary = `${program}.${process.pid}.part`
  try {
    mkdirSync(join(cacheFolder(), 'bench'), { recursive: true })
    execFileSync('cc', ['-O2', '-Wall', '-o', temporary, source], { stdio: ['ignore', 'ignore', 'pipe'] })
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
  renameSync(temporary, program)
  return program
}
