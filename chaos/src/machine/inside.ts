// What breaks a service of ours from inside: the module that is loaded before it (failpoints/main.ts), and how it is told.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

const failpoints = join(import.meta.dirname, '../failpoints/main.ts')
const commandFile = (folder: string, service: string): string => join(folder, `${service}.command`)
const hostsFile = (folder: string): string => join(folder, 'hosts')

export const insideArgs = ['--import', failpoints]

export const insideEnv = (folder: string, service: string): Record<string, string> => ({
  COMMAND_FILE: commandFile(folder, service),
  HOSTS_FILE: hostsFile(folder),
})

/** `block 20000`, `output /dev/full`, `output nobody`. */
export function command(folder: string, service: string, pid: number, text: string): void {
  writeFileSync(commandFile(folder, service), text)
  process.kill(pid, 'SIGUSR2')
}

/** From now on these names lead there, for every service that was started with the module. */
export const setHosts = (folder: string, addresses: Readonly<Record<string, string>>): void =>
  writeFileSync(
    hostsFile(folder),
    Object.entries(addresses)
      .map(([name, address]) => `${address} ${name}\n`)
      .join(''),
  )
