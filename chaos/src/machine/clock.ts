// A wall clock of its own for a process: Debian's libfaketime, told by a file that may change while the process runs. Its
// monotonic clock stays that of the machine.
import { existsSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const libraries = '/usr/lib'

/** As Debian places it: one folder for each architecture. */
const findLibrary = (): string | undefined =>
  (existsSync(libraries) ? readdirSync(libraries) : [])
    .map((folder) => join(libraries, folder, 'faketime/libfaketime.so.1'))
    .find((path) => existsSync(path))

export const whyNoClock = (): string | undefined =>
  findLibrary() === undefined ? 'libfaketime is not installed (Debian: apt-get install libfaketime)' : undefined

/** Environment of a process whose wall clock goes by this file; empty where there is no library for it. */
export function clockEnv(file: string): Record<string, string> {
  const library = findLibrary()
  if (library === undefined) return {}
  setClock(file, 0)
  return {
    LD_PRELOAD: library,
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: '1', // believed for longer, it freezes the time that was set back
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    NO_FAKE_STAT: '1',
  }
}

/** At once, and never half written: an empty file is another time too. */
export function setClock(file: string, offsetS: number): void {
  writeFileSync(`${file}.new`, `${offsetS < 0 ? '' : '+'}${offsetS}`)
  renameSync(`${file}.new`, file)
}
