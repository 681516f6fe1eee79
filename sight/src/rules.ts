// The groups of recording rules and alerts as Prometheus and a PrometheusRule take them.
import type { Alert } from './alert.ts'
import { cityAlerts } from './city-alerts.ts'
import { recordingRules } from './freshness-objective.ts'
import { gatewayAlerts } from './gateway-alerts.ts'
import { operatorAlerts } from './operator-alerts.ts'

export const alerts: readonly Alert[] = [...cityAlerts, ...gatewayAlerts, ...operatorAlerts]

/** Where the runbooks lie for who clicks on an alert; whoever keeps his own pages says so to the operator. */
export const runbookBase = 'https://github.com/DAARION-DAO/city-presence/blob/main/docs/runbooks'

const alertRule = ({ name, severity, expr, for: duration, summary, seen }: Alert) => ({
  alert: name,
  expr,
  for: duration,
  labels: { severity },
  annotations: { summary, description: `What is seen meanwhile: ${seen}`, runbook_url: `${runbookBase}/${name}.md` },
})

export type RuleGroups = { readonly groups: readonly { readonly name: string; readonly rules: readonly object[] }[] }

/** Of the operator itself: its chart brings them, once, for all cities together. */
export const operatorRuleGroups = (): RuleGroups => ({
  groups: [{ name: 'citypresence-operator', rules: operatorAlerts.map(alertRule) }],
})

/** Of a city: the operator narrows them to each. */
export const ruleGroups = (): RuleGroups => ({
  groups: [
    { name: 'citypresence-freshness', rules: recordingRules },
    { name: 'citypresence-city', rules: cityAlerts.map(alertRule) },
    { name: 'citypresence-gateway', rules: gatewayAlerts.map(alertRule) },
  ],
})
