// Why the source is not believed, as one error of the vocabulary: written down and counted when it begins or becomes another, and
// told to whoever asks whether this aggregator is ready.
//
//   verdict -> no-sync            the error of the last sync; MatrixUnreachable where a poll only hangs
//           -> presence-off       MatrixPresenceOff
//           -> presence-unproven  the error of the last probe; MatrixPresenceOff where none said anything
import { CityError } from '@citypresence/chassis/errors'
import type { SampledLog } from '@citypresence/chassis/log'
import type { SourceVerdict, StaleReason } from './core/source-health.ts'

export type SourceWatchOptions = {
  readonly log: SampledLog
  readonly countError: (error: CityError) => void
  /** Before one full sync a source that never failed is not told of: it only has not answered yet. */
  readonly isSynced: () => boolean
  readonly lastSyncError: () => CityError | undefined
  readonly lastProbeError: () => CityError | undefined
}

export type SourceWatch = {
  /** undefined: nobody follows the source now. */
  judged(verdict: SourceVerdict | undefined): void
  /** undefined while the source is believed. */
  trouble(): CityError | undefined
}

export function watchSource(options: SourceWatchOptions): SourceWatch {
  const { log, countError } = options
  let told: { readonly kind: string; readonly error: CityError } | undefined
  return {
    judged(verdict) {
      if (verdict === undefined) {
        told = undefined
        return
      }
      const { reason } = verdict
      const error = reason === undefined ? undefined : troubleOf(reason, options)
      if (error === undefined || reason === undefined) {
        if (told !== undefined) log.info('source', {}, 'the source is believed again')
        told = undefined
        return
      }
      const kind = `${reason} ${error.code}`
      if (told?.kind === kind) return
      told = { kind, error }
      countError(error)
      log.warn(kind, { err: error, reason }, 'the source is not believed: counts stay and are marked')
    },
    trouble: () => told?.error,
  }
}

function troubleOf(reason: StaleReason, options: SourceWatchOptions): CityError | undefined {
  if (reason === 'no-sync') return noSync(options)
  if (reason === 'presence-unproven') return unproven(options.lastProbeError())
  return new CityError('MatrixPresenceOff', 'the homeserver does not keep what it is told about presence')
}

function noSync({ isSynced, lastSyncError }: SourceWatchOptions): CityError | undefined {
  const last = lastSyncError()
  if (last !== undefined) return last
  return isSynced() ? new CityError('MatrixUnreachable', 'GET /sync: no answer for too long') : undefined
}

const unproven = (last: CityError | undefined): CityError =>
  last ?? new CityError('MatrixPresenceOff', 'most people went offline at once, and no probe said that presence works')
