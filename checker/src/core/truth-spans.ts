// The truth of a recording as spans of time: between two acts that change a room its counts hold.
//
//   truth energy 2/0 at 10, 3/0 at 40, removed at 90   ->   energy: [10..40) 2/0, [40..90) 3/0
import type { Entry, RecordedSettings } from './history.ts'

export type Counts = { readonly online: number; readonly typing: number }
export type Span = Counts & { readonly members: number; readonly fromMs: number; readonly toMs: number }
export type Truth = ReadonlyMap<string, readonly Span[]>

export function truthOf(history: readonly Entry[]): Truth {
  const truth = new Map<string, Span[]>()
  const spansOf = (slug: string): Span[] => {
    const spans = truth.get(slug) ?? []
    truth.set(slug, spans)
    return spans
  }
  const end = (spans: Span[], atMs: number): void => {
    const last = spans.at(-1)
    if (last?.toMs === Infinity) spans[spans.length - 1] = { ...last, toMs: atMs }
  }
  for (const entry of history) {
    if (entry.kind === 'truth') {
      const spans = spansOf(entry.slug)
      end(spans, entry.atMs)
      const { online, typing, members, atMs } = entry
      spans.push({ online, typing, members, fromMs: atMs, toMs: Infinity })
    } else if (entry.kind === 'truth-removed') end(spansOf(entry.slug), entry.atMs)
  }
  return truth
}

/** The spans that touch this time, oldest first. */
export function spansWithin(truth: Truth, slug: string, fromMs: number, toMs: number): readonly Span[] {
  const spans = truth.get(slug) ?? []
  let last = firstAfter(spans, toMs)
  const within: Span[] = []
  while (last > 0) {
    const span = spans[--last]
    if (span === undefined || span.toMs < fromMs) break
    within.push(span)
  }
  return within.reverse()
}

/** The index of the first span that begins after this moment. */
function firstAfter(spans: readonly Span[], atMs: number): number {
  let [low, high] = [0, spans.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((spans[middle]?.fromMs ?? Infinity) > atMs) high = middle
    else low = middle + 1
  }
  return low
}

/** Undefined where the room was not on the map in that moment. */
export function truthAt(truth: Truth, slug: string, atMs: number): Span | undefined {
  const span = spansWithin(truth, slug, atMs, atMs).at(-1)
  return span !== undefined && span.toMs > atMs ? span : undefined
}

export const isSame = (one: Counts, other: Counts): boolean =>
  one.online === other.online && one.typing === other.typing

// From the act to the frame beside everything that has a setting: a poll's answer, a batch, a sweep, a busy machine.
const workMs = 1_000
// A gateway marks everything after this long without a beat.
const silenceMs = 5_000

/**
 * For how long a value may be shown without a mark after it ceased to hold: the source may be silent for STALE_AFTER until the
 * beat says so, a beat may be missed for five seconds, and a change waits out its window.
 */
export function mayLagMs(settings: RecordedSettings): number {
  return settings.staleAfterMs + silenceMs + settings.throttleMs + settings.offlineGraceMs + workMs
}
