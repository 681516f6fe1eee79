// The page for whoever is woken by an alert, and the list of all of them.
import type { Alert } from './alert.ts'
import { alerts } from './rules.ts'

export const runbookPages = (): readonly { readonly path: string; readonly text: string }[] => [
  { path: 'docs/runbooks/README.md', text: listPage() },
  ...alerts.map((alert) => ({ path: `docs/runbooks/${alert.name}.md`, text: runbookPage(alert) })),
]

const listPage = (): string =>
  `# Runbooks

One page for each alert, printed by \`make docs\` from \`sight/src\`. Critical ones wake somebody, warnings are for the day.

| alert | severity | what is seen meanwhile |
| --- | --- | --- |
${alerts.map(({ name, severity, seen }) => `| [${name}](${name}.md) | ${severity} | ${seen} |`).join('\n')}
`

const runbookPage = ({ name, severity, for: duration, expr, seen, causes, steps }: Alert): string =>
  `# ${name}

**${severity}**, after ${duration}.

**What is seen meanwhile:** ${seen}

## Why it happens

${causes.map((cause) => `- ${cause}`).join('\n')}

## What to do

${steps.map((line, index) => `${index + 1}. ${line}`).join('\n')}

## The rule

\`\`\`
${expr}
\`\`\`
`
