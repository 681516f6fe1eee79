// Runs the reflector of core/reflector for one kind: its lists, its watch, its timer. What changes is told as it comes; whoever hears it
// may do no more than note which resource has to be looked at.
import type { Cancel, Clock } from '@citypresence/chassis/edge/clock'
import type { CityError } from '@citypresence/chassis/errors'
import type { KubeKind } from '../core/kube-kinds.ts'
import { groupsOf } from '../core/routing.ts'
import { createObjectCache, type Change, type ObjectCache } from '../core/object-cache.ts'
import {
  nextTickAtMs,
  reflectorDefaults,
  startReflector,
  step,
  type ReflectorEffect,
  type ReflectorEvent,
  type ReflectorSettings,
} from '../core/reflector.ts'
import type { WatchEvent } from '../core/watch-event.ts'
import type { KubeApi, Scope } from './kube-api.ts'
import { KubeError, toKubeError } from './kube-errors.ts'

export type ReflectorOptions = {
  readonly api: Pick<KubeApi, 'list' | 'watch'>
  readonly kind: KubeKind
  readonly scope: Scope
  readonly clock: Clock
  readonly random: () => number
  readonly onChange: (change: Change) => void
  readonly onSynced: () => void
  readonly onError: (error: CityError) => void
  /** A watch was opened anew, and why. */
  readonly onRestart: (why: string) => void
  readonly settings?: Partial<ReflectorSettings>
}

export type RunningReflector = {
  readonly kind: KubeKind
  readonly cache: ObjectCache
  isSynced(): boolean
  /** The server has this kind. */
  isPresent(): boolean
  /** Since the server last said anything here; 0 for a kind that it does not have, which is watched by nobody. */
  silentMs(): number
  /** Since the machine last moved, or should have: it is stuck when this grows past every deadline. */
  stillMs(): number
  stop(): void
}

export function runReflector(options: ReflectorOptions): RunningReflector {
  const { api, kind, scope, clock, random, onChange } = options
  const settings = { ...reflectorDefaults, ...options.settings, optional: kind.optional === true }
  const cache = createObjectCache(groupsOf)
  let reflector = startReflector(clock.monotonicMs())
  let request = new AbortController()
  let isPresent = false
  let cancelTick: Cancel = () => undefined
  let [heardAtMs, movedAtMs] = [clock.monotonicMs(), clock.monotonicMs()]

  const dispatch = (event: ReflectorEvent): void => {
    const nowMs = clock.monotonicMs()
    movedAtMs = nowMs
    const wasSynced = reflector.synced
    const after = step(reflector, event, settings, { nowMs, random01: random() })
    reflector = after.reflector
    for (const effect of after.effects) carryOut(effect)
    if (reflector.synced && !wasSynced) options.onSynced()
    cancelTick()
    const dueAtMs = nextTickAtMs(reflector, settings)
    if (dueAtMs !== undefined) cancelTick = clock.after(dueAtMs - nowMs, () => dispatch({ kind: 'tick' }))
  }

  const carryOut = (effect: ReflectorEffect): void => {
    switch (effect.kind) {
      case 'cut':
        options.onRestart(effect.why)
        if (effect.why === 'silent')
          options.onError(new KubeError('WatchSilent', `${kind.plural}: nothing moved on the watch`))
        request.abort()
        break
      case 'list':
        void run((signal) => list(signal))
        break
      case 'watch':
        void run((signal) => watch(effect.version, effect.timeoutS, signal))
        break
      case 'absent':
        isPresent = false
        tell(cache.replace([]))
        break
    }
  }

  const tell = (changes: readonly Change[]): void => {
    for (const change of changes) onChange(change)
  }

  const list = async (signal: AbortSignal): Promise<ReflectorEvent> => {
    const { objects, version } = await api.list(kind, scope, signal)
    if (signal.aborted) return { kind: 'ended' }
    heardAtMs = clock.monotonicMs()
    isPresent = true
    tell(cache.replace(objects))
    return { kind: 'listed', version }
  }

  const watch = async (version: string, timeoutS: number, signal: AbortSignal): Promise<ReflectorEvent> => {
    const onActivity = (): void => {
      if (signal.aborted) return
      heardAtMs = clock.monotonicMs()
      dispatch({ kind: 'active' })
    }
    const onEvent = (event: WatchEvent): void => {
      if (!signal.aborted) hear(event)
    }
    await api.watch(kind, scope, { version, timeoutS, signal, onEvent, onActivity })
    options.onRestart('ended')
    return { kind: 'ended' }
  }

  const hear = (event: WatchEvent): void => {
    if (event.type === 'ERROR') return
    if (event.type === 'BOOKMARK') {
      dispatch({ kind: 'told', version: event.version })
      return
    }
    const { object, type } = event
    // First the cache, then the version: what is told to have been heard has been.
    tell(type === 'DELETED' ? cache.remove(object) : cache.put(object))
    dispatch({ kind: 'told', version: object.metadata.resourceVersion ?? '' })
  }

  /** One request; what it says after it was cut is not heard any more. */
  const run = async (ask: (signal: AbortSignal) => Promise<ReflectorEvent>): Promise<void> => {
    const mine = new AbortController()
    request = mine
    // A turn later: an effect is carried out inside a step, and its answer must not come before that one is through.
    await Promise.resolve()
    try {
      const event = mine.signal.aborted ? undefined : await ask(mine.signal)
      if (event !== undefined && !mine.signal.aborted) dispatch(event)
    } catch (thrown) {
      if (mine.signal.aborted) return
      const error = toKubeError(thrown, kind.plural)
      // Of somebody else's kind: not installed, which is no error.
      if (!settings.optional || error.code !== 'KubeMissing') options.onError(error)
      if (reflector.phase === 'watching') options.onRestart('failed')
      const word = error.failure?.word ?? (error.code === 'KubeGarbled' ? 'KubeGarbled' : 'KubeUnreachable')
      dispatch({ kind: 'failed', word, quietMs: error.failure?.quietMs ?? 0 })
    }
  }

  dispatch({ kind: 'tick' })
  return {
    kind,
    cache,
    isSynced: () => reflector.synced,
    isPresent: () => isPresent,
    silentMs: () => (reflector.synced && !isPresent ? 0 : clock.monotonicMs() - heardAtMs),
    // Whoever waits for a moment that lies ahead is not stuck: a kind that is not installed is looked for after minutes.
    stillMs() {
      const sinceMs = reflector.phase === 'waiting' ? Math.max(movedAtMs, reflector.dueAtMs) : movedAtMs
      return Math.max(0, clock.monotonicMs() - sinceMs)
    },
    stop() {
      cancelTick()
      dispatch({ kind: 'stop' })
      cancelTick()
      request.abort()
    },
  }
}
