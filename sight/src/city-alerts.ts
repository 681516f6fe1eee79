// Alerts about the truth of the city: who leads, whether Matrix and the stream may be believed, which rooms nobody counts.
import type { Alert } from './alert.ts'
import { burns } from './freshness-objective.ts'
import { aggregator, gateway } from './metric-families.ts'
import { increaseOf, perCity, selector } from './promql.ts'

const ofRooms = 'stream="rooms"'
const leaders = `sum ${perCity} (${selector(aggregator.leads, ofRooms)})`
const errors = (codes: string): string =>
  `sum by (namespace, city, code) (${increaseOf(aggregator.errors, '5m', `code=~"${codes}"`)})`

const logsOfLeader =
  'kubectl logs -l app.kubernetes.io/component=aggregator: the line that says why has the word of docs/ERRORS.md in `code`.'

export const cityAlerts: readonly Alert[] = [
  {
    name: 'CityPresenceFreshnessBurnsFast',
    severity: 'critical',
    expr: `(${burns(14.4, '1h', '5m')}) or (${burns(6, '6h', '30m')})`,
    for: '2m',
    summary:
      'Counts of {{ $labels.city }} come late without being marked: {{ $value | humanizePercentage }} of what is told.',
    seen: 'Counts that are more than five seconds old and look fresh.',
    causes: [
      'Gateways without CPU: a sweep over all readers takes longer than the budget.',
      'NATS is slow to store (a full or slow disk), so that batches queue at the leader.',
      "Clocks: the age is the gateway's wall clock minus the aggregator's; a clock that is off makes all of it late.",
    ],
    steps: [
      'Dashboard "gateway": sweep time, event loop lag and CPU. If a core is full, add gateways (spec.gateway) or lower the number of connections for each.',
      'Dashboard "aggregator": duration of fenced writes. Above 100 ms look at the disk and CPU of the NATS servers.',
      'Compare `date` on the nodes of gateway and aggregator; look for CityPresenceClocksDiffer.',
    ],
  },
  {
    name: 'CityPresenceFreshnessBurnsSlowly',
    severity: 'warning',
    expr: `(${burns(3, '1d', '2h')}) or (${burns(1, '3d', '6h')})`,
    for: '15m',
    summary:
      'The freshness objective of {{ $labels.city }} will not be met: {{ $value | humanizePercentage }} of what is told comes late.',
    seen: 'Now and then counts that are more than five seconds old and look fresh.',
    causes: ['The same as of CityPresenceFreshnessBurnsFast, seldom or at certain hours.'],
    steps: [
      'Dashboard "city": find the hours in which the objective burns, and see what else happened then (rollouts, backups, load).',
    ],
  },
  {
    name: 'CityPresenceStale',
    severity: 'critical',
    expr: `min ${perCity} (${selector(gateway.stale)}) == 1`,
    for: '2m',
    summary: 'Every browser of {{ $labels.city }} shows its counts as stale.',
    seen: 'The last known counts, marked as stale. Nothing untrue is shown.',
    causes: [
      'Nobody leads (CityPresenceWithoutLeader says so too).',
      'Matrix is not to be believed (CityPresenceMatrixNotBelieved).',
      'NATS is away, or gateways may not read the stream.',
    ],
    steps: [
      'See which of the alerts named above burns beside this one, and go on with its page.',
      'None: ask a gateway at /readyz of its admin port; what is missing stands there in one word.',
      'Look whether the NATS servers run, and whether their disks have space.',
    ],
  },
  {
    name: 'CityPresenceGatewayStale',
    severity: 'warning',
    expr: `max ${perCity} (${selector(gateway.stale)}) == 1 and min ${perCity} (${selector(gateway.stale)}) == 0`,
    for: '5m',
    summary: 'Some gateways of {{ $labels.city }} are stale while others are not.',
    seen: 'Those who are connected to one of these gateways see marked counts, others live ones.',
    causes: [
      'The way from this gateway to NATS is cut.',
      'It was started with other credentials or another stream than the others.',
    ],
    steps: [
      'Find it: citypresence_gateway_stale == 1, by pod. Its log says why; /readyz says it in one word.',
      'Delete the pod: its browsers come back to another gateway within seconds.',
    ],
  },
  {
    name: 'CityPresenceWithoutLeader',
    severity: 'critical',
    expr: `count ${perCity} (${selector(gateway.connections)}) unless (${leaders} > 0)`,
    for: '1m',
    summary: 'Nobody leads in {{ $labels.city }}: nothing new is published.',
    seen: 'Within five seconds everything is marked as stale; counts stay as they were.',
    causes: [
      'No aggregator runs, or none can be scheduled.',
      'None gets past its start: token, map of rooms, stream.',
      'The Lease is held by somebody else, or may not be written.',
    ],
    steps: [
      'kubectl get pods -l app.kubernetes.io/component=aggregator; kubectl describe what is not ready.',
      'kubectl get lease: who holds it, and is that one of ours?',
      logsOfLeader,
    ],
  },
  {
    name: 'CityPresenceTwoLeaders',
    severity: 'warning',
    expr: `${leaders} > 1`,
    for: '1m',
    summary: '{{ $value }} aggregators of {{ $labels.city }} believe that they lead.',
    seen: 'Nothing: the stream refuses all but one, and gateways believe one.',
    causes: [
      'One of them is cut from NATS and has not yet been told that it was deposed.',
      'Two cities have the same name and share a stream.',
    ],
    steps: [
      'Compare term and epoch of both (dashboard "aggregator"). The one with the lower term is deposed; if it lasts, delete that pod.',
    ],
  },
  {
    name: 'CityPresenceLeaderFlaps',
    severity: 'warning',
    expr: `max ${perCity} (changes(${selector(gateway.term)}[15m])) > 4`,
    for: '1m',
    summary: 'The leader of {{ $labels.city }} changed {{ $value }} times in a quarter of an hour.',
    seen: 'Moments without news, each shorter than ten seconds.',
    causes: [
      'Aggregators that are killed again and again: memory limit, liveness, node.',
      'An API server so slow that renewals miss the deadline.',
      'A leader that is cut from Matrix or NATS hands over, and the next one is cut too.',
    ],
    steps: [
      'kubectl get pods -l app.kubernetes.io/component=aggregator: restarts, and why (kubectl describe).',
      'Exit code 3 means deposed or handed over: the log line before it names what was lost.',
    ],
  },
  {
    name: 'CityPresenceMatrixNotBelieved',
    severity: 'critical',
    expr: `max ${perCity} (${selector(aggregator.stale)}) == 1`,
    for: '2m',
    summary: 'The aggregator of {{ $labels.city }} does not believe Matrix at the moment.',
    seen: 'Frozen counts, marked as stale.',
    causes: [
      'The homeserver is away, overloaded, or a proxy in front of it answers in its place.',
      'Presence is switched off or frozen at the homeserver.',
      'The token of the daemon is refused (CityPresenceMatrixTokenRefused).',
    ],
    steps: [
      'Dashboard "aggregator": age of the source, failures by code.',
      'Ask the homeserver: GET /_matrix/client/versions from inside the cluster.',
      'For Synapse: presence.enabled in homeserver.yaml, and its load.',
    ],
  },
  {
    name: 'CityPresenceMatrixTokenRefused',
    severity: 'critical',
    expr: `${errors('MatrixTokenRefused')} > 0`,
    for: '2m',
    summary: 'The homeserver refuses the access token of {{ $labels.city }}.',
    seen: 'Frozen counts, marked as stale.',
    causes: [
      'The token was revoked or has expired, the account is locked or logged out.',
      'A rotated token did not reach the Secret.',
    ],
    steps: [
      'Make a new token for the daemon and put it into the Secret; it is read again by itself, nothing has to be restarted.',
      'A locked account: unlock it at the homeserver. The same token is tried once a minute.',
    ],
  },
  {
    name: 'CityPresenceStreamUnusable',
    severity: 'critical',
    expr: `${errors('StreamDiffers|StreamOwnedByAnother|NatsNoStorage|NatsForbidden|NatsUnauthorized|NatsTooOld')} > 0`,
    for: '3m',
    summary: 'NATS does not let {{ $labels.city }} publish: {{ $labels.code }}.',
    seen: 'The last counts, marked as stale.',
    causes: [
      'StreamDiffers: somebody changed or made the stream; the message names the field.',
      'StreamOwnedByAnother: two cities share a stream.',
      'NatsNoStorage: the disk or a limit of NATS is full.',
      'NatsForbidden, NatsUnauthorized: rights or credentials of the account.',
    ],
    steps: ['docs/ERRORS.md says for each of these words what to do.', logsOfLeader],
  },
  {
    name: 'CityPresenceFenceRefuses',
    severity: 'warning',
    expr: `sum ${perCity} (${increaseOf(aggregator.refusals, '15m', 'code="10071"')}) > 5`,
    for: '1m',
    summary:
      'The stream of {{ $labels.city }} refused {{ $value | humanize }} writes of deposed leaders in a quarter of an hour.',
    seen: 'Nothing: what was refused was never heard.',
    causes: [
      'The leader changes again and again (CityPresenceLeaderFlaps).',
      'Another city writes into the same stream.',
    ],
    steps: [
      'Compare holder and city in the epoch record: nats stream get CITY_PRESENCE --last-for city.presence.epoch.',
    ],
  },
  {
    name: 'CityPresenceMembershipDrifted',
    severity: 'warning',
    expr: `sum by (namespace, city, direction) (${increaseOf(aggregator.drift, '1h')}) > 0`,
    for: '0m',
    summary:
      'An audit found members of {{ $labels.city }} that the sync had told otherwise ({{ $labels.direction }}); it was corrected.',
    seen: 'A count was wrong until the audit, for as long as one round of audits takes.',
    causes: [
      'The homeserver left something out of an answer (seen after restored backups and with faulty workers).',
      'A defect of ours: worth reporting.',
    ],
    steps: [
      'Look at the log of the homeserver for that time, and for restarts of its workers. If it repeats, report it with the log of the aggregator.',
    ],
  },
  {
    name: 'CityPresenceRoomsNotCounted',
    severity: 'warning',
    expr: `sum by (namespace, city, why) (${selector(aggregator.roomsWithout, 'why!="missing"')}) > 0`,
    for: '15m',
    summary: '{{ $value }} rooms of {{ $labels.city }} cannot be counted: {{ $labels.why }}.',
    seen: 'These rooms have no count, or the last one, marked. Never a zero.',
    causes: [
      'refused: the daemon may not join; it was kicked, banned or not invited.',
      'unresolved: the alias leads nowhere.',
      'doubled: two slugs lead to one room.',
    ],
    steps: [
      'The log of the leader names each room ("a room could not be joined", "a room alias leads nowhere"). Invite the daemon, or correct the list of rooms.',
    ],
  },
  {
    name: 'CityPresenceRoomsWithoutPresence',
    severity: 'warning',
    expr: `max ${perCity} (${selector(aggregator.blindRooms)}) > 0`,
    for: '15m',
    summary: 'The homeserver keeps {{ $value }} rooms of {{ $labels.city }} out of presence.',
    seen: 'These rooms keep their last count, marked.',
    causes: ['A module or a setting of the homeserver excludes rooms from presence.'],
    steps: ['For Synapse: exclude_rooms_from_sync and presence routing modules in homeserver.yaml.'],
  },
]
