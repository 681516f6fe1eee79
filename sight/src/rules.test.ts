import { existsSync } from 'node:fs'
import { expect, it } from 'vitest'
import { recordingRules, windows } from './freshness-objective.ts'
import { aggregatorFamilies, gatewayFamilies, operatorFamilies, sharedFamilies } from './metric-families.ts'
import { operatorAlerts } from './operator-alerts.ts'
import { alerts, operatorRuleGroups, ruleGroups, runbookBase } from './rules.ts'
import { runbookPages } from './runbooks.ts'
import { strangersIn } from './testing/strangers.ts'

it('[O1] labels are from a short list, none of which grows with the city', () => {
  const families = [...aggregatorFamilies, ...gatewayFamilies, ...operatorFamilies, ...sharedFamilies]
  const labels = new Set(families.flatMap((family) => family.labels))
  const ours = [
    'answer',
    'code',
    'direction',
    'end',
    'kind',
    'marked',
    'name',
    'outcome',
    'ready',
    'reason',
    'result',
    'stream',
    'verb',
    'why',
  ]
  // Of the process: kinds of memory, of work and of handles, and its version.
  const processs = ['type', 'space', 'version', 'major', 'minor', 'patch']
  expect([...labels].filter((label) => ![...ours, ...processs].includes(label))).toEqual([])
})

it('[O2] rules ask for metrics and labels that services register', () => {
  const groups = [...ruleGroups().groups, ...operatorRuleGroups().groups]
  const rules = groups.flatMap((group) => group.rules as readonly { expr: string }[])
  expect(rules.length).toBe(alerts.length + windows.length)
  expect(rules.flatMap(({ expr }) => strangersIn(expr))).toEqual([])
})

it('[O2] a metric or a label that nobody registers is found', () => {
  expect(strangersIn('rate(citypresence_gateway_connexions[5m])')).toEqual(['citypresence_gateway_connexions'])
  expect(strangersIn('citypresence_gateway_closes_total{kode="4401"}')).toEqual([
    'citypresence_gateway_closes_total{kode}',
  ])
  expect(strangersIn('citypresence_gateway_sweep_seconds_bucket{le="1",pod="x"}')).toEqual([])
})

it('[O5] each alert has its page, and names it', () => {
  const pages = new Map(runbookPages().map(({ path, text }) => [path, text]))
  for (const { name, expr, causes, steps, seen, summary } of alerts) {
    expect(name).toMatch(/^CityPresence[A-Z]\w+$/)
    const page = pages.get(`docs/runbooks/${name}.md`) ?? ''
    for (const part of [expr, seen, ...causes, ...steps]) {
      expect(part.length).toBeGreaterThan(10)
      expect(page).toContain(part)
    }
    const isOfOperator = operatorAlerts.some((one) => one.name === name)
    expect(summary.includes('{{ $labels.city }}'), name).toBe(!isOfOperator)
    expect(existsSync(`docs/runbooks/${name}.md`)).toBe(true)
  }
  const urls = JSON.stringify([ruleGroups(), operatorRuleGroups()])
  for (const { name } of alerts) expect(urls).toContain(`"runbook_url":"${runbookBase}/${name}.md"`)
  expect(new Set(alerts.map(({ name }) => name)).size).toBe(alerts.length)
})

it('[O6] late is what was told unmarked after the budget; only where something was told is there a ratio', () => {
  for (const { expr } of recordingRules) {
    expect(expr).toContain('marked="no",le="5"')
    expect(expr).toMatch(/ > 0\)$/)
  }
})
