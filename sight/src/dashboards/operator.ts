// One look at the operator: how its cities are, what waits, what it asks of the API server, and what its process has left.
import { inNamespace, lines, range, type Dashboard } from '../dashboard.ts'
import { operator } from '../metric-families.ts'
import { quantileOf, rateOf, selector } from '../promql.ts'
import { processPanels } from './process-panels.ts'

const perSecond = (metric: { readonly name: string }, labels = ''): string =>
  `sum(${rateOf(metric, range, labels === '' ? inNamespace : `${inNamespace},${labels}`)})`
// Whoever stands by knows the same cities.
const most = (metric: { readonly name: string }, labels = ''): string =>
  `max(${selector(metric, labels === '' ? inNamespace : `${inNamespace},${labels}`)})`
/** What never happened has no series. */
const orNone = (expr: string): string => `${expr} or vector(0)`
const writes = 'verb=~"apply|create|delete"'

export const operatorDashboard: Dashboard = {
  uid: 'citypresence-operator',
  title: 'CityPresence / Operator',
  of: 'operator',
  about: 'What the operator does, for all of its cities together. Cities go on without it.',
  rows: [
    {
      title: 'Cities',
      panels: [
        {
          ...number('Known', 'CityPresences that it looks after.'),
          queries: [{ expr: most(operator.cities), legend: '' }],
        },
        {
          ...number('Not ready', 'kubectl get cpres says which, and why.'),
          redFrom: 1,
          queries: [{ expr: most(operator.citiesByReadiness, 'ready="False"'), legend: '' }],
        },
        {
          ...number('Work', 'How many operators lead: exactly one should.'),
          redBelow: 1,
          queries: [
            {
              expr: `sum(${selector(operator.masterStatus, inNamespace)} and on (namespace, pod) ${selector(operator.cities, inNamespace)})`,
              legend: '',
            },
          ],
        },
        {
          ...number('Longest silence', 'Since the API server said anything on a watch. Above three minutes it is cut.'),
          unit: 's',
          redFrom: 300,
          queries: [{ expr: most(operator.watchSilentSeconds), legend: '' }],
        },
        lines('Cities by readiness', 'What their condition Ready says.', 'short', [
          { expr: `max by (ready) (${selector(operator.citiesByReadiness, inNamespace)})`, legend: '{{ready}}' },
        ]),
        lines('Rounds', 'A city is looked at when something of it changed, and once in five minutes.', 'ops', [
          {
            expr: `sum by (result) (${rateOf({ name: `${operator.reconcileSeconds.name}_count` }, range, inNamespace)})`,
            legend: '{{result}}',
          },
        ]),
      ],
    },
    {
      title: 'Work',
      panels: [
        lines('A round takes', 'Milliseconds where nothing is to be done; a second or two where a city is made.', 's', [
          { expr: quantileOf(0.5, operator.reconcileSeconds, range, inNamespace), legend: 'half of all' },
          { expr: quantileOf(0.99, operator.reconcileSeconds, range, inNamespace), legend: '99 %' },
        ]),
        lines('A city waits', 'From a change to its round. Grows where more is asked than the rate allows.', 's', [
          { expr: quantileOf(0.99, operator.queueWaitSeconds, range, inNamespace), legend: '99 %' },
          { expr: most(operator.queueOldestSeconds), legend: 'waits now' },
        ]),
        lines('In the queue', 'Cities that are ready for a round and not taken up yet.', 'short', [
          { expr: most(operator.queueDepth), legend: 'cities' },
        ]),
        lines('Rounds that failed', 'By the word of docs/ERRORS.md. Each is tried again, later each time.', 'ops', [
          {
            expr: orNone(`sum by (code) (${rateOf(operator.reconcileErrors, range, inNamespace)})`),
            legend: '{{code}}',
          },
        ]),
      ],
    },
    {
      title: 'API server',
      panels: [
        lines('Requests', 'By what is asked. In quiet only watches that begin anew, and a look at Secrets.', 'ops', [
          { expr: `sum by (verb) (${rateOf(operator.apiCalls, range, inNamespace)})`, legend: '{{verb}}' },
        ]),
        lines('Writes', 'Nothing is written while nothing changes.', 'ops', [
          { expr: orNone(perSecond(operator.apiCalls, writes)), legend: 'objects' },
          { expr: orNone(perSecond(operator.apiCalls, 'verb="status"')), legend: 'statuses' },
        ]),
        lines('Answers that are none', '403 to a get is a Secret that it may not look at.', 'ops', [
          {
            expr: orNone(`sum by (code) (${rateOf(operator.apiCalls, range, `${inNamespace},code!="ok"`)})`),
            legend: '{{code}}',
          },
        ]),
        lines('Watches that began anew', 'By why: ended is what the server does every few minutes.', 'ops', [
          { expr: orNone(`sum by (why) (${rateOf(operator.watchRestarts, range, inNamespace)})`), legend: '{{why}}' },
        ]),
      ],
    },
    { title: 'Process', panels: processPanels(operator.errors, operator.cities, inNamespace) },
  ],
}

function number(title: string, about: string) {
  return { title, about, kind: 'number', unit: 'short' } as const
}
