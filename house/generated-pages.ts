// The pages that are printed from code, so that they cannot say something else: `make docs` writes them, tidy.test.ts compares.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { settings as aggregatorSettings } from '../aggregator/src/config.ts'
import type { KeptRun as KeptSpeed } from '../bench/src/core/result.ts'
import { performancePage } from '../bench/src/performance-page.ts'
import { curvesPlot, goalsPlot } from '../bench/src/performance-plot.ts'
import { settingsMarkdown } from '../chassis/src/config.ts'
import { sections } from '../chaos/src/all-faults.ts'
import { reliabilityPlot } from '../chaos/src/reliability-plot.ts'
import { reliabilityPage, type Measured } from '../chaos/src/reliability-page.ts'
import { clusterPage, type KeptFigures } from '../k8s-e2e/src/cluster-page.ts'
import { errorsPage } from '../chassis/src/print-errors.ts'
import { settings as operatorSettings } from '../operator/src/config.ts'
import { settings as gatewaySettings } from '../gateway/src/config.ts'
import { crdFiles } from '../operator/src/print-crd.ts'
import { pluginPath, pluginText } from '../operator/src/print-plugin.ts'
import { troubleshootingPage } from '../operator/src/troubleshooting-page.ts'
import { referencePage } from '../operator/src/reference-page.ts'
import { markdownTable, type KeptRun } from '../sim/fence/table.ts'
import { dashboardFiles } from '../sight/src/dashboards.ts'
import { metricsPage } from '../sight/src/metrics-page.ts'
import { operatorRuleGroups, ruleGroups } from '../sight/src/rules.ts'
import { runbookPages } from '../sight/src/runbooks.ts'
import { cruiseHouse, drawFolders } from './folder-graph.ts'
import { securityPage } from './security-page.ts'
import { root } from './sources.ts'

export type Page = { readonly path: string; readonly text: string }

export async function generatedPages(): Promise<readonly Page[]> {
  return [
    { path: 'docs/CITYPRESENCE.md', text: referencePage() },
    { path: 'docs/ERRORS.md', text: errorsPage() },
    ...crdFiles(),
    { path: pluginPath, text: pluginText() },
    { path: 'docs/TROUBLESHOOTING.md', text: troubleshootingPage() },
    { path: 'docs/METRICS.md', text: metricsPage() },
    ...runbookPages(),
    ...dashboardFiles(),
    { path: 'sight/rules.json', text: `${JSON.stringify(ruleGroups(), null, 2)}\n` },
    {
      path: 'helm/city-presence/files/operator-rules.json',
      text: `${JSON.stringify(operatorRuleGroups(), null, 2)}\n`,
    },
    { path: 'docs/PERFORMANCE.md', text: performancePage(measuredSpeed()) },
    { path: 'docs/performance.svg', text: goalsPlot(measuredSpeed()) },
    { path: 'docs/performance-curves.svg', text: curvesPlot(measuredSpeed()) },
    { path: 'docs/SETTINGS.md', text: settingsPage() },
    { path: 'docs/SECURITY.md', text: securityPage() },
    { path: 'docs/reliability.svg', text: reliabilityPlot(sections, measuredFaults()) },
    { path: 'docs/RELIABILITY.md', text: reliabilityPage(measuredFaults()) },
    { path: 'docs/CLUSTER.md', text: clusterPage(clusterFigures()) },
    {
      path: 'docs/ARCHITECTURE.md',
      text: between('docs/ARCHITECTURE.md', 'folders', `\`\`\`mermaid\n${drawFolders(await cruiseHouse())}\n\`\`\``),
    },
    { path: 'docs/FENCE.md', text: between('docs/FENCE.md', 'variants', markdownTable(modelRun())) },
  ]
}

const measuredFaults = (): Record<string, Measured> =>
  JSON.parse(readFileSync(join(root, 'docs/reliability.json'), 'utf8')) as Record<string, Measured>

const measuredSpeed = (): KeptSpeed =>
  JSON.parse(readFileSync(join(root, 'docs/performance.json'), 'utf8')) as KeptSpeed

const clusterFigures = (): KeptFigures =>
  JSON.parse(readFileSync(join(root, 'docs/cluster.json'), 'utf8')) as KeptFigures

const settingsPage = (): string =>
  `# Settings

Taken from the environment; printed from the tables in the \`config.ts\` of each service by \`make docs\`.
All mistakes are told at once, and the exit code is then 2. A name that ends in \`_FILE\` gives the path of a file with the value.

${settingsMarkdown('aggregator', aggregatorSettings)}
${settingsMarkdown('gateway', gatewaySettings)}
${settingsMarkdown('operator', operatorSettings)}`

const modelRun = (): KeptRun => JSON.parse(readFileSync(join(root, 'docs/fence.json'), 'utf8')) as KeptRun

/** A page with what stands between its two marks of this name replaced. */
function between(path: string, name: string, text: string): string {
  const [begin, end] = [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`]
  const page = readFileSync(join(root, path), 'utf8')
  const [before, rest] = page.split(begin)
  const after = rest?.split(end)[1]
  if (before === undefined || after === undefined) throw new Error(`${path} has lost its marks`)
  return `${before}${begin}\n\n${text}\n\n${end}${after}`
}

if (import.meta.main)
  for (const { path, text } of await generatedPages()) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
