// helm on the chart of this house, with the images that the suite was told of.
import { join } from 'node:path'
import { helmBinary } from '@citypresence/stack/cache'
import { bareEnv, repositoryRoot } from '@citypresence/stack/machine'
import { makeTemporaryFolder } from '@citypresence/stack/temporary-folder'
import { runProgram } from './kube.ts'
import type { Settings } from './settings.ts'

export const chartFolder = join(repositoryRoot, 'helm', 'city-presence')

export type Helm = (args: readonly string[], options?: { input?: string; deadlineMs?: number }) => Promise<string>

// helm waits for what it installs only where it is told to; hooks of `helm test` have a minute each.
const deadlineDefaultMs = 180_000

export function helmOf({ kubeconfig }: Settings): Helm {
  const folder = makeTemporaryFolder('helm')
  const home = Object.fromEntries(
    ['CACHE', 'CONFIG', 'DATA'].map((name) => [`HELM_${name}_HOME`, join(folder.path, name)]),
  )
  const env = { ...bareEnv(), ...home, KUBECONFIG: kubeconfig }
  return (args, options = {}) => runProgram(helmBinary(), args, { env, deadlineMs: deadlineDefaultMs, ...options })
}

/** The values of a release for the tests: images, and the NATS of the chart on a node that no test takes away. */
export function valuesFor({ images, tag, natsImage }: Settings, stableNode: string): Readonly<Record<string, unknown>> {
  const image = (name: string) => ({ repository: `${images}/${name}`, ...(tag !== undefined && { tag }) })
  return {
    images: { operator: image('operator'), aggregator: image('aggregator'), gateway: image('gateway') },
    // Tests wait for what the operator does when it is replaced: the shortest times that its Lease allows.
    leaderElection: { leaseDurationSeconds: 6, renewDeadlineSeconds: 4, retryPeriodSeconds: 1 },
    nats: {
      enabled: true,
      image: natsImage,
      nodeSelector: { 'kubernetes.io/hostname': stableNode },
      tolerations: [{ operator: 'Exists' }],
    },
  }
}
