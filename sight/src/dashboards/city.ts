// The first look at 3 a.m.: is the city true, is it live, who leads, and if not, which of the other dashboards to open.
import { inCity, range, type Dashboard } from '../dashboard.ts'
import { errorRatioName, objective } from '../freshness-objective.ts'
import { aggregator, gateway } from '../metric-families.ts'
import { countOf, increaseOf, quantileOf, rateOf, selector } from '../promql.ts'

export const cityDashboard: Dashboard = {
  uid: 'citypresence-city',
  title: 'CityPresence / City',
  of: 'city',
  about: 'Whether what browsers see is true and live.',
  rows: [
    {
      title: 'Now',
      panels: [
        {
          title: 'Gateways that show stale counts',
          about:
            'Zero is good. All of them: nobody leads, or Matrix or NATS is away. Counts stay as they were, marked.',
          kind: 'number',
          unit: 'short',
          queries: [{ expr: `sum(${selector(gateway.stale, inCity)})`, legend: 'stale' }],
          redFrom: 1,
        },
        {
          title: 'Leaders',
          about: 'One is good. None: nothing new is published. Two for a moment: the stream refuses the deposed one.',
          kind: 'number',
          unit: 'short',
          queries: [{ expr: `sum(${selector(aggregator.leads, `${inCity},stream="rooms"`)})`, legend: 'leaders' }],
          redBelow: 1,
        },
        {
          title: 'Browsers',
          about: 'Open sessions at all gateways.',
          kind: 'number',
          unit: 'short',
          queries: [{ expr: `sum(${selector(gateway.connections, inCity)})`, legend: 'browsers' }],
        },
        {
          title: 'Rooms',
          about: 'Rooms on the map of the leader.',
          kind: 'number',
          unit: 'short',
          queries: [{ expr: `max(${selector(aggregator.rooms, inCity)})`, legend: 'rooms' }],
        },
      ],
    },
    {
      title: 'Live',
      panels: [
        {
          title: 'Freshness',
          about:
            'From the answer of Matrix to the last socket that was written to. The throttle lets a change wait for up to three seconds.',
          kind: 'lines',
          unit: 's',
          queries: [
            { expr: quantileOf(0.5, gateway.freshnessSeconds, range, inCity), legend: 'half of all' },
            { expr: quantileOf(0.99, gateway.freshnessSeconds, range, inCity), legend: '99 %' },
          ],
        },
        {
          title: 'Told late and unmarked',
          about: `The objective: at most ${((1 - objective.target) * 100).toFixed(1)} % later than ${objective.budgetSeconds} s. What is marked as stale is honest and does not count.`,
          kind: 'lines',
          unit: 'percentunit',
          queries: [
            { expr: selector({ name: errorRatioName('5m') }, inCity), legend: 'over 5 minutes' },
            { expr: selector({ name: errorRatioName('1h') }, inCity), legend: 'over 1 hour' },
          ],
        },
        {
          title: 'Changes',
          about: 'Rooms that changed for a reader, and how many sweeps told them.',
          kind: 'lines',
          unit: 'ops',
          queries: [
            { expr: `sum(${rateOf(gateway.changes, range, inCity)})`, legend: 'rooms changed' },
            { expr: `sum(${rateOf(countOf(gateway.freshnessSeconds), range, inCity)})`, legend: 'sweeps' },
          ],
        },
        {
          title: 'Browsers at each gateway',
          about: 'A gateway without browsers beside full ones: the balancer sends everybody elsewhere.',
          kind: 'lines',
          unit: 'short',
          queries: [{ expr: selector(gateway.connections, inCity), legend: '{{pod}}' }],
        },
      ],
    },
    {
      title: 'True',
      panels: [
        {
          title: 'Age of what Matrix said',
          about:
            'Time since the last good answer. The source is stale after 90 s by default; a long poll alone lasts 30 s.',
          kind: 'lines',
          unit: 's',
          queries: [{ expr: selector(aggregator.sourceAgeSeconds, inCity), legend: '{{pod}}' }],
        },
        {
          title: 'Rooms that nobody can count',
          about:
            'missing: to be joined. refused, unresolved, doubled: somebody has to correct something (runbook CityPresenceRoomsNotCounted).',
          kind: 'lines',
          unit: 'short',
          queries: [{ expr: `max by (why) (${selector(aggregator.roomsWithout, inCity)})`, legend: '{{why}}' }],
        },
        {
          title: 'Members that an audit corrected',
          about: 'Zero is good: what the sync told agrees with the list of the homeserver.',
          kind: 'lines',
          unit: 'short',
          queries: [
            {
              expr: `sum by (direction) (${increaseOf(aggregator.drift, '1h', inCity)})`,
              legend: '{{direction}}',
            },
          ],
        },
        {
          title: 'Term of the leader',
          about:
            'As each gateway follows it. A step is a takeover; two lines that stay apart are a gateway that was left behind.',
          kind: 'lines',
          unit: 'short',
          queries: [{ expr: selector(gateway.term, inCity), legend: '{{pod}}' }],
        },
      ],
    },
  ],
}
