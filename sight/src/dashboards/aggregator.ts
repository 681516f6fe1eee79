// One look at the aggregators: what Matrix says, what the stream takes, who leads under which term.
import { inCity, lines, range, type Dashboard, type Panel } from '../dashboard.ts'
import { aggregator } from '../metric-families.ts'
import { quantileOf, rateOf, selector } from '../promql.ts'
import { processPanels } from './process-panels.ts'

const each = (metric: { readonly name: string }): Panel['queries'] => [
  { expr: selector(metric, inCity), legend: '{{pod}}' },
]
const by = (label: string, metric: { readonly name: string }): Panel['queries'] => [
  { expr: `sum by (${label}) (${rateOf(metric, range, inCity)})`, legend: `{{${label}}}` },
]
export const aggregatorDashboard: Dashboard = {
  uid: 'citypresence-aggregator',
  title: 'CityPresence / Aggregator',
  of: 'city',
  about: 'From Matrix to the stream: syncs, rooms, leadership, fenced writes.',
  rows: [
    {
      title: 'Who leads',
      panels: [
        lines('Leads', '1 at one of them.', 'short', [
          { expr: selector(aggregator.leads, `${inCity},stream="rooms"`), legend: '{{pod}}' },
        ]),
        lines('Term', 'The highest leads; it grows with every takeover.', 'short', [
          { expr: selector(aggregator.term, `${inCity},stream="rooms"`), legend: '{{pod}}' },
        ]),
        lines('Claims', 'acked: somebody began to lead.', 'ops', by('answer', aggregator.claims)),
        lines(
          'Refused by the stream',
          '10071 is the fence: what a deposed leader wanted to say and nobody heard.',
          'ops',
          by('code', aggregator.refusals),
        ),
      ],
    },
    {
      title: 'From Matrix',
      panels: [
        lines('Age of the source', 'Since the last good answer.', 's', each(aggregator.sourceAgeSeconds)),
        lines('Not believed', '1: counts are frozen and marked.', 'short', each(aggregator.stale)),
        lines('Syncs', 'initial: everything was asked anew.', 'ops', by('kind', aggregator.syncs)),
        lines('Facts', 'What the answers added up to, and what in them was not understood.', 'ops', [
          { expr: `sum(${rateOf(aggregator.facts, range, inCity)})`, legend: 'learned' },
          { expr: `sum(${rateOf(aggregator.malformed, range, inCity)})`, legend: 'malformed' },
        ]),
        lines('Reading an answer', 'From its last byte to its first facts.', 's', [
          { expr: quantileOf(0.5, aggregator.syncReadSeconds, range, inCity), legend: 'half of all' },
          { expr: quantileOf(0.99, aggregator.syncReadSeconds, range, inCity), legend: '99 %' },
        ]),
        lines('Rooms without a count', 'By why. missing: they are being joined.', 'short', [
          { expr: `max by (why) (${selector(aggregator.roomsWithout, inCity)})`, legend: '{{why}}' },
        ]),
        lines(
          'Joins left',
          'How long the joins will take that nobody refused.',
          's',
          each(aggregator.joinsRemainingSeconds),
        ),
        lines(
          'Rooms kept out of presence',
          'By the homeserver; they keep their last count, marked.',
          'short',
          each(aggregator.blindRooms),
        ),
      ],
    },
    {
      title: 'To the stream',
      panels: [
        lines(
          'Stored',
          'Messages that the stream acknowledged, the beat of each second among them.',
          'ops',
          by('stream', aggregator.published),
        ),
        lines('A fenced write', 'Above 100 ms the disk or the network of NATS is slow.', 's', [
          { expr: quantileOf(0.5, aggregator.publishSeconds, range, inCity), legend: 'half of all' },
          { expr: quantileOf(0.99, aggregator.publishSeconds, range, inCity), legend: '99 %' },
        ]),
        lines(
          'Doubts',
          'Writes of which nobody knew whether they were stored: the state is read again.',
          'ops',
          by('why', aggregator.doubts),
        ),
        lines('Members that an audit corrected', 'Zero is good.', 'ops', by('direction', aggregator.drift)),
      ],
    },
    { title: 'Process', panels: processPanels(aggregator.errors, aggregator.sourceAgeSeconds) },
  ],
}
