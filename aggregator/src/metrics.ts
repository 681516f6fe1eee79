// The aggregator's own numbers; names begin with citypresence_aggregator_. No label holds a room or a user.
import type { Metrics } from '@citypresence/chassis/metrics'

export type AggregatorMetrics = ReturnType<typeof createAggregatorMetrics>

// A write is 1 to 20 ms; seconds mean that NATS is in trouble.
const publishBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5]
// From nothing to do up to a first sync of 64 MiB.
const readBuckets = [0.0005, 0.001, 0.005, 0.01, 0.05, 0.25, 1, 5]

export function createAggregatorMetrics(metrics: Metrics) {
  return {
    syncs: metrics.counter(
      'syncs_total',
      'Answers of /sync that were learned, by kind (initial, increment).',
      ['kind'],
      [{ kind: 'initial' }, { kind: 'increment' }],
    ),
    syncFailures: metrics.counter('sync_failures_total', 'Those of errors_total that ended a sync, by error code.', [
      'code',
    ]),
    syncReadSeconds: metrics.histogram(
      'sync_read_seconds',
      'From the last byte of an answer to its first facts.',
      [],
      readBuckets,
    ),
    facts: metrics.counter('facts_total', 'Facts learned from Matrix.'),
    malformed: metrics.counter('malformed_total', 'Matrix events that were not understood and passed over.'),
    unknownStates: metrics.counter(
      'unknown_presence_states_total',
      'Presence states that the specification does not know.',
    ),
    drift: metrics.counter(
      'membership_drift_total',
      'Members that an audit found wrong, by direction (added, removed).',
      ['direction'],
      [{ direction: 'added' }, { direction: 'removed' }],
    ),
    audits: metrics.counter(
      'membership_audits_total',
      'Audits of members by their end: compared, overtaken (too many moved meanwhile), repeated, crowded, replaced (by an initial sync), unfollowed (left meanwhile).',
      ['end'],
      ['compared', 'overtaken', 'repeated', 'crowded', 'replaced', 'unfollowed'].map((end) => ({ end })),
    ),
    rooms: metrics.gauge('rooms', 'Rooms on the map.'),
    roomsWithout: metrics.gauge(
      'rooms_without_matrix_room',
      'Rooms on the map that nobody can count, by why: missing (to be joined), refused, unresolved, doubled.',
      ['why'],
    ),
    joinsRemainingSeconds: metrics.gauge(
      'joins_remaining_seconds',
      'How long the joins that are not refused will take, as far as known; 0 when none is left.',
    ),
    blindRooms: metrics.gauge('rooms_without_presence', 'Rooms that the homeserver keeps out of presence.'),
    joins: metrics.counter('joins_total', 'Rooms that the daemon joined.'),
    sourceAgeSeconds: metrics.gauge('source_age_seconds', 'Time since the last good sync.'),
    stale: metrics.gauge('source_stale', '1 while the source is not to be believed.'),
    leads: metrics.gauge('leads', '1 while this process leads, by stream (rooms, users).', ['stream']),
    term: metrics.gauge('term', 'Term under which this process last led, by stream.', ['stream']),
    epoch: metrics.gauge('epoch', 'Epoch (sequence of the claim) under which this process last led, by stream.', [
      'stream',
    ]),
    claims: metrics.counter(
      'claims_total',
      'Claims on a stream, by their answer (acked, refused, unknown).',
      ['stream', 'answer'],
      ['acked', 'refused', 'unknown'].map((answer) => ({ stream: 'rooms', answer })),
    ),
    refusals: metrics.counter(
      'refusals_total',
      'Claims and writes that NATS refused, by stream and by its own code (10071 is the fence).',
      ['stream', 'code'],
      [{ stream: 'rooms', code: '10071' }],
    ),
    published: metrics.counter(
      'published_total',
      'Messages that the stream stored, by stream.',
      ['stream'],
      [{ stream: 'rooms' }],
    ),
    publishSeconds: metrics.histogram('publish_seconds', 'Duration of a fenced write.', ['stream'], publishBuckets),
    doubts: metrics.counter(
      'doubts_total',
      'Writes that were refused or whose fate was unknown, by stream and kind.',
      ['stream', 'why'],
      ['refused', 'unknown', 'another'].map((why) => ({ stream: 'rooms', why })),
    ),
  }
}
