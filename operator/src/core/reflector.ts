// Keeps a cache equal to what the API server has: when to list, from where to watch, and when to give up on a watch.
//
//             .-- listed --> watching --- ended, failed --> waiting --.
//   list <----'                 |                              |      '-- tick --> watch from the last version
//    ^                          '--- silent, time to relist    '-- forgotten (410), or failed three times --> list
//
// Nothing counts as known before a list went well: an empty cache would look like a city whose parts are all gone.
import type { KubeWord } from './kube-failure.ts'

export type ReflectorSettings = {
  /** A watch on which nothing moves for so long is dead, whatever the connection says. */
  readonly silentMs: number
  /** Everything is listed anew, in case a watch lied. */
  readonly relistMs: number
  /** The server is asked to end a watch after a time between these. */
  readonly watchSMin: number
  readonly watchSMax: number
  /** Somebody else's kind, which may be missing: an empty list then, and looked for now and then. */
  readonly optional: boolean
}

// Bookmarks come once a minute: three that are missing are no accident.
export const reflectorDefaults: ReflectorSettings = {
  silentMs: 180_000,
  relistMs: 600_000,
  watchSMin: 240,
  watchSMax: 480,
  optional: false,
}

export type Reflector = {
  readonly phase: 'waiting' | 'listing' | 'watching' | 'stopped'
  /** From where a watch goes on; undefined when everything has to be listed. */
  readonly version: string | undefined
  /** In a row, of lists and watches. */
  readonly failures: number
  /** Of waiting: when it goes on. Of watching: when it has to have ended by itself. */
  readonly dueAtMs: number
  readonly relistAtMs: number
  readonly activeAtMs: number
  readonly startedAtMs: number
  readonly synced: boolean
}

export type ReflectorEvent =
  | { readonly kind: 'tick' }
  | { readonly kind: 'listed'; readonly version: string }
  /** A byte came. */
  | { readonly kind: 'active' }
  /** All up to this version is told. */
  | { readonly kind: 'told'; readonly version: string }
  | { readonly kind: 'ended' }
  | { readonly kind: 'failed'; readonly word: KubeWord | 'KubeGarbled' | 'WatchSilent'; readonly quietMs: number }
  | { readonly kind: 'stop' }

export type ReflectorEffect =
  | { readonly kind: 'list' }
  | { readonly kind: 'watch'; readonly version: string; readonly timeoutS: number }
  /** Ends the request under way; its own end is not told any more. */
  | { readonly kind: 'cut'; readonly why: 'silent' | 'relist' | 'overdue' | 'stop' }
  /** The kind is not there: what is known of it is nothing. */
  | { readonly kind: 'absent' }

type Moment = { readonly nowMs: number; readonly random01: number }
type Step = { readonly reflector: Reflector; readonly effects: readonly ReflectorEffect[] }

const backoff = { baseMs: 500, capMs: 30_000 }
// What failed to go on from a version so often may never.
const resumesMax = 3
// What the server takes to end a watch that it was asked to end.
const overdueMs = 30_000
// Ended before that, it was no watch but a refusal in disguise: asked again at once it would be asked for ever.
const shortWatchMs = 1_000
// A watch that went on for so long was a good one, even if nothing happened on it.
const livedMs = 60_000
const doublingsMax = 10

export const startReflector = (nowMs: number): Reflector => ({
  phase: 'waiting',
  version: undefined,
  failures: 0,
  dueAtMs: nowMs,
  relistAtMs: nowMs,
  activeAtMs: nowMs,
  startedAtMs: nowMs,
  synced: false,
})

/** When a tick is wanted. */
export function nextTickAtMs(reflector: Reflector, { silentMs }: ReflectorSettings): number | undefined {
  const { phase, dueAtMs, relistAtMs, activeAtMs } = reflector
  if (phase === 'waiting') return dueAtMs
  return phase === 'watching' ? Math.min(dueAtMs, relistAtMs, activeAtMs + silentMs) : undefined
}

export function step(reflector: Reflector, event: ReflectorEvent, settings: ReflectorSettings, moment: Moment): Step {
  if (reflector.phase === 'stopped') return stay(reflector)
  const { nowMs } = moment
  switch (event.kind) {
    case 'stop':
      return {
        reflector: { ...reflector, phase: 'stopped' },
        effects: reflector.phase === 'waiting' ? [] : [{ kind: 'cut', why: 'stop' }],
      }
    case 'tick':
      return tick(reflector, settings, moment)
    case 'active':
      return stay({ ...reflector, activeAtMs: nowMs })
    case 'told':
      if (reflector.phase !== 'watching') return stay(reflector)
      return stay({ ...reflector, version: event.version, failures: 0, activeAtMs: nowMs })
    case 'listed':
      if (reflector.phase !== 'listing') return stay(reflector)
      return watch(
        relistLater({ ...reflector, version: event.version, synced: true }, settings, moment),
        settings,
        moment,
      )
    case 'ended':
      if (reflector.phase !== 'watching') return stay(reflector)
      return nowMs - reflector.startedAtMs < shortWatchMs
        ? fail(reflector, 0, moment)
        : stay({ ...reflector, phase: 'waiting', dueAtMs: nowMs, failures: 0 })
    case 'failed':
      if (reflector.phase === 'waiting') return stay(reflector)
      return failedBy(reflector, event, settings, moment)
  }
}

const stay = (reflector: Reflector): Step => ({ reflector, effects: [] })

/** Spread out, so that all kinds are not listed at once for ever. */
const relistLater = (
  reflector: Reflector,
  { relistMs }: ReflectorSettings,
  { nowMs, random01 }: Moment,
): Reflector => ({
  ...reflector,
  relistAtMs: nowMs + relistMs * (0.9 + 0.2 * random01),
})

function tick(reflector: Reflector, settings: ReflectorSettings, moment: Moment): Step {
  const { nowMs } = moment
  const { phase, dueAtMs, relistAtMs, activeAtMs, version } = reflector
  if (phase === 'waiting') {
    if (nowMs < dueAtMs) return stay(reflector)
    return version === undefined || nowMs >= relistAtMs ? list(reflector, nowMs) : watch(reflector, settings, moment)
  }
  if (phase !== 'watching') return stay(reflector)
  if (nowMs >= activeAtMs + settings.silentMs) {
    const { reflector: after, effects } = fail(reflector, 0, moment)
    return { reflector: after, effects: [{ kind: 'cut', why: 'silent' }, ...effects] }
  }
  if (nowMs >= relistAtMs) {
    const { reflector: after, effects } = list(reflector, nowMs)
    return { reflector: after, effects: [{ kind: 'cut', why: 'relist' }, ...effects] }
  }
  if (nowMs < dueAtMs) return stay(reflector)
  const { reflector: after, effects } = watch(reflector, settings, moment)
  return { reflector: after, effects: [{ kind: 'cut', why: 'overdue' }, ...effects] }
}

const list = (reflector: Reflector, nowMs: number): Step => ({
  reflector: { ...reflector, phase: 'listing', startedAtMs: nowMs },
  effects: [{ kind: 'list' }],
})

function watch(reflector: Reflector, settings: ReflectorSettings, { nowMs, random01 }: Moment): Step {
  const { watchSMin, watchSMax } = settings
  const { version } = reflector
  if (version === undefined) return list(reflector, nowMs)
  const timeoutS = Math.round(watchSMin + (watchSMax - watchSMin) * random01)
  const dueAtMs = nowMs + timeoutS * 1000 + overdueMs
  return {
    reflector: { ...reflector, phase: 'watching', startedAtMs: nowMs, activeAtMs: nowMs, dueAtMs },
    effects: [{ kind: 'watch', version, timeoutS }],
  }
}

function failedBy(
  reflector: Reflector,
  { word, quietMs }: Extract<ReflectorEvent, { kind: 'failed' }>,
  settings: ReflectorSettings,
  moment: Moment,
): Step {
  const { nowMs } = moment
  // Forgotten, or perhaps uninstalled: what there is now is told by a list.
  if (word === 'KubeGone' || (word === 'KubeMissing' && reflector.phase === 'watching')) {
    const { reflector: after, effects } = fail({ ...reflector, version: undefined }, quietMs, moment)
    return { reflector: reflector.failures === 0 ? { ...after, dueAtMs: nowMs + quietMs } : after, effects }
  }
  if (settings.optional && (word === 'KubeMissing' || word === 'KubeForbidden') && reflector.phase === 'listing') {
    const later = relistLater(
      { ...reflector, phase: 'waiting', version: undefined, failures: 0, synced: true },
      settings,
      moment,
    )
    return { reflector: { ...later, dueAtMs: later.relistAtMs }, effects: [{ kind: 'absent' }] }
  }
  return fail(reflector, quietMs, moment)
}

function fail(reflector: Reflector, quietMs: number, { nowMs, random01 }: Moment): Step {
  const hadLived = reflector.phase === 'watching' && nowMs - reflector.startedAtMs >= livedMs
  const failures = (hadLived ? 0 : reflector.failures) + 1
  const ceilingMs = Math.min(backoff.capMs, backoff.baseMs * 2 ** Math.min(failures, doublingsMax))
  const waitMs = Math.max(backoff.baseMs + (ceilingMs - backoff.baseMs) * random01, quietMs)
  const version = failures >= resumesMax ? undefined : reflector.version
  return stay({ ...reflector, phase: 'waiting', failures, version, dueAtMs: nowMs + waitMs })
}
