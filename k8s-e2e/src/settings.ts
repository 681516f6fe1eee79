// What the suite has to be told: a cluster, and the images that its nodes can have. `make e2e-up` writes both down; whoever has a
// cluster sets them.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { natsServerVersion, synapseVersion } from '@citypresence/stack/cache'
import { cacheFolder, machineSetting } from '@citypresence/stack/machine'

export type Settings = {
  readonly kubeconfig: string
  /** The beginning of the images' names: `citypresence`, `registry.example/team`. */
  readonly images: string
  readonly tag: string | undefined
  readonly synapseImage: string
  readonly natsImage: { readonly repository: string; readonly tag: string }
  /** The kind cluster of that name is ours: its nodes can be stopped. Undefined: somebody's cluster, whose nodes are left alone. */
  readonly kindCluster: string | undefined
  readonly dockerHost: string | undefined
  /** Where browsers outside reach a port of a node; undefined: at the address that the node tells. */
  readonly nodeAddress: string | undefined
}

/** The environment rules over what `make e2e-up` wrote. */
export function readSettings(): Settings {
  const written = writtenSettings()
  const setting = (name: string): string | undefined => machineSetting(name) ?? written.get(name)
  const kubeconfig = setting('KUBECONFIG')
  if (kubeconfig === undefined) throw new Error('No cluster: run `make e2e-up`, or set KUBECONFIG.')
  const images = setting('E2E_IMAGES') ?? 'citypresence'
  return {
    kubeconfig,
    images,
    tag: setting('E2E_TAG'),
    synapseImage: setting('E2E_SYNAPSE_IMAGE') ?? `${images}/synapse:${synapseVersion()}`,
    natsImage: repositoryAndTag(setting('E2E_NATS_IMAGE') ?? `${images}/nats:${natsServerVersion('current')}`),
    kindCluster: setting('E2E_CLUSTER'),
    dockerHost: setting('DOCKER_HOST'),
    nodeAddress: setting('E2E_NODE_ADDRESS'),
  }
}

function writtenSettings(): ReadonlyMap<string, string> {
  const file = join(cacheFolder(), 'e2e', 'settings')
  if (!existsSync(file)) return new Map()
  const lines = readFileSync(file, 'utf8').split('\n')
  return new Map(
    lines.flatMap((line) => {
      const at = line.indexOf('=')
      return at < 1 || at === line.length - 1 ? [] : [[line.slice(0, at), line.slice(at + 1)] as const]
    }),
  )
}

function repositoryAndTag(image: string): Settings['natsImage'] {
  const at = image.lastIndexOf(':')
  // A colon before the last slash belongs to the port of a registry.
  if (at < image.lastIndexOf('/')) return { repository: image, tag: 'latest' }
  return { repository: image.slice(0, at), tag: image.slice(at + 1) }
}
