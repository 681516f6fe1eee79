// A dashboard as rows of panels, and how it becomes the JSON that Grafana takes. What is written by hand are titles, sentences and
// queries; ids, places and the variables come from here.
import {
  DashboardBuilder,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  VariableRefresh,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus'
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat'
import { PanelBuilder as TimeSeriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries'

export type Query = { readonly expr: string; readonly legend: string }

export type Panel = {
  readonly title: string
  /** One sentence behind the little i: what is good, what is not. */
  readonly about: string
  /** Lines over time, or the number of now. */
  readonly kind: 'lines' | 'number'
  /** Grafana's word: s, percentunit, bytes, ops, short. */
  readonly unit: string
  readonly queries: readonly Query[]
  /** From this value on the number is red (or, `below`, up to it). */
  readonly redFrom?: number
  readonly redBelow?: number
}

export type Dashboard = {
  readonly uid: string
  readonly title: string
  readonly about: string
  /** One city, or an operator with all of its cities. */
  readonly of: keyof typeof choices
  readonly rows: readonly { readonly title: string; readonly panels: readonly Panel[] }[]
}

export const lines = (title: string, about: string, unit: string, queries: Panel['queries']): Panel => ({
  title,
  about,
  kind: 'lines',
  unit,
  queries,
})

/** Grafana's own: as long as a rate needs for what is on the screen. */
export const range = '$__rate_interval'

/** What every query is narrowed to; Grafana puts in what was chosen above. */
export const inCity = 'namespace="$namespace",city="$city"'
export const inNamespace = 'namespace="$namespace"'

/** By what one chooses where to look. */
const choices = {
  city: [
    ['namespace', 'label_values(up{city!=""}, namespace)'],
    ['city', 'label_values(up{namespace="$namespace",city!=""}, city)'],
  ],
  operator: [['namespace', 'label_values(citypresence_operator_cities, namespace)']],
} as const

// Grafana's grid is 24 wide: four numbers or two plots beside each other can be read on a laptop.
const numberSize = { span: 6, height: 4 }
const linesSize = { span: 12, height: 8 }

const datasource = { type: 'prometheus', uid: '${datasource}' }

export function grafanaDashboard({ uid, title, about, of, rows }: Dashboard) {
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- its successor needs Grafana 12; this one every Grafana in use reads
  const builder = new DashboardBuilder(title)
    .uid(uid)
    .description(about)
    .tags(['citypresence'])
    .refresh('30s')
    .time({ from: 'now-1h', to: 'now' })
    .timezone('browser')
    .withVariable(new DatasourceVariableBuilder('datasource').label('Prometheus').type('prometheus'))
  for (const [name, query] of choices[of]) builder.withVariable(choice(name, query))
  let id = 0
  for (const row of rows) {
    builder.withRow(new RowBuilder(row.title).id((id += 1)))
    for (const panel of row.panels) builder.withPanel(panelOf(panel).id((id += 1)))
  }
  return builder.build()
}

const choice = (name: string, query: string): QueryVariableBuilder =>
  new QueryVariableBuilder(name)
    .label(name)
    .datasource(datasource)
    .query(query)
    .refresh(VariableRefresh.OnTimeRangeChanged)

function panelOf(panel: Panel): StatBuilder | TimeSeriesBuilder {
  const size = panel.kind === 'number' ? numberSize : linesSize
  const builder = panel.kind === 'number' ? numberOf(panel) : new TimeSeriesBuilder().fillOpacity(8)
  builder.title(panel.title).description(panel.about).unit(panel.unit).datasource(datasource).min(0)
  builder.span(size.span).height(size.height)
  for (const { expr, legend } of panel.queries)
    builder.withTarget(new DataqueryBuilder().expr(expr).legendFormat(legend).datasource(datasource))
  return builder
}

function numberOf({ redFrom, redBelow }: Panel): StatBuilder {
  const steps =
    redBelow !== undefined
      ? [
          { value: null, color: 'red' },
          { value: redBelow, color: 'green' },
        ]
      : [{ value: null, color: 'green' }, ...(redFrom === undefined ? [] : [{ value: redFrom, color: 'red' }])]
  return new StatBuilder().thresholds(new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps))
}
