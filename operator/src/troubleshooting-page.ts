// docs/TROUBLESHOOTING.md: a paragraph for each reason that calls for somebody, printed from the vocabulary of conditions.
import { conditions, conditionTypes, reasons, type ConditionType, type Reason } from './core/conditions.ts'

/** Where to look further, by what is wrong. */
const looks: Readonly<Record<ConditionType, string>> = {
  Ready: 'kubectl describe cpres NAME',
  Accepted: 'kubectl get cpres NAME -o yaml',
  ReferencesResolved: 'kubectl describe pods -l app.kubernetes.io/instance=NAME',
  MatrixSynced: 'kubectl logs -l app.kubernetes.io/instance=NAME,app.kubernetes.io/component=aggregator',
  RoomsResolved: 'kubectl logs -l app.kubernetes.io/instance=NAME,app.kubernetes.io/component=aggregator',
  StreamReady: 'kubectl logs -l app.kubernetes.io/instance=NAME,app.kubernetes.io/component=aggregator',
  AggregatorAvailable: 'kubectl describe lease NAME-aggregator',
  GatewayAvailable: 'kubectl describe pods -l app.kubernetes.io/instance=NAME,app.kubernetes.io/component=gateway',
  RouteProgrammed: 'kubectl describe ingress,httproute NAME-gateway',
  Progressing: 'kubectl describe deployment NAME-aggregator NAME-gateway',
  Paused: 'kubectl get cpres NAME -o yaml',
  Warning: 'kubectl describe cpres NAME',
}

/** Whether somebody has to do something about it. */
export const needsSomebody = (reason: Reason): boolean => !/^Nothing[.;]|^Wait\.$/.test(reasons[reason].doThis)

const firstOf = (reason: Reason): ConditionType => reasons[reason].on[0]

const paragraph = (reason: Reason): string => {
  const { on, status, means, doThis } = reasons[reason]
  return `### ${reason}

${means} (${on.map((type) => `\`${type}\``).join(', ')} is ${status}.)

${doThis}

Look further: \`${looks[firstOf(reason)]}\``
}

const section = (type: ConditionType): string => {
  const all = (Object.keys(reasons) as Reason[]).filter((reason) => firstOf(reason) === type && needsSomebody(reason))
  return all.length === 0 ? '' : `## ${type}\n\n${conditions[type].means}\n\n${all.map(paragraph).join('\n\n')}\n`
}

export const troubleshootingPage = (): string => `# When a city is not as it should be

Printed by \`make docs\` from \`operator/src/core/conditions.ts\`: a paragraph for each reason about which somebody has to do something. All
reasons, also the good ones: [CITYPRESENCE.md](CITYPRESENCE.md). Words in logs and metrics: [ERRORS.md](ERRORS.md).

Begin with \`kubectl get cpres -A\`; the column Ready says which city, \`kubectl describe cpres NAME\` why. \`kubectl cpres status\`
(\`operator/bin/kubectl-cpres\` on your path) says the same in words. Commands about pods stand here as they are meant; no test runs them,
for the tests have an API server without nodes.

${conditionTypes
  .map(section)
  .filter((one) => one !== '')
  .join('\n')}`
