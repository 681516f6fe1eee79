// What the house prints for Prometheus and Grafana (sight/), narrowed to one city: two cities in one cluster must not speak of each
// other. The printed rules tell cities apart by the labels `namespace` and `city`, which the PodMonitor puts on everything.
import type { CityPresence } from './city-presence.ts'

export type Rule = Readonly<Record<string, unknown>> & { readonly expr: string }
export type RuleGroup = { readonly name: string; readonly rules: readonly Rule[] }
export type PrintedDashboard = { readonly name: string; readonly text: string }

/** sight/rules.json and sight/dashboards, as they were printed. */
export type Sight = { readonly ruleGroups: readonly RuleGroup[]; readonly dashboards: readonly PrintedDashboard[] }

const labelsOf = ({ metadata: { namespace, name } }: CityPresence): string => `namespace="${namespace}",city="${name}"`

const metricNames = /\b(citypresence[\w:]*|nodejs_\w+|process_\w+|up)\b(?!")(\{)?/g

/** Every series that a query asks for, of this city alone. */
export const narrowed = (expr: string, city: CityPresence): string =>
  expr.replace(metricNames, (_, name: string, brace?: string) =>
    brace === undefined ? `${name}{${labelsOf(city)}}` : `${name}{${labelsOf(city)},`,
  )

export const ruleGroupsOf = ({ ruleGroups }: Sight, city: CityPresence): readonly RuleGroup[] =>
  ruleGroups.map(({ name, rules }) => ({
    name,
    rules: rules.map((rule) => ({ ...rule, expr: narrowed(rule.expr, city) })),
  }))

type Grafana = {
  readonly uid: string
  readonly title: string
  readonly templating: { readonly list: readonly { readonly name: string }[] }
}

/** The choice of a city is made: namespace and name stand where they could be chosen. Grafana knows a dashboard by its uid. */
export function dashboardsOf({ dashboards }: Sight, city: CityPresence): Readonly<Record<string, string>> {
  const { namespace, name, uid } = city.metadata
  return Object.fromEntries(
    dashboards.map((printed) => {
      const text = printed.text.replaceAll('$namespace', namespace).replaceAll('$city', name)
      const one = JSON.parse(text) as Grafana
      const content = {
        ...one,
        uid: `${one.uid}-${uid.slice(0, 8)}`,
        title: `${one.title} (${namespace}/${name})`,
        templating: { list: one.templating.list.filter((variable) => variable.name === 'datasource') },
      }
      return [`${namespace}-${name}-${printed.name}`, `${JSON.stringify(content)}\n`]
    }),
  )
}
