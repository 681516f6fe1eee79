// Reads what `make docs` printed into sight/: rules for Prometheus and dashboards for Grafana, which the operator hands to each city
// that asks for them. They lie beside the sources, in the image too.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RuleGroup, Sight } from '../core/sight.ts'

const folder = join(import.meta.dirname, '..', '..', '..', 'sight')

/** Throws where they are missing: an operator without them was not built whole. */
export function readSight(): Sight {
  const { groups } = JSON.parse(readFileSync(join(folder, 'rules.json'), 'utf8')) as {
    readonly groups: readonly RuleGroup[]
  }
  const dashboards = readdirSync(join(folder, 'dashboards'))
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => ({ name, text: readFileSync(join(folder, 'dashboards', name), 'utf8') }))
  return { ruleGroups: groups, dashboards }
}
