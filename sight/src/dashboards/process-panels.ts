// What every process of ours can run out of: CPU, memory, time of the event loop, descriptors; and the errors it met.
import { inCity as chosenCity, range, type Panel } from '../dashboard.ts'
import { nodeProcess } from '../metric-families.ts'
import { rateOf, selector, sumOf, type Metric } from '../promql.ts'

/** `own`: a metric that only processes of this service have; it tells them from the others. `where`: what is looked at. */
export function processPanels(errors: Metric, own: Metric, where = chosenCity): readonly Panel[] {
  const ofOurs = (expr: string): string => `${expr} and on (namespace, pod) ${selector(own, where)}`
  const lines = (title: string, about: string, unit: string, expr: string): Panel => ({
    title,
    about,
    kind: 'lines',
    unit,
    queries: [{ expr, legend: '{{pod}}' }],
  })
  return [
    {
      title: 'Errors',
      about: 'By the word of docs/ERRORS.md, which says what to do about each.',
      kind: 'lines',
      unit: 'ops',
      queries: [
        {
          expr: `sum by (code) (${rateOf(errors, range, where)}) > 0 or sum(${rateOf(errors, range, where)})`,
          legend: '{{code}}',
        },
      ],
    },
    lines(
      'CPU',
      'Cores. One process uses one, and a little for collecting garbage.',
      'short',
      ofOurs(rateOf(nodeProcess.cpuSeconds, range, where)),
    ),
    lines(
      'Memory',
      'Resident. A gateway needs about 130 MB and 8 KB for each browser.',
      'bytes',
      ofOurs(selector(nodeProcess.residentBytes, where)),
    ),
    lines(
      'Event loop',
      'How late it is, 99 %. Above 0.25 s something holds it.',
      's',
      ofOurs(selector(nodeProcess.loopLagP99Seconds, where)),
    ),
    lines(
      'Collecting garbage',
      'Share of the time.',
      'percentunit',
      ofOurs(`sum by (namespace, pod) (${rateOf(sumOf(nodeProcess.gcSeconds), range, where)})`),
    ),
    lines(
      'Descriptors',
      'One for each browser, and some twenty more.',
      'short',
      ofOurs(selector(nodeProcess.openDescriptors, where)),
    ),
  ]
}
