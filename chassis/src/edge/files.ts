// Tells when a file has another content than before. Looks every few seconds instead of asking the kernel: Kubernetes
// replaces mounted files by swapping a symbolic link above them, which file watchers miss or see as a deletion.
import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { type Cancel, type Clock, systemClock } from './clock.ts'

export type WatchOptions = { readonly everyMs?: number; readonly clock?: Clock }

/** The kubelet itself takes up to a minute; two seconds on top are nothing, and one stat costs nothing. */
const everyMsDefault = 2_000
/** Settings, certificates, a room directory: past this the stat alone decides and nothing is read. */
const hashedBytesMax = 16 * 1024 * 1024

/** onChange runs when a readable content differs from the last readable one; a file that is gone for a while is not news. */
export function watchFile(path: string, onChange: () => void, options: WatchOptions = {}): Cancel {
  const { everyMs = everyMsDefault, clock = systemClock } = options
  const fingerprint = createFingerprint(path)
  let known = fingerprint()
  let stopped = false
  let cancel: Cancel
  const look = () => {
    const current = fingerprint()
    if (current !== undefined && current !== known) {
      known = current
      onChange()
    }
    if (!stopped) cancel = clock.after(everyMs, look)
  }
  cancel = clock.after(everyMs, look)
  return () => {
    stopped = true
    cancel()
  }
}

/** Asked again and again, answers what the file holds (a hash), undefined while unreadable. Reads only after a stat changed. */
export function createFingerprint(path: string): () => string | undefined {
  let lastStat = ''
  let lastHash: string | undefined
  return () => {
    try {
      const { ino, size, mtimeMs, ctimeMs } = statSync(path)
      const stat = `${ino} ${size} ${mtimeMs} ${ctimeMs}`
      if (stat === lastStat) return lastHash
      lastHash = size > hashedBytesMax ? stat : createHash('sha256').update(readFileSync(path)).digest('hex')
      lastStat = stat
      return lastHash
    } catch {
      // Gone, or in the middle of a swap: the next look decides.
      return undefined
    }
  }
}
