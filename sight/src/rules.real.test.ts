// The rules in Prometheus' own hands: promtool reads them, and plays for each alert one story from its first minute to its end.
import { prometheusBinary } from '@citypresence/stack/cache'
import { makeTemporaryFolder } from '@citypresence/stack/temporary-folder'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { alerts, operatorRuleGroups, ruleGroups, runbookBase } from './rules.ts'
import { alertStories, type AlertStory } from './testing/alert-stories.ts'
import { operatorStories } from './testing/operator-stories.ts'

const folder = makeTemporaryFolder('rules')
afterAll(() => folder.remove())

// JSON is YAML, too.
const write = (name: string, content: unknown): string => {
  const path = join(folder.path, name)
  writeFileSync(path, JSON.stringify(content))
  return path
}

function promtool(...args: readonly string[]): { code: number | null; text: string } {
  const { status, stdout, stderr } = spawnSync(prometheusBinary('promtool'), args, { encoding: 'utf8' })
  return { code: status, text: `${stdout}${stderr}` }
}

const ruleFiles = [write('rules.json', ruleGroups()), write('operator-rules.json', operatorRuleGroups())]
const stories = [...alertStories, ...operatorStories]

it('[O3] Prometheus reads every rule', () => {
  const { code, text } = promtool('check', 'rules', ...ruleFiles)
  expect(text.match(/SUCCESS/g)).toHaveLength(ruleFiles.length)
  expect(code).toBe(0)
})

it('[O4] every alert has a story', () => {
  expect(stories.map(({ alert }) => alert).toSorted()).toEqual(alerts.map(({ name }) => name).toSorted())
})

function unitTest({ alert: name, series, burnsAt, labels, says, quietAt }: AlertStory) {
  const alert = alerts.find((one) => one.name === name)
  if (alert === undefined) throw new Error(`no alert ${name}`)
  const burning = {
    exp_labels: { severity: alert.severity, ...labels },
    exp_annotations: {
      summary: says,
      description: `What is seen meanwhile: ${alert.seen}`,
      runbook_url: `${runbookBase}/${name}.md`,
    },
  }
  return {
    rule_files: ruleFiles,
    evaluation_interval: '1m',
    tests: [
      {
        interval: '1m',
        input_series: series.map(({ metric, labels: of = '', values }) => ({
          series: `${metric.name}{${of}}`,
          values,
        })),
        alert_rule_test: [
          { eval_time: burnsAt, alertname: name, exp_alerts: [burning] },
          { eval_time: quietAt, alertname: name, exp_alerts: [] },
        ],
      },
    ],
  }
}

it.each(stories)('[O4] $alert burns, says "$says", and ends', (story) => {
  const { code, text } = promtool('test', 'rules', write(`${story.alert}.json`, unitTest(story)))
  expect(text).toContain('SUCCESS')
  expect(code).toBe(0)
})
