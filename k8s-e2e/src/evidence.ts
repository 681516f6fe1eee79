// When a scenario fails: objects, events, logs, conditions, Leases and what the stream says, in a folder of its own, so that what happened on a
// cluster that is gone can still be read. Secrets are not asked for, and what looks like one is painted over.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { resultsFolder } from './figures.ts'
import { kubeOf } from './kube.ts'
import { namespace } from './names.ts'
import { redact } from './redact.ts'
import { readSettings } from './settings.ts'

const kinds =
  'citypresences,deployments,replicasets,statefulsets,pods,services,endpointslices,configmaps,leases,jobs,horizontalpodautoscalers,poddisruptionbudgets,networkpolicies,serviceaccounts,roles,rolebindings,persistentvolumeclaims'
// What a person reads of a log is its end.
const logLinesMax = 2_000

export async function gatherEvidence(scenario: string): Promise<string> {
  const { kubeconfig } = readSettings()
  const kube = kubeOf(kubeconfig)
  const folder = join(resultsFolder, 'evidence', scenario.replaceAll(/[^A-Za-z0-9]+/g, '-').slice(0, 80))
  mkdirSync(folder, { recursive: true })
  // Each question alone: one that gets no answer must not cost the others.
  const keep = async (name: string, args: readonly string[]): Promise<string> => {
    const text = await kube.run(args, { deadlineMs: 20_000 }).catch(String)
    writeFileSync(join(folder, name), redact(text), { mode: 0o600 })
    return text
  }
  const here = ['--namespace', namespace]
  await keep('nodes.txt', ['get', 'nodes', '--output', 'wide'])
  await keep('overview.txt', ['get', kinds, ...here, '--output', 'wide'])
  await keep('objects.yaml', ['get', kinds, ...here, '--output', 'yaml'])
  await keep('conditions.txt', ['describe', 'citypresences', ...here])
  await keep('events.txt', ['get', 'events', ...here, '--sort-by', '.lastTimestamp'])
  const pods = await kube
    .run(['get', 'pods', ...here, '--output', 'jsonpath={.items[*].metadata.name}'], { deadlineMs: 20_000 })
    .catch(() => '')
  for (const pod of pods.split(' ').filter((name) => name !== '')) {
    await keep(`${pod}.log`, ['logs', pod, ...here, `--tail=${logLinesMax}`])
    const before = await kube
      .run(['logs', pod, ...here, '--previous', `--tail=${logLinesMax}`], { deadlineMs: 20_000 })
      .catch(() => '')
    if (before !== '') writeFileSync(join(folder, `${pod}.before.log`), redact(before), { mode: 0o600 })
  }
  return folder
}
