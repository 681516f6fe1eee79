// One look at the gateways: who is connected, who lags, who is turned away, what a sweep costs, and what the process has left.
import { inCity, lines, range, type Dashboard } from '../dashboard.ts'
import { gateway } from '../metric-families.ts'
import { increaseOf, quantileOf, rateOf, selector } from '../promql.ts'
import { processPanels } from './process-panels.ts'

const perSecond = (metric: { readonly name: string }): string => `sum(${rateOf(metric, range, inCity)})`

export const gatewayDashboard: Dashboard = {
  uid: 'citypresence-gateway',
  title: 'CityPresence / Gateway',
  of: 'city',
  about: 'Fan-out to browsers: sessions, sweeps, laggards, the door.',
  rows: [
    {
      title: 'Browsers',
      panels: [
        lines('Sessions', 'Open ones, by gateway.', 'short', [
          { expr: selector(gateway.connections, inCity), legend: '{{pod}}' },
        ]),
        lines('Coming', 'Sessions that began. A peak after a rollout is everybody coming back.', 'ops', [
          { expr: perSecond(gateway.sessions), legend: 'began' },
        ]),
        lines(
          'Ended by us',
          '1012: a gateway restarts. 4401: a token expired. 4408: somebody did not read for ten seconds. 1013, 4429: too many.',
          'ops',
          [{ expr: `sum by (code) (${rateOf(gateway.closes, range, inCity)})`, legend: '{{code}}' }],
        ),
        lines('Turned away', 'By the word of docs/ERRORS.md.', 'ops', [
          { expr: `sum by (reason) (${rateOf(gateway.refusals, range, inCity)})`, legend: '{{reason}}' },
        ]),
      ],
    },
    {
      title: 'Fan-out',
      panels: [
        lines(
          'A sweep over all readers',
          'The freshest that the last browser can be. Longer than a second: add gateways.',
          's',
          [
            { expr: quantileOf(0.5, gateway.sweepSeconds, range, inCity), legend: 'half of all' },
            { expr: quantileOf(0.99, gateway.sweepSeconds, range, inCity), legend: '99 %' },
          ],
        ),
        lines('Frames in one write', 'More under load: what changed meanwhile leaves together.', 'short', [
          { expr: `${perSecond(gateway.frames)} / (${perSecond(gateway.writes)} > 0)`, legend: 'frames' },
        ]),
        lines('Sent', 'Bytes handed to sockets by sweeps.', 'Bps', [
          { expr: perSecond(gateway.bytes), legend: 'bytes' },
        ]),
        lines(
          'Readers who lag',
          'They wait, and then get the newest value of each room; nobody else notices.',
          'short',
          [
            { expr: `sum(${selector(gateway.behind, inCity)})`, legend: 'behind now' },
            { expr: perSecond(gateway.waits), legend: 'passed over a second' },
            { expr: perSecond(gateway.catchUps), legend: 'caught up a second' },
          ],
        ),
      ],
    },
    {
      title: 'From NATS',
      panels: [
        lines('Messages', 'What came from the stream, and what was not believed, by why.', 'ops', [
          { expr: perSecond(gateway.messages), legend: 'came' },
          { expr: `sum by (code) (${rateOf(gateway.dropped, range, inCity)})`, legend: '{{code}}' },
        ]),
        lines('Snapshots', 'One every five minutes, at a connection and after a gap.', 'short', [
          { expr: `sum by (outcome) (${increaseOf(gateway.snapshots, '5m', inCity)})`, legend: '{{outcome}}' },
        ]),
        lines('Knows the whole city', '1 is good, at each gateway.', 'short', [
          { expr: selector(gateway.complete, inCity), legend: '{{pod}}' },
        ]),
        lines('Changes from the future', 'Clocks of two machines differ; no count depends on it.', 'ops', [
          { expr: perSecond(gateway.clockSkew), legend: 'sweeps' },
        ]),
      ],
    },
    { title: 'Process', panels: processPanels(gateway.errors, gateway.connections) },
  ],
}
