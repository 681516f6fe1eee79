// For each alert one story: what the services tell minute by minute, when it burns, what the telephone says, and when it is over.
// Values are in promtool's notation: `1x5` is a one and five more of it, `0+2x5` counts up by two.
import { aggregator, gateway, nodeProcess } from '../metric-families.ts'
import { bucketOf, countOf, type Metric } from '../promql.ts'

export type Series = { readonly metric: Metric; readonly labels?: string; readonly values: string }

export type AlertStory = {
  readonly alert: string
  readonly series: readonly Series[]
  /** When it burns, and what it says then. */
  readonly burnsAt: string
  readonly labels: Readonly<Record<string, string>>
  readonly says: string
  /** When it does not, because all is well again (or still). */
  readonly quietAt: string
}

const inCity = 'namespace="city",city="daarion"'
const city = { namespace: 'city', city: 'daarion' }

const series = (metric: Metric, labels: string, values: string): Series => ({
  metric,
  labels: labels === '' ? inCity : `${inCity},${labels}`,
  values,
})

/** Sweeps a minute: all of them, and of these so many in time. */
const sweeps = (all: string, inTime: string): readonly Series[] => [
  series(countOf(gateway.freshnessSeconds), 'marked="no"', all),
  series(bucketOf(gateway.freshnessSeconds), 'marked="no",le="5"', inTime),
]

const up: Metric = { name: 'up' }

export const alertStories: readonly AlertStory[] = [
  {
    alert: 'CityPresenceFreshnessBurnsFast',
    series: sweeps('0+100x90 9100+100x60', '0+50x90 4600+100x60'),
    burnsAt: '80m',
    labels: city,
    says: 'Counts of daarion come late without being marked: 50% of what is told.',
    quietAt: '140m',
  },
  {
    alert: 'CityPresenceFreshnessBurnsSlowly',
    // One of two hundred late, for a day; then none.
    series: sweeps('0+200x1500 300200+200x900', '0+199x1500 298700+200x900'),
    burnsAt: '1480m',
    labels: city,
    says: 'The freshness objective of daarion will not be met: 0.5% of what is told comes late.',
    quietAt: '2350m',
  },
  {
    alert: 'CityPresenceStale',
    series: [series(gateway.stale, 'pod="g-1"', '0x4 1x10 0x10'), series(gateway.stale, 'pod="g-2"', '0x4 1x10 0x10')],
    burnsAt: '8m',
    labels: city,
    says: 'Every browser of daarion shows its counts as stale.',
    quietAt: '18m',
  },
  {
    alert: 'CityPresenceGatewayStale',
    series: [series(gateway.stale, 'pod="g-1"', '0x4 1x20 0x10'), series(gateway.stale, 'pod="g-2"', '0x40')],
    burnsAt: '12m',
    labels: city,
    says: 'Some gateways of daarion are stale while others are not.',
    quietAt: '28m',
  },
  {
    alert: 'CityPresenceWithoutLeader',
    series: [
      series(gateway.connections, 'pod="g-1"', '5x30'),
      series(aggregator.leads, 'pod="a-1",stream="rooms"', '1x4 0x10 1x10'),
      series(aggregator.leads, 'pod="a-2",stream="rooms"', '0x30'),
    ],
    burnsAt: '8m',
    labels: city,
    says: 'Nobody leads in daarion: nothing new is published.',
    quietAt: '18m',
  },
  {
    alert: 'CityPresenceTwoLeaders',
    series: [
      series(aggregator.leads, 'pod="a-1",stream="rooms"', '1x20 0x10'),
      series(aggregator.leads, 'pod="a-2",stream="rooms"', '0x4 1x30'),
    ],
    burnsAt: '10m',
    labels: city,
    says: '2 aggregators of daarion believe that they lead.',
    quietAt: '24m',
  },
  {
    alert: 'CityPresenceLeaderFlaps',
    series: [series(gateway.term, 'pod="g-1"', '1000+1000x10 11000x30')],
    burnsAt: '10m',
    labels: city,
    says: 'The leader of daarion changed 10 times in a quarter of an hour.',
    quietAt: '35m',
  },
  {
    alert: 'CityPresenceMatrixNotBelieved',
    series: [series(aggregator.stale, 'pod="a-1"', '0x4 1x10 0x10')],
    burnsAt: '8m',
    labels: city,
    says: 'The aggregator of daarion does not believe Matrix at the moment.',
    quietAt: '18m',
  },
  {
    alert: 'CityPresenceMatrixTokenRefused',
    series: [series(aggregator.errors, 'pod="a-1",code="MatrixTokenRefused"', '0x4 0+1x10 10x20')],
    burnsAt: '10m',
    labels: { ...city, code: 'MatrixTokenRefused' },
    says: 'The homeserver refuses the access token of daarion.',
    quietAt: '25m',
  },
  {
    alert: 'CityPresenceStreamUnusable',
    series: [series(aggregator.errors, 'pod="a-1",code="StreamDiffers"', '0x4 0+3x10 30x20')],
    burnsAt: '12m',
    labels: { ...city, code: 'StreamDiffers' },
    says: 'NATS does not let daarion publish: StreamDiffers.',
    quietAt: '25m',
  },
  {
    alert: 'CityPresenceFenceRefuses',
    series: [series(aggregator.refusals, 'pod="a-1",stream="rooms",code="10071"', '0+1x20 20x40')],
    burnsAt: '18m',
    labels: city,
    says: 'The stream of daarion refused 15 writes of deposed leaders in a quarter of an hour.',
    quietAt: '50m',
  },
  {
    alert: 'CityPresenceMembershipDrifted',
    series: [series(aggregator.drift, 'pod="a-1",direction="added"', '0x9 1x90')],
    burnsAt: '20m',
    labels: { ...city, direction: 'added' },
    says: 'An audit found members of daarion that the sync had told otherwise (added); it was corrected.',
    quietAt: '90m',
  },
  {
    alert: 'CityPresenceRoomsNotCounted',
    series: [
      series(aggregator.roomsWithout, 'pod="a-1",why="refused"', '2x30 0x30'),
      series(aggregator.roomsWithout, 'pod="a-1",why="missing"', '9x60'),
    ],
    burnsAt: '20m',
    labels: { ...city, why: 'refused' },
    says: '2 rooms of daarion cannot be counted: refused.',
    quietAt: '40m',
  },
  {
    alert: 'CityPresenceRoomsWithoutPresence',
    series: [series(aggregator.blindRooms, 'pod="a-1"', '1x30 0x30')],
    burnsAt: '20m',
    labels: city,
    says: 'The homeserver keeps 1 rooms of daarion out of presence.',
    quietAt: '40m',
  },
  {
    alert: 'CityPresenceGatewayIncomplete',
    series: [series(gateway.complete, 'pod="g-1"', '0x10 1x20')],
    burnsAt: '8m',
    labels: { ...city, pod: 'g-1' },
    says: 'Gateway g-1 of daarion does not know the whole city.',
    quietAt: '15m',
  },
  {
    alert: 'CityPresenceStrangersPublish',
    series: [series(gateway.dropped, 'pod="g-1",code="MessageForeign"', '0+60x40 2400x40')],
    burnsAt: '25m',
    labels: { ...city, code: 'MessageForeign' },
    says: 'Gateways of daarion drop messages that they do not believe: MessageForeign.',
    quietAt: '60m',
  },
  {
    alert: 'CityPresenceReadersLag',
    series: [series(gateway.connections, 'pod="g-1"', '1000x60'), series(gateway.behind, 'pod="g-1"', '300x30 10x30')],
    burnsAt: '20m',
    labels: city,
    says: '30% of the browsers of daarion read more slowly than news come.',
    quietAt: '40m',
  },
  {
    alert: 'CityPresenceGatewaysFull',
    series: [series(gateway.refusals, 'pod="g-1",reason="TooManyConnections"', '0+10x10 100x20')],
    burnsAt: '8m',
    labels: city,
    says: 'Gateways of daarion turn browsers away: they hold as many as they may.',
    quietAt: '25m',
  },
  {
    alert: 'CityPresenceTokensRefused',
    series: [
      series(gateway.refusals, 'pod="g-1",reason="TokenInvalid"', '0+600x40 24000x40'),
      series(gateway.sessions, 'pod="g-1"', '0+60x80'),
    ],
    burnsAt: '25m',
    labels: city,
    says: 'More browsers of daarion are refused for their token than are let in.',
    quietAt: '65m',
  },
  {
    alert: 'CityPresenceEventLoopBlocked',
    series: [series(nodeProcess.loopLagP99Seconds, 'pod="g-1"', '0.5x10 0.01x20')],
    burnsAt: '8m',
    labels: { ...city, pod: 'g-1' },
    says: 'The event loop of g-1 in daarion stands still for 500ms again and again.',
    quietAt: '15m',
  },
  {
    alert: 'CityPresenceClocksDiffer',
    series: [series(gateway.clockSkew, 'pod="g-1"', '0+6x40 240x60')],
    burnsAt: '35m',
    labels: city,
    says: 'Gateways of daarion hear of changes that lie in the future.',
    quietAt: '80m',
  },
  {
    alert: 'CityPresenceTargetDown',
    series: [series(up, 'pod="g-1"', '1x4 0x10 1x10')],
    burnsAt: '10m',
    labels: { ...city, pod: 'g-1' },
    says: 'g-1 of daarion cannot be scraped.',
    quietAt: '18m',
  },
]
