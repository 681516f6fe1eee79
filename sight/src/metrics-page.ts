// docs/METRICS.md: every family of metrics with its labels and its meaning, as a scrape shows it.
import {
  aggregatorFamilies,
  gatewayFamilies,
  operatorFamilies,
  sharedFamilies,
  type Family,
} from './metric-families.ts'

export const metricsPage = (): string =>
  `# Metrics

Printed by \`make docs\` from what the services register. Each service serves them at \`/metrics\` of its admin port. No label holds a user,
a session or a room, so that the number of series does not grow with the city.

## aggregator

${table(aggregatorFamilies)}

## gateway

${table(gatewayFamilies)}

## operator

${table(operatorFamilies)}

## of every service

${table(sharedFamilies)}
`

const table = (families: readonly Family[]): string =>
  ['| name | kind | labels | meaning |', '| --- | --- | --- | --- |', ...families.toSorted(byName).map(row)].join('\n')

const byName = (one: Family, other: Family): number => (one.name < other.name ? -1 : 1)

const row = ({ name, type, labels, help }: Family): string =>
  `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help} |`
