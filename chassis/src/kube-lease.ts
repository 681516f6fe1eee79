// The settings of an election on a Kubernetes Lease, and how they become one that runs.
//
//   settings -> KUBECONFIG or what a pod has mounted -> three calls on one Lease -> lease-election
import { decode, type ConfigOf, type Incomplete, type SettingsTable } from './config.ts'
import { whyUnsafe, type ElectionSettings } from './core/election.ts'
import { systemClock, type Clock } from './edge/clock.ts'
import { accessByKubeconfig, accessInCluster, accountFolder } from './edge/kube-access.ts'
import { openKubeDoor, type KubeDoor } from './edge/kube-door.ts'
import { openKubeLease } from './edge/kube-lease.ts'
import { CityError } from './errors.ts'
import { runLeaseElection, type LeaseElection, type LeaseElectionOptions } from './lease-election.ts'

const period = decode.integer({ min: 100, max: 600_000 })

export const leaseSettings = {
  leaseName: {
    env: 'LEASE_NAME',
    decode: decode.nonEmpty,
    default: 'city-presence',
    help: 'Name of the Lease, which somebody else has to make. Needed are the rights get, update and watch on this one.',
  },
  podNamespace: {
    env: 'POD_NAMESPACE',
    decode: decode.nonEmpty,
    optional: true,
    help: "Namespace of the Lease; without it the pod's own, or that of the kubeconfig's context.",
  },
  podUid: {
    env: 'POD_UID',
    decode: decode.nonEmpty,
    optional: true,
    help: 'Uid of the pod: the beginning of the name under which it holds the Lease.',
  },
  kubeconfig: {
    env: 'KUBECONFIG',
    decode: decode.nonEmpty,
    optional: true,
    help: 'Path of one kubeconfig, for outside a cluster: token, token file or client certificate. No plugins, proxies or passwords.',
  },
  accountFolder: {
    env: 'SERVICE_ACCOUNT_FOLDER',
    decode: decode.nonEmpty,
    default: accountFolder,
    help: 'Where the kubelet mounts the token, the authority and the namespace of a pod.',
  },
  kubeHost: {
    env: 'KUBERNETES_SERVICE_HOST',
    decode: decode.nonEmpty,
    optional: true,
    help: 'Address of the API server; Kubernetes sets it in every pod.',
  },
  kubePort: {
    env: 'KUBERNETES_SERVICE_PORT',
    decode: decode.integer({ min: 1, max: 65_535 }),
    default: 443,
    help: 'Port of the API server; Kubernetes sets it in every pod.',
  },
  leaseDurationMs: {
    env: 'LEASE_DURATION_MS',
    decode: period,
    default: 6_000,
    help: 'A leader that wrote nothing for so long is replaced. Shorter is a faster takeover after a crash and more false ones.',
  },
  renewDeadlineMs: {
    env: 'LEASE_RENEW_DEADLINE_MS',
    decode: period,
    default: 4_000,
    help: 'For so long after its last renewal the Lease counts as held; shorter than LEASE_DURATION_MS.',
  },
  retryPeriodMs: {
    env: 'LEASE_RETRY_PERIOD_MS',
    decode: period,
    default: 1_000,
    help: 'Between two renewals; less than LEASE_RENEW_DEADLINE_MS / 1.2.',
  },
} as const satisfies SettingsTable

export type LeaseConfig = ConfigOf<typeof leaseSettings>

export function leaseMistakes(config: Incomplete<LeaseConfig>): string[] {
  const { leaseDurationMs, renewDeadlineMs, retryPeriodMs, kubeconfig, kubeHost } = config
  const mistakes: string[] = []
  if (kubeconfig === undefined && kubeHost === undefined)
    mistakes.push(
      'KUBECONFIG and KUBERNETES_SERVICE_HOST: outside a pod give the first; inside, Kubernetes gives the second',
    )
  if (leaseDurationMs === undefined || renewDeadlineMs === undefined || retryPeriodMs === undefined) return mistakes
  const unsafe = whyUnsafe({ leaseMs: leaseDurationMs, renewDeadlineMs, retryMs: retryPeriodMs })
  if (unsafe !== undefined)
    mistakes.push(`LEASE_DURATION_MS, LEASE_RENEW_DEADLINE_MS and LEASE_RETRY_PERIOD_MS: ${unsafe}`)
  return mistakes
}

export type LeaseRun = Omit<LeaseElectionOptions, 'lease' | 'settings'> & {
  /** Unique for each process. */
  readonly me: string
  readonly fenced: boolean
  readonly clock?: Clock
}

/** How the API is reached, and in which namespace our objects are. */
export type KubeHome = { readonly door: KubeDoor; readonly namespace: string }

/** For a config that leaseMistakes found nothing in. */
export function openKubeHome(config: LeaseConfig, userAgent: string): KubeHome {
  const { kubeconfig, kubeHost, kubePort } = config
  const access =
    kubeconfig === undefined
      ? accessInCluster(kubeHost ?? '', kubePort, config.accountFolder)
      : accessByKubeconfig(kubeconfig)
  const namespace = namespaceFor(config, access.namespace)
  return { door: openKubeDoor({ access, userAgent }), namespace }
}

/** @param found what the pod or the kubeconfig says. */
export function namespaceFor({ podNamespace }: LeaseConfig, found: string | undefined): string {
  const namespace = podNamespace ?? found
  if (namespace === undefined)
    throw new CityError('BadConfig', 'POD_NAMESPACE is needed: neither the pod nor the kubeconfig names a namespace')
  return namespace
}

/** For a config that leaseMistakes found nothing in. The door is closed with the election. */
export function startLeaseElection(config: LeaseConfig, { door, namespace }: KubeHome, run: LeaseRun): LeaseElection {
  const { leaseDurationMs, renewDeadlineMs, retryPeriodMs } = config
  const settings: ElectionSettings = {
    me: run.me,
    leaseMs: leaseDurationMs,
    renewDeadlineMs,
    retryMs: retryPeriodMs,
    // A stranger, or a release with longer periods, is waited for as long as a leader of ours could need, and no longer.
    foreignLeaseMsMax: leaseDurationMs + renewDeadlineMs,
    fenced: run.fenced,
    jitter01: run.random(),
  }
  const lease = openKubeLease({
    door,
    namespace,
    name: config.leaseName,
    timeoutMs: retryPeriodMs,
    idleMs: 2 * leaseDurationMs,
    clock: run.clock ?? systemClock,
  })
  return runLeaseElection({ ...run, lease, settings })
}
