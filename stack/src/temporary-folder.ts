// A folder for one server's data and log. It is removed by `remove()`, or by the reaper when this process ends before.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { StartFailure } from './process.ts'
import { guard, release } from './reaper.ts'

export type TemporaryFolder = {
  path: string
  remove(): void
  /** Leaves the folder on the disk for somebody to read its log. */
  keep(): void
  /** After a failed start: kept when the error names a log in it, else removed. */
  keepFor(error: unknown): void
}

export function makeTemporaryFolder(name: string): TemporaryFolder {
  const path = mkdtempSync(join(tmpdir(), `city-presence-${name}-`))
  guard({ kind: 'folder', path })
  return {
    path,
    remove() {
      rmSync(path, { recursive: true, force: true, maxRetries: 3 })
      release({ kind: 'folder', path })
    },
    keep() {
      release({ kind: 'folder', path })
    },
    keepFor(error) {
      if (error instanceof StartFailure) this.keep()
      else this.remove()
    },
  }
}
