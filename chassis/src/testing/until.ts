// Waits for a fact with a deadline, for tests of this package (stack has its own, which this package must not import
// outside real-server tests).
import { setTimeout as delay } from 'node:timers/promises'

export async function until(what: string, condition: () => boolean, deadlineMs = 10_000): Promise<void> {
  const endMs = performance.now() + deadlineMs
  while (!condition()) {
    if (performance.now() > endMs) throw new Error(`waited ${deadlineMs} ms for ${what}`)
    await delay(5)
  }
}
