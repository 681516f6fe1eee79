// Alerts about the operator itself. They belong to who runs it and not to a city, so the chart of the operator brings them: none has a
// label `city`, and while they burn every city goes on as it is.
import type { Alert } from './alert.ts'
import { operator } from './metric-families.ts'
import { rateOf, selector } from './promql.ts'

const perOperator = 'by (namespace)'
// Aggregators lead by Leases of their own and tell it under the same name.
const operatorLeads = `${selector(operator.masterStatus)} and on (namespace, pod) ${selector(operator.cities)}`

export const operatorAlerts: readonly Alert[] = [
  {
    name: 'CityPresenceOperatorGone',
    severity: 'warning',
    expr: `absent_over_time(${selector(operator.cities)}[5m])`,
    for: '5m',
    summary: 'No operator of CityPresence can be scraped.',
    seen: 'Nothing: cities go on. Changes of a CityPresence are not carried out, drift stays, kubectl get cpres tells what was.',
    causes: [
      'The pods of the operator are gone, or cannot start: an image, a right, a node.',
      'Prometheus cannot reach them: a NetworkPolicy, or a PodMonitor that it does not select.',
    ],
    steps: [
      'kubectl get pods -A -l app.kubernetes.io/name=city-presence; then kubectl describe and kubectl logs of one that is not ready.',
      'Where they run, look for the target in Prometheus: metrics.podMonitor.labels of the chart have to be those that it selects.',
    ],
  },
  {
    name: 'CityPresenceOperatorWithoutLeader',
    severity: 'warning',
    expr: `sum ${perOperator} (${operatorLeads}) == 0`,
    for: '5m',
    summary: 'Operators run in {{ $labels.namespace }}, and none of them works.',
    seen: 'Nothing: cities go on. Changes of a CityPresence are not carried out.',
    causes: [
      'The API server does not answer, or refuses the Lease (LeaseForbidden, LeaseUnreachable).',
      'A Lease of the same name is held by somebody else.',
    ],
    steps: [
      'kubectl get lease in the namespace of the operator: who holds it, and since when.',
      'The log of an operator says why it does not lead; docs/ERRORS.md says what to do about each word.',
    ],
  },
  {
    name: 'CityPresenceOperatorRoundsFail',
    severity: 'warning',
    expr: `sum by (namespace, code) (${rateOf(operator.reconcileErrors, '10m')}) > 0.01`,
    for: '15m',
    summary: 'Rounds of the operator in {{ $labels.namespace }} fail again and again: {{ $labels.code }}.',
    seen: 'Nothing in most cities; in those concerned changes are late, or are not carried out.',
    causes: [
      'KubeUnreachable, KubeBusy: the API server is in trouble or overloaded.',
      'KubeForbidden: a right of the operator is missing, as after an update of the chart without its roles.',
      'ReconcileTimeout: a single city takes longer than a minute.',
    ],
    steps: [
      'The log of the operator names the city of each failed round.',
      'kubectl describe cpres NAME: the condition Accepted has the words of the API server.',
    ],
  },
  {
    name: 'CityPresenceOperatorLate',
    severity: 'warning',
    expr: `max ${perOperator} (${selector(operator.queueOldestSeconds)}) > 120`,
    for: '5m',
    summary: 'A city has waited for the operator in {{ $labels.namespace }} for {{ $value | humanizeDuration }}.',
    seen: 'Nothing: cities go on. Changes are carried out late.',
    causes: [
      'More cities than requests: making one takes some thirty (API_REQUESTS_PER_SECOND).',
      'An API server that answers slowly.',
    ],
    steps: [
      'Dashboard "operator": requests a second, and how long rounds take.',
      'Raise apiRequestsPerSecond in the chart where the API server has room for it.',
    ],
  },
  {
    name: 'CityPresenceOperatorBlind',
    severity: 'warning',
    expr: `max by (namespace, pod, kind) (${selector(operator.watchSilentSeconds)}) > 300`,
    for: '5m',
    summary: 'Operator {{ $labels.pod }} has heard nothing of {{ $labels.kind }} for {{ $value | humanizeDuration }}.',
    seen: 'Nothing: cities go on. What happens to these objects is not noticed.',
    causes: [
      'The API server is away, or refuses to list this kind.',
      'Something in between cuts connections without a word; a silent watch is cut after three minutes and opened anew.',
    ],
    steps: [
      'The log of the operator: "cannot be watched" has the kind and the reason.',
      'kubectl auth can-i list KIND --as=system:serviceaccount:NAMESPACE:ACCOUNT for the account of the operator.',
    ],
  },
  {
    name: 'CityPresenceOperatorForbidden',
    severity: 'warning',
    // Who may not look into Secrets is told so at each look, by design; nothing else is a get that is refused.
    expr: `sum by (namespace, verb) (${rateOf(operator.apiCalls, '10m', 'code=~"401|403",verb!="get"')}) > 0`,
    for: '10m',
    summary: 'The API server refuses the operator in {{ $labels.namespace }} what it asks for: {{ $labels.verb }}.',
    seen: 'Nothing in cities that are as they should be; new ones are not made whole.',
    causes: [
      'The chart was updated without its roles (rbac.create=false), or somebody changed them.',
      'The token of the account is refused (401): the clock, or the account was deleted.',
    ],
    steps: [
      'kubectl describe cpres NAME: Accepted has the words of the API server, with the kind that was refused.',
      "Compare the operator's roles with helm template.",
    ],
  },
  {
    name: 'CityPresenceNotReady',
    severity: 'warning',
    expr: `max by (namespace) (${selector(operator.citiesByReadiness, 'ready="False"')}) > 0`,
    for: '15m',
    summary: '{{ $value }} cities are not ready, as the operator in {{ $labels.namespace }} sees them.',
    seen: 'In each of these cities something is missing; the alerts of the city itself say what browsers see of it.',
    causes: [
      'A Secret that is missing, a homeserver that refuses the token, pods that do not start: the condition says which.',
    ],
    steps: [
      'kubectl get cpres -A, then kubectl cpres status NAME or kubectl describe cpres NAME.',
      'docs/TROUBLESHOOTING.md has a paragraph for each reason.',
    ],
  },
]
