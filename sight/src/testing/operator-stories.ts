// The stories of the alerts about the operator itself, as those of a city in alert-stories.ts.
import { operator } from '../metric-families.ts'
import type { Metric } from '../promql.ts'
import type { AlertStory, Series } from './alert-stories.ts'

const series = (metric: Metric, labels: string, values: string): Series => ({
  metric,
  labels: ['namespace="operators"', labels].filter((one) => one !== '').join(','),
  values,
})
const operators = { namespace: 'operators' }

export const operatorStories: readonly AlertStory[] = [
  {
    alert: 'CityPresenceOperatorGone',
    // Nothing for half an hour; `_` is a look that brought nothing.
    series: [series(operator.cities, 'pod="o-1"', '3x5 _x30 3x20')],
    burnsAt: '20m',
    labels: {},
    says: 'No operator of CityPresence can be scraped.',
    quietAt: '45m',
  },
  {
    alert: 'CityPresenceOperatorWithoutLeader',
    series: [
      series(operator.cities, 'pod="o-1"', '3x40'),
      series(operator.cities, 'pod="o-2"', '3x40'),
      series(operator.masterStatus, 'pod="o-1",name="citypresence-operator"', '1x4 0x36'),
      series(operator.masterStatus, 'pod="o-2",name="citypresence-operator"', '0x20 1x20'),
      // A city beside it has a leader, which is another's business.
      series(operator.masterStatus, 'pod="a-1",name="city-presence"', '1x40'),
    ],
    burnsAt: '15m',
    labels: operators,
    says: 'Operators run in operators, and none of them works.',
    quietAt: '30m',
  },
  {
    alert: 'CityPresenceOperatorRoundsFail',
    series: [series(operator.reconcileErrors, 'pod="o-1",code="KubeForbidden"', '0+6x40 240x60')],
    burnsAt: '35m',
    labels: { ...operators, code: 'KubeForbidden' },
    says: 'Rounds of the operator in operators fail again and again: KubeForbidden.',
    quietAt: '80m',
  },
  {
    alert: 'CityPresenceOperatorLate',
    series: [series(operator.queueOldestSeconds, 'pod="o-1"', '1x4 600x20 1x20')],
    burnsAt: '15m',
    labels: operators,
    says: 'A city has waited for the operator in operators for 10m 0s.',
    quietAt: '35m',
  },
  {
    alert: 'CityPresenceOperatorBlind',
    series: [series(operator.watchSilentSeconds, 'pod="o-1",kind="leases"', '30x4 900x20 10x20')],
    burnsAt: '15m',
    labels: { ...operators, pod: 'o-1', kind: 'leases' },
    says: 'Operator o-1 has heard nothing of leases for 15m 0s.',
    quietAt: '35m',
  },
  {
    alert: 'CityPresenceOperatorForbidden',
    series: [
      series(operator.apiCalls, 'pod="o-1",verb="apply",code="403"', '0+6x40 240x60'),
      // A Secret that it may not look at is none of it.
      series(operator.apiCalls, 'pod="o-1",verb="get",code="403"', '0+6x100'),
    ],
    burnsAt: '35m',
    labels: { ...operators, verb: 'apply' },
    says: 'The API server refuses the operator in operators what it asks for: apply.',
    quietAt: '80m',
  },
  {
    alert: 'CityPresenceNotReady',
    series: [
      series(operator.citiesByReadiness, 'pod="o-1",ready="False"', '0x4 2x30 0x20'),
      series(operator.citiesByReadiness, 'pod="o-2",ready="False"', '0x4 2x30 0x20'),
    ],
    burnsAt: '25m',
    labels: operators,
    says: '2 cities are not ready, as the operator in operators sees them.',
    quietAt: '45m',
  },
]
