// The operator's own numbers; names begin with citypresence_operator_. No label holds a city.
import type { Metrics } from '@citypresence/chassis/metrics'

export type OperatorMetrics = ReturnType<typeof createOperatorMetrics>

// A round in which nothing is to be done takes a millisecond, one that makes everything some twenty requests.
const roundBuckets = [0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

export function createOperatorMetrics(metrics: Metrics) {
  return {
    reconcileSeconds: metrics.histogram(
      'reconcile_seconds',
      'Duration of a round of work on one city, by result (done, failed).',
      ['result'],
      roundBuckets,
    ),
    reconcileErrors: metrics.counter('reconcile_errors_total', 'Rounds that failed, by error code.', ['code']),
    queueDepth: metrics.gauge('queue_depth', 'Cities that wait for a round.'),
    queueOldestSeconds: metrics.gauge('queue_oldest_seconds', 'How long the one waits that waits longest.'),
    queueWaitSeconds: metrics.histogram(
      'queue_wait_seconds',
      'How long cities waited for their round.',
      [],
      roundBuckets,
    ),
    watchRestarts: metrics.counter(
      'watch_restarts_total',
      'Watches that ended, by kind and why (ended, failed, silent, overdue, relist, stop).',
      ['kind', 'why'],
    ),
    watchSilentSeconds: metrics.gauge(
      'watch_silent_seconds',
      'Time since the API server last said anything on a watch or list, by kind; of several namespaces the longest.',
      ['kind'],
    ),
    apiCalls: metrics.counter('api_calls_total', 'Requests to the API server, by verb and answer.', ['verb', 'code']),
    cities: metrics.gauge('cities', 'CityPresences that are known.'),
    citiesByReadiness: metrics.gauge(
      'cities_by_readiness',
      'CityPresences by what their condition Ready says (True, False, Unknown).',
      ['ready'],
    ),
  }
}

type City = { readonly metadata?: unknown; readonly status?: unknown }

/** Each city once, by its condition Ready; nobody has judged it: Unknown. */
export function countByReadiness(cities: readonly City[]): Readonly<Record<'True' | 'False' | 'Unknown', number>> {
  const counts = { True: 0, False: 0, Unknown: 0 }
  for (const { status } of cities) {
    const { conditions } = (status ?? {}) as { readonly conditions?: unknown }
    const all = Array.isArray(conditions) ? (conditions as readonly { type?: unknown; status?: unknown }[]) : []
    const ready = all.find(({ type }) => type === 'Ready')?.status
    counts[ready === 'True' || ready === 'False' ? ready : 'Unknown'] += 1
  }
  return counts
}

type Watch = { readonly kind: { readonly plural: string }; silentMs(): number }

/** A kind is watched once in each namespace: the longest silence is the one to look at. */
export function longestSilences(watches: readonly Watch[]): ReadonlyMap<string, number> {
  const longest = new Map<string, number>()
  for (const one of watches) {
    const kind = one.kind.plural
    longest.set(kind, Math.max(longest.get(kind) ?? 0, one.silentMs()))
  }
  return longest
}
