// The numbers of the feed: what came from NATS, what was not believed, how the snapshots went.
import type { ErrorCode } from '@citypresence/chassis/errors'
import type { Metrics } from '@citypresence/chassis/metrics'

export type FeedMetrics = ReturnType<typeof createFeedMetrics>

const dropReasons: readonly ErrorCode[] = [
  'MessageForeign',
  'WireGarbled',
  'StaleEpoch',
  'SequenceGap',
  'SequenceRepeated',
]

export function createFeedMetrics(metrics: Metrics) {
  return {
    messages: metrics.counter('nats_messages_total', 'Messages that came from the stream.'),
    dropped: metrics.counter(
      'nats_dropped_total',
      'Those of errors_total that are messages not believed, by error code.',
      ['code'],
      dropReasons.map((code) => ({ code })),
    ),
    failed: (code: ErrorCode): void => metrics.errors.inc({ code }),
    snapshots: metrics.counter(
      'snapshots_total',
      'Snapshots asked from the stream, by outcome (read, failed).',
      ['outcome'],
      [{ outcome: 'read' }, { outcome: 'failed' }],
    ),
    term: metrics.gauge('term', 'Term of the leader that is followed.'),
    complete: metrics.gauge('complete', '1 while every room of the city is known in the present epoch.'),
  }
}
