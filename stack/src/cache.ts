// Where the real servers lie on this disk, by version. `make deps` puts them there; nothing is downloaded from here.
//
//   <cache>/synapse-<version>/bin/python        a Python environment that holds Synapse
//   <cache>/nats-server-<version>/nats-server   one static binary
//   <cache>/kube-<version>-etcd-<version>/       etcd and kube-apiserver
//   <cache>/kubectl-<version>/kubectl            what people ask the API server with
//   <cache>/helm-<version>/helm                  the program that installs charts
//   <cache>/otel-collector-<version>/            one binary
//   <cache>/centrifuge-<version>/                a peer of the benchmark
//   <cache>/prometheus-debian/                prometheus and promtool
//   <cache>/fixtures/<key>/                     databases of cities already built (city-fixture.ts)
//
// The versions are the Makefile's: it writes them down once, in stack/install/versions.env, and both read that file.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { cacheFolder, machineSetting, repositoryRoot } from './machine.ts'

const versionsFile = join(repositoryRoot, 'stack', 'install', 'versions.env')

export type NatsVersion = 'current' | 'old'

function pinnedVersion(name: string): string {
  const line = readFileSync(versionsFile, 'utf8')
    .split('\n')
    .find((text) => text.startsWith(`${name}=`))
  if (line === undefined) throw new Error(`${versionsFile} has no line ${name}=`)
  return line.slice(name.length + 1).trim()
}

/** What Node is told in the gateway's image. */
export const gatewayNodeFlags = (): readonly string[] => [pinnedVersion('GATEWAY_NODE_FLAGS')]

export const synapseVersion = (): string => pinnedVersion('SYNAPSE_VERSION')

export const natsServerVersion = (which: NatsVersion): string =>
  pinnedVersion(which === 'current' ? 'NATS_SERVER_VERSION' : 'NATS_SERVER_OLD_VERSION')

/** The Python that has Synapse. */
export function synapsePython(): string {
  const version = synapseVersion()
  return present(join(cacheFolder(), `synapse-${version}`, 'bin', 'python'), `Synapse ${version}`)
}

export function natsServerBinary(which: NatsVersion): string {
  const version = natsServerVersion(which)
  return present(join(cacheFolder(), `nats-server-${version}`, 'nats-server'), `nats-server ${version}`)
}

/** etcd or kube-apiserver: out of the folder that KUBEBUILDER_ASSETS names, else as `make deps` built them. */
export function kubeBinary(name: 'etcd' | 'kube-apiserver'): string {
  const assets = machineSetting('KUBEBUILDER_ASSETS')
  if (assets !== undefined) return present(join(assets, name), `${name} (KUBEBUILDER_ASSETS)`)
  const versions = `${pinnedVersion('KUBERNETES_VERSION')}-etcd-${pinnedVersion('ETCD_VERSION')}`
  return present(join(cacheFolder(), `kube-${versions}`, name), name)
}

/** kubectl, from the same folder or as `make deps` built it. */
export function kubectlBinary(): string {
  const assets = machineSetting('KUBEBUILDER_ASSETS')
  const folder = assets ?? join(cacheFolder(), `kubectl-${pinnedVersion('KUBERNETES_VERSION')}`)
  return present(join(folder, 'kubectl'), 'kubectl')
}

/** The helm that HELM_PATH names, else as `make deps` built it. */
export function helmBinary(): string {
  const named = machineSetting('HELM_PATH')
  const version = pinnedVersion('HELM_VERSION')
  return present(named ?? join(cacheFolder(), `helm-${version}`, 'helm'), 'helm')
}

/** The one that OTEL_COLLECTOR_PATH names, else as `make deps` built it. */
export function collectorBinary(): string {
  const named = machineSetting('OTEL_COLLECTOR_PATH')
  const version = pinnedVersion('OTEL_COLLECTOR_VERSION')
  return present(
    named ?? join(cacheFolder(), `otel-collector-${version}`, 'otel-collector'),
    'the OpenTelemetry collector',
  )
}

/** Where the engine inside Centrifugo lies once the benchmark has built it. */
export const centrifugeBinary = (): string =>
  join(cacheFolder(), `centrifuge-${pinnedVersion('CENTRIFUGE_VERSION')}`, 'centrifuge')

/** Out of the folder that PROMETHEUS_BIN names, else of Debian's package. */
export function prometheusBinary(name: 'prometheus' | 'promtool'): string {
  const named = machineSetting('PROMETHEUS_BIN')
  if (named !== undefined) return present(join(named, name), `${name} (PROMETHEUS_BIN)`)
  return present(join(cacheFolder(), 'prometheus-debian', name), name)
}

/** A Chromium of this machine: the one named, else the first of the usual places. */
export function chromiumBinary(): string {
  const named = machineSetting('CHROMIUM_PATH')
  const usual = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
  const places = named === undefined ? usual : [named]
  const found = places.find((place) => existsSync(place))
  if (found !== undefined) return found
  throw new Error(`No Chromium at ${places.join(' or ')}: run \`make deps\`, or set CHROMIUM_PATH.`)
}

export const fixturesFolder = (): string => join(cacheFolder(), 'fixtures')

function present(path: string, what: string): string {
  if (existsSync(path)) return path
  throw new Error(`${what} is not in the cache (looked at ${path}): run \`make deps\`.`)
}
