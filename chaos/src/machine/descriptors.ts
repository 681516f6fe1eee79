// How many files and sockets a running process may hold open: lowered and raised again from outside, by util-linux' prlimit.
import { execFileSync } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'

export function whyNoDescriptorLimit(): string | undefined {
  try {
    execFileSync('prlimit', ['--pid', String(process.pid), '--nofile'], { stdio: 'ignore' })
    return undefined
  } catch {
    return 'prlimit (util-linux) is not on this machine'
  }
}

/** What is open stays open; nothing new can be opened while more than `most` are. Returns what lifts it. */
export function limitDescriptors(pid: number, most: number): () => void {
  const line = /^Max open files +(\d+|unlimited)/m.exec(readFileSync(`/proc/${pid}/limits`, 'utf8'))
  const before = line?.[1] ?? 'unlimited'
  const set = (soft: string): void =>
    void execFileSync('prlimit', ['--pid', String(pid), `--nofile=${soft}:`], { stdio: 'ignore' })
  set(String(most))
  return () => set(before)
}

export const descriptorsHeld = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length
