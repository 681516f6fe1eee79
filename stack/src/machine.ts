// What the stack takes from the machine it runs on: a few environment variables and the place of this repository.
// The only file of the stack that reads process.env, so that nothing else depends on who started it.
import { homedir } from 'node:os'
import { join } from 'node:path'

/** The repository's root folder: services are started from here. */
export const repositoryRoot = join(import.meta.dirname, '..', '..')

/** One variable of the environment; an empty one counts as absent, as in the Makefile. */
export function machineSetting(name: string): string | undefined {
  const value = process.env[name]
  return value === undefined || value === '' ? undefined : value
}

/** The environment a child starts with: enough to find programs and a home, nothing that would steer it by accident. */
export function bareEnv(): Record<string, string> {
  const kept: Record<string, string> = {}
  for (const name of ['PATH', 'HOME', 'TMPDIR', 'LANG', 'LC_ALL', 'TZ']) {
    const value = machineSetting(name)
    if (value !== undefined) kept[name] = value
  }
  return kept
}

/** Where downloads and fixtures are kept. The Makefile has the same rule. */
export function cacheFolder(): string {
  const own = machineSetting('CITY_PRESENCE_CACHE')
  if (own !== undefined) return own
  const xdg = machineSetting('XDG_CACHE_HOME')
  return join(xdg ?? join(homedir(), '.cache'), 'city-presence')
}
