// Judges how our processes behaved: they end only with words that are known (INV-20), give back what they took (INV-13), and ask
// Matrix one question at a time, never one from before (INV-15).
import type { Entry } from './history.ts'
import type { Invariant, Violation } from './violation.ts'

type Complain = (invariant: Invariant, atMs: number, text: string) => void

export function checkProcesses(history: readonly Entry[]): Violation[] {
  const found: Violation[] = []
  const complain: Complain = (invariant, atMs, text) => void found.push({ invariant, atMs, text })
  const held = holdings(complain)
  const looks = [endings(complain), complaints(complain), polls(complain), held.look]
  for (const entry of history) for (const look of looks) look(entry)
  held.compare()
  return found
}

// Stopped, a connection closed for good, deposed. 2 is wrong settings: nothing here changes settings.
const knownCodes = [0, 1, 3]
// One that ends again and again is a loop, whatever it says; once in ten seconds is a leader deposed twice.
const [endingsMax, endingsWithinMs] = [3, 30_000]

function endings(complain: Complain): (entry: Entry) => void {
  const alone = new Map<string, number[]>()
  return (entry) => {
    if (entry.kind !== 'exit' || entry.asked) return
    const { service, code, signal, atMs } = entry
    if (code === null || !knownCodes.includes(code))
      complain('INV-20', atMs, `${service} ended with ${String(code ?? signal)}`)
    const recent = [...(alone.get(service) ?? []), atMs].filter((endMs) => atMs - endMs < endingsWithinMs)
    alone.set(service, recent)
    if (recent.length > endingsMax) complain('INV-20', atMs, `${service} ended ${recent.length} times in 30 s`)
  }
}

const complaints =
  (complain: Complain) =>
  (entry: Entry): void => {
    if (entry.kind === 'complaint' && (entry.code === undefined || entry.code === 'Unexpected'))
      complain('INV-20', entry.atMs, `${entry.service} complained without a word: ${entry.text}`)
  }

// The end of a connection is seen a moment after its process is gone.
const overlapMs = 500

function polls(complain: Complain): (entry: Entry) => void {
  const held = new Map<number, number>()
  const left = new Set<string>()
  let current: string | undefined
  return (entry) => {
    if (entry.kind !== 'poll') return
    const { poll, since, atMs } = entry
    if (entry.phase === 'ends') {
      const other = [...held].find(([number]) => number !== poll)
      const overlap = other === undefined ? 0 : atMs - Math.max(other[1], held.get(poll) ?? atMs)
      if (overlap > overlapMs) complain('INV-15', atMs, `two polls were held together for ${Math.round(overlap)} ms`)
      held.delete(poll)
      return
    }
    held.set(poll, atMs)
    if (since !== undefined && left.has(since))
      complain('INV-15', atMs, `asked again since ${since}, which it had left`)
    if (current !== undefined && current !== since) left.add(current)
    // Asking for everything begins anew.
    if (since === undefined) left.clear()
    current = since
  }
}

// A heap that was used once is kept by the runtime for a while.
const keptBytesMax = 96 * 1024 * 1024
// Connections of a metrics page or a page of the admin port that is just being asked.
const keptDescriptorsMax = 16

type Sample = Extract<Entry, { kind: 'sample' }>

/** The least that a service held between two faults, beside what it held when it had first settled. */
function holdings(complain: Complain) {
  const first = new Map<string, Sample>()
  const least = new Map<string, Sample>()
  const newest = new Map<string, Sample>()
  const compare = (): void => {
    for (const [service, now] of least) {
      const base = first.get(service)
      if (base === undefined) continue
      const bytes = now.rssBytes - base.rssBytes
      if (bytes > keptBytesMax)
        complain('INV-13', now.atMs, `${service} kept ${Math.round(bytes / 1024 / 1024)} MB more`)
      const descriptors = now.descriptors - base.descriptors
      if (descriptors > keptDescriptorsMax)
        complain('INV-13', now.atMs, `${service} kept ${descriptors} descriptors more`)
    }
  }
  const look = (entry: Entry): void => {
    if (entry.kind === 'sample') {
      newest.set(entry.service, entry)
      const before = least.get(entry.service)
      least.set(entry.service, before === undefined ? entry : lesser(before, entry))
    } else if (entry.kind === 'exit') {
      // Another process begins elsewhere.
      for (const map of [first, least, newest]) map.delete(entry.service)
    } else if (entry.kind === 'settled') {
      for (const [service, sample] of newest) if (!first.has(service)) first.set(service, sample)
    } else if (entry.kind === 'fault') {
      if (entry.phase === 'begins') compare()
      least.clear()
    }
  }
  return { look, compare }
}

const lesser = (one: Sample, other: Sample): Sample => ({
  ...other,
  rssBytes: Math.min(one.rssBytes, other.rssBytes),
  descriptors: Math.min(one.descriptors, other.descriptors),
})
