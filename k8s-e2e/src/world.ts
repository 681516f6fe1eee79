// What every scenario stands on: one namespace that enforces the restricted profile, a Synapse with people in it, the chart, one
// CityPresence. Whoever comes first builds it; the others find it, so that each file can be run alone.
//
//   namespace -> Synapse, its people -> Secrets -> helm install -> CityPresence -> Ready -> a way in for browsers
import { settle, type CityPeople } from '@citypresence/stack/city-fixture'
import { cityShape } from '@citypresence/stack/city-shape'
import { createMatrixClient, type MatrixClient } from '@citypresence/stack/matrix-client'
import { makeToken, randomSecret } from '@citypresence/stack/tokens'
import { until } from '@citypresence/stack/until'
import { cityObject } from './city-object.ts'
import { chartFolder, helmOf, valuesFor, type Helm } from './helm.ts'
import { kubeOf, type Condition, type Kube, type KubeThing } from './kube.ts'
import { cityName, gatewaySelector, namespace, release } from './names.ts'
import { readSettings, type Settings } from './settings.ts'
import { nodePort, synapseName, synapseObjects } from './synapse.ts'

export type World = {
  readonly settings: Settings
  readonly kube: Kube
  readonly helm: Helm
  /** A node that no test takes away: what the city leans on lies there, and browsers come in there. */
  readonly stableNode: string
  readonly people: CityPeople
  readonly jwtSecret: string
  readonly token: string
  clientOf(localpart: string): MatrixClient
  /** Where browsers find the gateways; there once the city is. */
  gatewayUrl(): Promise<string>
}

type Kept = { readonly people: CityPeople; readonly jwtSecret: string }

/** The namespace, Synapse, its people, the Secrets: all that a platform team has before it installs anything of ours. */
export async function groundStands(): Promise<World> {
  const settings = readSettings()
  const kube = kubeOf(settings.kubeconfig)
  const stableNode = await stableNodeOf(kube)
  const kept = (await keptPeople(kube)) ?? (await settleNow(kube, settings, stableNode))
  const { people, jwtSecret } = kept
  const accounts = new Map(
    [people.daemon, people.mayor, ...people.residents].map((one) => [localpartOf(one.userId), one]),
  )
  const synapseUrl = await outside(kube, settings, stableNode, synapseName)
  return {
    settings,
    kube,
    helm: helmOf(settings),
    stableNode,
    people,
    jwtSecret,
    token: makeToken({ secret: jwtSecret, subject: 'e2e', expiresInS: 24 * 3_600 }),
    clientOf(localpart) {
      const account = accounts.get(localpart)
      if (account === undefined) throw new Error(`there is no ${localpart} in this city`)
      return createMatrixClient(synapseUrl, account)
    },
    gatewayUrl: () => outside(kube, settings, stableNode, 'e2e-gateway'),
  }
}

/** All of it, with the city ready. */
export async function cityStands(): Promise<World> {
  const world = await groundStands()
  if ((await world.kube.get('citypresence', cityName, namespace).catch(() => undefined)) === undefined)
    await install(world)
  await cityReady(world, installWithinMs)
  return world
}

// The bar of the first scenario, and room for a machine that does something else besides.
const installWithinMs = 240_000

/** `helm install` and `kubectl apply`, as in docs/KUBERNETES.md. */
export async function install(world: World): Promise<void> {
  const { helm, kube, people } = world
  const input = JSON.stringify(valuesOf(world))
  await helm(['upgrade', '--install', release, chartFolder, '--namespace', namespace, '--values', '-'], { input })
  await kube.apply(namespace, cityObject(people))
}

export const valuesOf = ({ settings, stableNode }: World): Readonly<Record<string, unknown>> =>
  valuesFor(settings, stableNode)

/** The way back to the ground: no city, no release, no resource, nothing on the disk of NATS. */
export async function takeAway({ kube, helm }: World): Promise<void> {
  await kube.run(['delete', 'citypresences', '--all', '--namespace', namespace, '--timeout=60s']).catch(() => undefined)
  await helm(['uninstall', release, '--namespace', namespace, '--ignore-not-found', '--wait'])
  await kube.run(['delete', 'crd', 'citypresences.presence.daarion.city', '--ignore-not-found', '--timeout=60s'])
  await kube.run(['delete', 'persistentvolumeclaims', '--all', '--namespace', namespace, '--timeout=60s'])
}

export async function cityReady({ kube }: World, deadlineMs: number, name = cityName): Promise<void> {
  await until(async () => (await conditionOf(kube, name, 'Ready'))?.status === 'True', {
    deadlineMs,
    everyMs: 500,
    what: `${name} to be Ready`,
  })
}

export async function conditionOf(
  kube: Kube,
  name: string,
  type: string,
  where = namespace,
): Promise<Condition | undefined> {
  const city = await kube.get<KubeThing & { status?: { conditions?: readonly Condition[] } }>(
    'citypresence',
    name,
    where,
  )
  return city?.status?.conditions?.find((condition) => condition.type === type)
}

async function stableNodeOf(kube: Kube): Promise<string> {
  const nodes = JSON.parse(await kube.run(['get', 'nodes', '--output', 'json'])) as { items: readonly KubeThing[] }
  const isControlPlane = ({ metadata }: KubeThing): boolean =>
    metadata.labels?.['node-role.kubernetes.io/control-plane'] !== undefined
  const node = nodes.items.find(isControlPlane) ?? nodes.items[0]
  if (node === undefined) throw new Error('the cluster has no node')
  return node.metadata.name
}

async function settleNow(kube: Kube, settings: Settings, node: string): Promise<Kept> {
  await kube.apply('default', restrictedNamespace(namespace))
  const { objects, registrationSecret } = synapseObjects(settings.synapseImage, node)
  await kube.apply(namespace, ...objects)
  await kube.rolledOut(`deployment/${synapseName}`, namespace, 180_000)
  const url = await outside(kube, settings, node, synapseName)
  const people = await settle(cityShape('small'), { url, registrationSecret })
  const jwtSecret = randomSecret()
  const kept: Kept = { people, jwtSecret }
  await kube.apply(
    namespace,
    secretOf('citypresence-matrix', { access_token: people.daemon.accessToken }),
    secretOf('citypresence-jwt', { jwt_secret: jwtSecret }),
    secretOf('e2e-kept', { kept: JSON.stringify(kept) }),
    nodePort('e2e-gateway', selectorObject(gatewaySelector), 'socket', 80),
  )
  return kept
}

/** A namespace in which Kubernetes itself refuses a pod that could be root, or write, or gain rights. */
export const restrictedNamespace = (name: string): KubeThing => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: {
    name,
    labels: {
      'pod-security.kubernetes.io/enforce': 'restricted',
      'pod-security.kubernetes.io/enforce-version': 'latest',
      'pod-security.kubernetes.io/warn': 'restricted',
    },
  },
})

export const secretOf = (name: string, stringData: Readonly<Record<string, string>>): KubeThing => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name },
  stringData,
})

async function keptPeople(kube: Kube): Promise<Kept | undefined> {
  const secret = await kube.get<KubeThing & { data?: { kept?: string } }>('secret', 'e2e-kept', namespace)
  const text = secret?.data?.kept
  return text === undefined ? undefined : (JSON.parse(Buffer.from(text, 'base64').toString('utf8')) as Kept)
}

type NodePortService = KubeThing & { readonly spec: { readonly ports: readonly { readonly nodePort: number }[] } }

async function outside(kube: Kube, settings: Settings, node: string, service: string): Promise<string> {
  const found = await kube.get<NodePortService>('service', service, namespace)
  const port = found?.spec.ports[0]?.nodePort
  if (port === undefined) throw new Error(`the Service ${service} has no port on the nodes`)
  const address =
    settings.nodeAddress ??
    (await kube.run(['get', 'node', node, '--output', 'jsonpath={.status.addresses[?(@.type=="InternalIP")].address}']))
  return `http://${address}:${port}`
}

export const socketUrl = async (world: World): Promise<string> =>
  `${(await world.gatewayUrl()).replace('http:', 'ws:')}/ws/city/presence`

const localpartOf = (userId: string): string => userId.slice(1, userId.indexOf(':'))

const selectorObject = (selector: string): Readonly<Record<string, string>> =>
  Object.fromEntries(selector.split(',').map((pair) => pair.split('=') as [string, string]))
