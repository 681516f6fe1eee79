// The Go peer: built once into the cache by stack/install, or not to be had.
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { centrifugeBinary } from '@citypresence/stack/cache'
import { repositoryRoot } from '@citypresence/stack/machine'

/** Undefined where there is no Go that could build it. */
export function centrifugeProgram(): string | undefined {
  const known = centrifugeBinary()
  if (existsSync(known)) return known
  try {
    execFileSync('sh', [join(repositoryRoot, 'stack/install/centrifuge.sh')], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
  } catch {
    return undefined
  }
  return existsSync(known) ? known : undefined
}
