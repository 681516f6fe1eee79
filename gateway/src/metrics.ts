// The gateway's own numbers; names begin with citypresence_gateway_. No label comes from a browser.
import type { ErrorCode } from '@citypresence/chassis/errors'
import type { Metrics } from '@citypresence/chassis/metrics'
import { closeCodes } from '@citypresence/wire/client-messages'
import type { SweepTotals } from './core/sweep.ts'

export type GatewayMetrics = ReturnType<typeof createGatewayMetrics>

// From a change on Matrix to the socket: milliseconds when all is well, seconds under overload or throttle.
const freshnessBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
// A sweep costs about 10 us a reader.
const sweepBuckets = [0.000_1, 0.000_5, 0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5]

/** Why somebody was not let in; seldom ones beside these come as they happen. */
const refusalReasons: readonly ErrorCode[] = [
  'TokenMissing',
  'TokenAmbiguous',
  'TokenInvalid',
  'TokenExpired',
  'TokenRevoked',
  'OriginRefused',
  'HostRefused',
  'NotReady',
  'TooManyConnections',
  'TooManyOfAddress',
  'TooManyOfSubject',
  'AuthKeysUnreachable',
]

export function createGatewayMetrics(metrics: Metrics) {
  const writes = metrics.counter('writes_total', 'Writes to sockets made by sweeps.')
  const frames = metrics.counter('frames_total', 'Frames delivered in shared flushes.')
  const bytes = metrics.counter('sent_bytes_total', 'Bytes handed to sockets by sweeps.')
  const waits = metrics.counter('waits_total', 'Times a flush passed over a reader that lagged.')
  const catchUps = metrics.counter(
    'catch_ups_total',
    'Times a reader was given the newest value of what it had missed.',
  )
  const told: SweepTotals = { writes: 0, frames: 0, bytes: 0, waits: 0, catchUps: 0 }
  const counters = { writes, frames, bytes, waits, catchUps }
  return {
    ...counters,
    connections: metrics.gauge('connections', 'Open sessions.'),
    behind: metrics.gauge('behind', 'Sessions that wait to catch up.'),
    rooms: metrics.gauge('rooms', 'Rooms on the board, removed ones that are remembered included.'),
    stale: metrics.gauge('stale', '1 while everything shown is marked stale.'),
    changes: metrics.counter('changes_total', 'Rooms that changed for a reader.'),
    sessions: metrics.counter('sessions_total', 'Sessions that began.'),
    closes: metrics.counter(
      'closes_total',
      'Sessions that the gateway ended, by close code.',
      ['code'],
      Object.values(closeCodes).map(({ code }) => ({ code })),
    ),
    refusals: metrics.counter(
      'refusals_total',
      'Those of errors_total that are handshakes and requests refused, by reason.',
      ['reason'],
      refusalReasons.map((reason) => ({ reason })),
    ),
    clockSkew: metrics.counter('clock_skew_total', 'Sweeps whose oldest change lay in the future.'),
    sweepSeconds: metrics.histogram('sweep_seconds', 'Duration of a sweep over all readers.', [], sweepBuckets),
    freshnessSeconds: metrics.histogram(
      'freshness_seconds',
      'From the receipt of the sync response that caused the oldest change to the last write of its sweep; marked: whether browsers showed everything as stale by then.',
      ['marked'],
      freshnessBuckets,
    ),
    /** Counted in plain numbers while sweeping; told once a sweep. */
    noteTotals(totals: SweepTotals): void {
      for (const key of Object.keys(counters) as (keyof SweepTotals)[]) {
        if (totals[key] > told[key]) counters[key].inc(totals[key] - told[key])
        told[key] = totals[key]
      }
    },
  }
}
