// The line that the demo prints every second, and the verdict at its end. Pure.

export type Facts = {
  elapsedMs: number
  residents: number
  online: number
  changes: number
  frames: number
  samplesMs: readonly number[]
  throttleMs: number
  /** Who leads, where there are several who could. */
  leader?: string | undefined
}

export function progressLine(facts: Facts): string {
  const seconds = String(Math.round(facts.elapsedMs / 1000)).padStart(4)
  const people = `${String(facts.online).padStart(2)} of ${facts.residents} people online`
  const leader = facts.leader === undefined ? '' : `, ${facts.leader}`
  return `${seconds} s  ${people}, ${facts.changes} changes, ${facts.frames} frames, ${latencyText(facts)}${leader}`
}

function latencyText({ samplesMs, throttleMs }: Facts): string {
  if (samplesMs.length === 0) return 'Matrix to browser not timed yet'
  const [p50, p99] = [percentile(samplesMs, 50), percentile(samplesMs, 99)].map((ms) => Math.round(ms))
  return `Matrix to browser p50 ${p50} ms, p99 ${p99} ms (throttle of ${throttleMs} ms apart)`
}

/** The nearest-rank percentile: a value that was really measured. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((one, other) => one - other)
  const rank = Math.max(1, Math.ceil((percent / 100) * sorted.length))
  return sorted[rank - 1] ?? Number.NaN
}

export type Outcome = {
  snapshots: readonly number[]
  updates: readonly number[]
  changes: number
  lastFailure: string | undefined
  /** Empty when the gateways show the same. */
  betweenGateways: readonly string[]
  /** Empty when they show what Synapse says. */
  toTruth: readonly string[]
}

/** Undefined when the city lived, else the sentence that says why it did not. */
export function whyNotLived(outcome: Outcome): string | undefined {
  const because = outcome.lastFailure === undefined ? '' : ` The last failure was: ${outcome.lastFailure}`
  if (outcome.changes === 0) return `No resident could do anything on Synapse.${because}`
  if (outcome.snapshots.some((count) => count === 0)) return 'A gateway never sent its snapshot.'
  if (outcome.updates.some((count) => count === 0)) return 'A gateway never sent an update.'
  if (outcome.betweenGateways.length > 0) return `The gateways disagree: ${outcome.betweenGateways.join('; ')}.`
  if (outcome.toTruth.length > 0) return `The gateways differ from Synapse: ${outcome.toTruth.join('; ')}.`
  return undefined
}
