// Alerts about the gateways and the machines below: readers who lag, doors that are full, tokens that nobody accepts, clocks.
import type { Alert } from './alert.ts'
import { gateway, nodeProcess } from './metric-families.ts'
import { perCity, rateOf, selector } from './promql.ts'

export const gatewayAlerts: readonly Alert[] = [
  {
    name: 'CityPresenceGatewayIncomplete',
    severity: 'warning',
    expr: `${selector(gateway.complete)} == 0`,
    for: '5m',
    summary: 'Gateway {{ $labels.pod }} of {{ $labels.city }} does not know the whole city.',
    seen: 'Marked counts at this gateway; rooms may be missing.',
    causes: [
      'It cannot read the stream: a missing right, or a NATS that answers no snapshots.',
      'Nobody publishes (CityPresenceWithoutLeader).',
    ],
    steps: [
      'Its log: SnapshotFailed names the reason.',
      "Compare the rights of the gateways' account with docs/NATS.md.",
    ],
  },
  {
    name: 'CityPresenceStrangersPublish',
    severity: 'warning',
    expr: `sum by (namespace, city, code) (${rateOf(gateway.dropped, '10m')}) > 0.1`,
    for: '10m',
    summary: 'Gateways of {{ $labels.city }} drop messages that they do not believe: {{ $labels.code }}.',
    seen: 'Nothing: what is dropped is not shown.',
    causes: [
      'MessageForeign: somebody publishes on the presence subjects, past the stream.',
      'StaleEpoch: a deposed leader, or a second city on the same stream.',
      'WireGarbled: services of different versions.',
    ],
    steps: [
      'docs/ERRORS.md says what each word means.',
      'Give leader and gateways accounts of their own, as docs/NATS.md shows.',
    ],
  },
  {
    name: 'CityPresenceReadersLag',
    severity: 'warning',
    expr: `sum ${perCity} (${selector(gateway.behind)}) / (sum ${perCity} (${selector(gateway.connections)}) > 100) > 0.2`,
    for: '10m',
    summary: '{{ $value | humanizePercentage }} of the browsers of {{ $labels.city }} read more slowly than news come.',
    seen: 'These browsers get the newest value of each room late, and never an older one after it. Others notice nothing.',
    causes: [
      'The way to the browsers is narrow: a proxy, a load balancer, a mobile network.',
      'A proxy in front buffers.',
    ],
    steps: [
      'See whether all gateways have the same share (dashboard "gateway"). If so, look at what stands in front of them all.',
    ],
  },
  {
    name: 'CityPresenceGatewaysFull',
    severity: 'critical',
    expr: `sum ${perCity} (${rateOf(gateway.refusals, '5m', 'reason="TooManyConnections"')}) > 0`,
    for: '2m',
    summary: 'Gateways of {{ $labels.city }} turn browsers away: they hold as many as they may.',
    seen: 'Browsers get no counts, and try again.',
    causes: ['More people than gateways.', 'An HPA at its maximum, or without the metric it needs.'],
    steps: [
      'kubectl scale citypresence NAME --replicas=N, or raise spec.gateway.autoscaling.maxReplicas.',
      'spec.gateway.limits.connectionsPerReplica where memory allows (docs/SETTINGS.md: CONNECTIONS_MAX).',
    ],
  },
  {
    name: 'CityPresenceTokensRefused',
    severity: 'warning',
    expr:
      `sum ${perCity} (${rateOf(gateway.refusals, '10m', 'reason=~"Token.*|AuthKeysUnreachable"')}) > ` +
      `(sum ${perCity} (${rateOf(gateway.sessions, '10m')}) + 0.1)`,
    for: '10m',
    summary: 'More browsers of {{ $labels.city }} are refused for their token than are let in.',
    seen: 'Browsers get no counts.',
    causes: [
      'The key of tokens was rotated at the provider and not here, or the other way round.',
      'AuthKeysUnreachable: the JWKS address is away, and a new key is not known yet.',
      'Clocks of provider and gateways differ (TokenExpired).',
      'An attack: then those who have good tokens notice nothing.',
    ],
    steps: ['Dashboard "gateway": refusals by reason. docs/ERRORS.md says for each of them what to compare.'],
  },
  {
    name: 'CityPresenceEventLoopBlocked',
    severity: 'warning',
    expr: `${selector(nodeProcess.loopLagP99Seconds, 'city!=""')} > 0.25`,
    for: '5m',
    summary:
      'The event loop of {{ $labels.pod }} in {{ $labels.city }} stands still for {{ $value | humanizeDuration }} again and again.',
    seen: 'Later news at this gateway; from an aggregator later news everywhere.',
    causes: ['A CPU limit that is too low (throttling).', 'More connections than one core serves.'],
    steps: ['Compare its CPU with its limit. Raise spec.gateway.resources, or add gateways.'],
  },
  {
    name: 'CityPresenceClocksDiffer',
    severity: 'warning',
    expr: `sum ${perCity} (${rateOf(gateway.clockSkew, '15m')}) > 0.01`,
    for: '15m',
    summary: 'Gateways of {{ $labels.city }} hear of changes that lie in the future.',
    seen: 'Nothing: no count depends on clocks. Freshness cannot be measured well.',
    causes: ["The clock of the aggregator's node is ahead of those of the gateways."],
    steps: ['Look for nodes without time synchronisation (chronyc tracking, timedatectl).'],
  },
  {
    name: 'CityPresenceTargetDown',
    severity: 'warning',
    expr: 'up{city!=""} == 0',
    for: '3m',
    summary: '{{ $labels.pod }} of {{ $labels.city }} cannot be scraped.',
    seen: 'Perhaps nothing; but what this process does nobody can see.',
    causes: ['The process is gone or hangs.', 'A NetworkPolicy keeps Prometheus out of the admin port.'],
    steps: ['kubectl get pods; then ask /healthz and /metrics of its admin port from inside the cluster.'],
  },
]
