// docs/CLUSTER.md: what was measured on a real cluster, with its bars, from docs/cluster.json.

export type KeptFigure = {
  readonly unit: string
  readonly bar?: number
  /** One a run, the newest last. */
  readonly values?: readonly number[]
  /** Why it was not run there. */
  readonly notRun?: string
}

/** `rule: what` -> figure. */
export type KeptFigures = { readonly machine: string; readonly figures: Readonly<Record<string, KeptFigure>> }

// Of two the worse.
const middleOf = (sorted: readonly number[]): number => sorted[Math.floor(sorted.length / 2)] ?? 0

function row(name: string, { unit, bar, values = [], notRun }: KeptFigure): string {
  const [rule = '', ...what] = name.split(': ')
  const sorted = [...values].sort((one, other) => one - other)
  const spread = sorted.length < 2 ? '' : `${sorted[0] ?? ''} to ${sorted.at(-1) ?? ''}`
  const median = notRun === undefined ? `${middleOf(sorted)} ${unit}` : `not run: ${notRun}`
  const told = bar === undefined ? '' : `${bar} ${unit}`
  return `| ${rule} | ${what.join(': ')} | ${median} | ${spread} | ${values.length} | ${told} |`
}

export function clusterPage({ machine, figures }: KeptFigures): string {
  const byRule = (one: string, other: string): number => one.localeCompare(other, 'en', { numeric: true })
  const names = Object.keys(figures).sort(byRule)
  return `# On a real cluster, measured

Printed by \`make docs\` from \`docs/cluster.json\`, which \`make e2e-run KEEP=1\` writes: a kind cluster of one control plane and two workers, the images of the Dockerfile, the chart, Synapse and NATS in the cluster, browsers and sockets outside it. What each rule says stands in [spec/cluster.md](spec/cluster.md); how it is run, in [KUBERNETES.md](KUBERNETES.md#a-cluster-to-try-on).

${machine}

| rule | what | median | spread | runs | bar |
| --- | --- | ---: | ---: | ---: | ---: |
${names.map((name) => row(name, figures[name] ?? { unit: '' })).join('\n')}
`
}
