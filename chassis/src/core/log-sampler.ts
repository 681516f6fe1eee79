// Keeps a flood of one kind of log line to one a window, and counts what it held back. Owns a table changed in place:
// `sample` answers whether this line is written and how many of its kind were held back before it. No clock: time is an argument.
//
//   line(key) -> first in the window: written, with `suppressed: n` of the window before -> the others: counted

export type LogSampler = {
  readonly windowMs: number
  readonly keysMax: number
  readonly kinds: Map<string, { windowStartMs: number; suppressed: number }>
}

export type Sampled = { readonly write: boolean; readonly suppressed: number; readonly key: string }

/** What does not fit into the table shares one window, so that inventing keys does not buy lines. */
export const overflowKey = 'other'

export function createLogSampler(windowMs: number, keysMax: number): LogSampler {
  return { windowMs, keysMax, kinds: new Map() }
}

export function sample(sampler: LogSampler, wantedKey: string, nowMs: number): Sampled {
  const key = roomFor(sampler, wantedKey, nowMs) ? wantedKey : overflowKey
  const kind = sampler.kinds.get(key)
  if (kind !== undefined && nowMs - kind.windowStartMs < sampler.windowMs) {
    kind.suppressed++
    return { write: false, suppressed: kind.suppressed, key }
  }
  sampler.kinds.set(key, { windowStartMs: nowMs, suppressed: 0 })
  return { write: true, suppressed: kind?.suppressed ?? 0, key }
}

/** The counts not yet told: for a last line at the end. Emptied by the call. */
export function takeSuppressed(sampler: LogSampler): { key: string; suppressed: number }[] {
  const left = [...sampler.kinds].filter(([, { suppressed }]) => suppressed > 0)
  sampler.kinds.clear()
  return left.map(([key, { suppressed }]) => ({ key, suppressed }))
}

function roomFor(sampler: LogSampler, key: string, nowMs: number): boolean {
  if (sampler.kinds.has(key) || sampler.kinds.size < sampler.keysMax - 1) return true
  for (const [old, { windowStartMs, suppressed }] of sampler.kinds)
    if (suppressed === 0 && nowMs - windowStartMs >= sampler.windowMs) sampler.kinds.delete(old)
  return sampler.kinds.size < sampler.keysMax - 1
}
