// The settings of the operator: one row each. The API server is reached as the pod's account, or by a kubeconfig.
import { decode, type ConfigOf, type Incomplete, type SettingsTable } from '@citypresence/chassis/config'
import { leaseMistakes, leaseSettings } from '@citypresence/chassis/kube-lease'
import { serviceSettings } from '@citypresence/chassis/service-settings'

export const settings = {
  ...serviceSettings,
  watchNamespaces: {
    env: 'WATCH_NAMESPACES',
    decode: decode.list(decode.nonEmpty),
    default: [],
    help: 'Namespaces in which cities are looked after, separated by commas; without any, all of them (needs a ClusterRole).',
  },
  aggregatorImage: {
    env: 'AGGREGATOR_IMAGE',
    decode: decode.nonEmpty,
    help: 'Image of the aggregators. Who writes a CityPresence cannot choose it.',
  },
  gatewayImage: {
    env: 'GATEWAY_IMAGE',
    decode: decode.nonEmpty,
    help: 'Image of the gateways. Who writes a CityPresence cannot choose it.',
  },
  imagePullPolicy: {
    env: 'IMAGE_PULL_POLICY',
    decode: decode.oneOf('Always', 'IfNotPresent', 'Never'),
    default: 'IfNotPresent' as const,
    help: 'When nodes fetch the images.',
  },
  imagePullSecrets: {
    env: 'IMAGE_PULL_SECRETS',
    decode: decode.list(decode.nonEmpty),
    default: [],
    help: 'Names of Secrets with which images are fetched, in the namespace of each city; separated by commas.',
  },
  secretNames: {
    env: 'SECRET_NAMES',
    decode: decode.oneOf('marked', 'any'),
    default: 'marked' as const,
    help: 'Which Secrets a city may name. marked: only those with citypresence in their name, so that nobody can have others mounted.',
  },
  allowedHosts: {
    env: 'ALLOWED_HOSTS',
    decode: decode.list(decode.nonEmpty),
    optional: true,
    help: 'Hosts that cities may ask (homeservers, city services, key addresses), separated by commas; without it any.',
  },
  apiRequestsPerS: {
    env: 'API_REQUESTS_PER_SECOND',
    decode: decode.integer({ min: 1, max: 1_000 }),
    default: 50,
    help: 'Requests to the API server in a second, after a burst of twice as many. A city that is made takes some thirty, one that is in order two in five minutes.',
  },
  apiServerPorts: {
    env: 'API_SERVER_PORTS',
    decode: decode.list(decode.integer({ min: 1, max: 65_535 })),
    default: [443, 6443],
    help: 'Ports of the API server that the NetworkPolicy of a city lets its aggregators reach: of its Service, and of what stands behind it.',
  },
  ...leaseSettings,
  kubeconfig: {
    ...leaseSettings.kubeconfig,
    help: 'Path of one kubeconfig, for outside a cluster; login plugins and HTTP proxies work, SOCKS proxies do not.',
  },
  leaseName: {
    ...leaseSettings.leaseName,
    default: 'citypresence-operator',
    help: 'Name of the Lease by which one of several operators works; made where it is missing.',
  },
  leaseDurationMs: { ...leaseSettings.leaseDurationMs, default: 15_000 },
  renewDeadlineMs: { ...leaseSettings.renewDeadlineMs, default: 10_000 },
  retryPeriodMs: { ...leaseSettings.retryPeriodMs, default: 2_000 },
} as const satisfies SettingsTable

export type Config = ConfigOf<typeof settings>

// Each namespace costs a watch for each kind; who has more of them gives the operator all.
const namespacesMax = 50

export function mistakesOf(config: Incomplete<Config>): readonly string[] {
  const mistakes = [...leaseMistakes(config)]
  if ((config.watchNamespaces ?? []).length > namespacesMax)
    mistakes.push(`WATCH_NAMESPACES: more than ${namespacesMax}; leave it empty to watch all of them`)
  return mistakes
}
