// Finds in a query what no service registers: names of metrics, and labels that a metric does not have.
import { recordingRules } from '../freshness-objective.ts'
import {
  aggregatorFamilies,
  gatewayFamilies,
  operatorFamilies,
  sharedFamilies,
  type Family,
} from '../metric-families.ts'

/** Put on every series by who scrapes. */
const scraped = ['namespace', 'city', 'pod', 'instance', 'job', 'le']
const functions = new Set(
  'absent_over_time sum max min count avg rate increase changes histogram_quantile by without unless and or on ignoring group_left up vector topk label_replace'.split(
    ' ',
  ),
)

const families = new Map<string, Family>(
  [...aggregatorFamilies, ...gatewayFamilies, ...operatorFamilies, ...sharedFamilies].map((family) => [
    family.name,
    family,
  ]),
)
const recorded = new Set(recordingRules.map(({ record }) => record))

const familyOf = (name: string): Family | undefined =>
  families.get(name) ?? families.get(name.replace(/_(?:bucket|count|sum)$/, ''))

export function strangersIn(expr: string): string[] {
  const found: string[] = []
  // Lists of labels after by (...) and on (...) are no metrics; ranges and strings are no words.
  const bare = expr.replace(/\b(?:by|on) \([^)]*\)/g, '').replace(/\[[^\]]*\]/g, '')
  for (const [, name = '', labels = ''] of bare.matchAll(/([a-zA-Z_:][\w:]*)(?:\{([^}]*)\})?/g)) {
    if (functions.has(name) || recorded.has(name)) continue
    const family = familyOf(name)
    if (family === undefined) found.push(name)
    else
      for (const label of labelsOf(labels))
        if (!family.labels.includes(label) && !scraped.includes(label)) found.push(`${name}{${label}}`)
  }
  return found
}

const labelsOf = (selector: string): string[] =>
  [...selector.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = '']) => label)
