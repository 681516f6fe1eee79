// Loaded before a service of ours (`node --import`), so that it can be broken from inside in ways that no signal of the system
// does. Nothing of it is in the services themselves.
//
//   SIGUSR2    -> does what COMMAND_FILE says: `block <ms>` (a collection of garbage, a huge document), `output <path>` (standard
//                 output goes there from now on), `output nobody` (into a pipe whose reader is gone)
//   HOSTS_FILE -> names are looked up there first, anew each time: "127.0.0.2 nats.test", one a line
import { execFileSync } from 'node:child_process'
import dns from 'node:dns'
import { closeSync, constants, existsSync, openSync, readFileSync } from 'node:fs'
import { isIP } from 'node:net'

const { COMMAND_FILE: commandFile, HOSTS_FILE: hostsFile } = process.env

if (commandFile !== undefined)
  process.on('SIGUSR2', () => {
    const [deed, how = ''] = readFileSync(commandFile, 'utf8').split(' ')
    if (deed === 'block') block(Number(how))
    else if (how === 'nobody') speakToNobody(`${commandFile}.pipe`)
    else speakTo(() => openSync(how, 'a'))
  })

function block(ms: number): void {
  const endMs = performance.now() + ms
  while (performance.now() < endMs);
}

/** A descriptor that was just closed is the one that the next open gets: 1, then 2. */
function speakTo(open: () => number): void {
  for (const descriptor of [1, 2]) {
    closeSync(descriptor)
    if (open() !== descriptor) throw new Error('the output went elsewhere')
  }
}

function speakToNobody(pipe: string): void {
  if (!existsSync(pipe)) execFileSync('mkfifo', [pipe])
  // A pipe without a reader cannot be opened for writing, so there is one for a moment.
  const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK)
  speakTo(() => openSync(pipe, 'a'))
  closeSync(reader)
}

if (hostsFile !== undefined) {
  const system = dns.lookup
  const patched = (...args: unknown[]): void => {
    const [name, options] = args
    const answer = args.at(-1) as (error: Error | null, address: unknown, family?: number) => void
    const address = addressOf(hostsFile, String(name))
    if (address === undefined) {
      Reflect.apply(system, dns, args)
      return
    }
    const all = typeof options === 'object' && options !== null && (options as { all?: boolean }).all === true
    process.nextTick(() =>
      all ? answer(null, [{ address, family: isIP(address) }]) : answer(null, address, isIP(address)),
    )
  }
  dns.lookup = patched as typeof dns.lookup
}

function addressOf(file: string, name: string): string | undefined {
  if (!existsSync(file)) return undefined
  const lines = readFileSync(file, 'utf8').split('\n')
  return lines.map((line) => line.split(' ')).find(([, known]) => known === name)?.[0]
}
