// A network of its own for a crowd: a namespace at the other end of a virtual cable. Pulled, what either side sends is lost without
// a word, as behind a mobile mast that went dark: no FIN, no RST, no error.
import { execFileSync } from 'node:child_process'

export type Cable = {
  /** Words that start a program at the far end. */
  readonly within: readonly string[]
  /** This machine, as seen from there. */
  readonly host: string
  pull(): void
  remove(): void
}

const ip = (...args: string[]): void => void execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] })
const name = `city-${process.pid}`
// 10.201 to 10.254: private, and unlikely to be in use; one net for each process that plays faults.
const net = `10.${201 + (process.pid % 54)}.${process.pid % 250}`
const [here, there] = [`${net}.1`, `${net}.2`]
// An address of nobody: frames to it are carried, and taken by none.
const nobody = '02:00:00:00:00:99'

/** Why there can be none here; undefined where there can. */
export function whyNoCable(): string | undefined {
  try {
    layCable().remove()
    return undefined
  } catch (error) {
    const said = (error as { stderr?: Buffer }).stderr?.toString().trim()
    return `no network namespace can be made here (${said === undefined || said === '' ? String(error) : said})`
  }
}

export function layCable(): Cable {
  const [near, far] = [`${name}n`, `${name}f`]
  ip('netns', 'add', name)
  try {
    ip('link', 'add', near, 'type', 'veth', 'peer', 'name', far, 'netns', name)
    ip('addr', 'add', `${here}/30`, 'dev', near)
    ip('link', 'set', near, 'up')
    ip('-n', name, 'addr', 'add', `${there}/30`, 'dev', far)
    ip('-n', name, 'link', 'set', far, 'up')
    ip('-n', name, 'link', 'set', 'lo', 'up')
  } catch (error) {
    ip('netns', 'del', name)
    throw error
  }
  return {
    within: ['ip', 'netns', 'exec', name],
    host: here,
    pull() {
      ip('neigh', 'replace', there, 'lladdr', nobody, 'dev', near, 'nud', 'permanent')
      ip('-n', name, 'neigh', 'replace', here, 'lladdr', nobody, 'dev', far, 'nud', 'permanent')
    },
    remove: () => ip('netns', 'del', name),
  }
}
