// Who we are to the API server and how it is reached: read in one place, for requests, watches and the election alike.
//
//   in a pod: token, authority and namespace that the kubelet mounts ---.
//   elsewhere: a kubeconfig, by client-node (kube-config.ts) ------------+-> headers, connection -> one agent for requests, one for
//                                                                            watches, one for the Lease
import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Agent, ProxyAgent, type buildConnector, type Dispatcher } from 'undici'
import type { Clock } from '@citypresence/chassis/edge/clock'
import { createHttpClient } from '@citypresence/chassis/edge/http-client'
import { accessInCluster as mountedAccount, tokenOf } from '@citypresence/chassis/edge/kube-access'
import { withHeaders, type KubeDoor } from '@citypresence/chassis/edge/kube-door'
import { CityError } from '@citypresence/chassis/errors'

export type KubeReach = {
  /** Without a slash at its end. */
  readonly server: string
  readonly headers: Readonly<Record<string, string>>
  readonly requests: Dispatcher
  readonly watches: Dispatcher
  /** Apart, so that no slow request holds up a renewal. */
  readonly lease: Dispatcher
}

export type KubeAccess = {
  /** That of the pod or of the kubeconfig's context. */
  readonly namespace: string | undefined
  /** As it is now: tokens and certificates in files are renewed. */
  reach(): Promise<KubeReach>
  /** The token was refused: the next reach reads everything anew. */
  forget(): void
  close(): Promise<void>
}

export type Tls = buildConnector.BuildOptions

export type Identity = {
  readonly server: string
  readonly headers: Readonly<Record<string, string>>
  readonly tls: Tls
  /** A proxy in between, and how it is spoken to. */
  readonly proxy?: { readonly uri: string; readonly tls: Tls }
}

export type IdentitySource = {
  readonly namespace: string | undefined
  identify(): Promise<Identity> | Identity
  /** The next answer is read anew. */
  forget(): void
}

// Four workers with a few requests each; who waits longer than for these has a slow API server, not too few connections.
const requestConnectionsMax = 8
// A watch holds one for minutes: a dozen kinds in each namespace that is watched, fifty namespaces at most.
const watchConnectionsMax = 1_024
// One call at a time, beside one watch.
const leaseConnectionsMax = 2
const keepAliveMs = 30_000
// A load balancer forgets a silent connection after a minute.
const probes = { keepAlive: true, keepAliveInitialDelay: 30_000 }
const headerBytesMax = 32 * 1024

/** What the kubelet mounts is replaced every hour, so it is read each time: three small files in memory. */
export function accessInCluster(host: string, port: number, folder: string): KubeAccess {
  const account = mountedAccount(host, port, folder)
  return openKubeAccess({
    namespace: account.namespace,
    forget: () => undefined,
    identify() {
      const token = tokenOf(account)
      return {
        server: account.server,
        headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
        tls: { ca: readAuthority(`${folder}/ca.crt`) },
      }
    },
  })
}

function readAuthority(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new CityError('SecretUnreadable', `the authority ${path} cannot be read`, { cause })
  }
}

type Agents = Pick<KubeReach, 'requests' | 'watches' | 'lease'> & { readonly madeOf: string }

export function openKubeAccess(source: IdentitySource): KubeAccess {
  let agents: Agents | undefined
  return {
    namespace: source.namespace,
    async reach() {
      const identity = await source.identify()
      const madeOf = hash('sha256', JSON.stringify([identity.tls, identity.proxy]))
      if (agents?.madeOf !== madeOf) {
        // What runs on the old ones runs to its end.
        for (const old of agentsIn(agents)) void old.close()
        const open = (connections: number) => openAgent(identity, connections)
        agents = {
          madeOf,
          requests: open(requestConnectionsMax),
          watches: open(watchConnectionsMax),
          lease: open(leaseConnectionsMax),
        }
      }
      const { server, headers } = identity
      return { ...agents, server, headers }
    },
    forget: () => source.forget(),
    async close() {
      await Promise.all(agentsIn(agents).map((one) => one.destroy()))
    },
  }
}

const agentsIn = (agents: Agents | undefined): readonly Dispatcher[] =>
  agents === undefined ? [] : [agents.requests, agents.watches, agents.lease]

function openAgent({ tls, proxy }: Identity, connections: number): Dispatcher {
  const options = {
    connections,
    keepAliveTimeout: keepAliveMs,
    maxHeaderSize: headerBytesMax,
    // Deadlines of our own stand over each exchange and over the silence of a watch.
    headersTimeout: 0,
    bodyTimeout: 0,
    // One connection for all watches would be one to lose.
    allowH2: false,
  }
  return proxy === undefined
    ? new Agent({ ...options, connect: { ...tls, ...probes } })
    : new ProxyAgent({ ...options, uri: proxy.uri, requestTls: tls, connect: { ...proxy.tls, ...probes } })
}

/** What the election asks goes its own way, as the same account; whoever opened the access closes it. */
export function leaseDoor(access: KubeAccess, { userAgent, clock }: { userAgent: string; clock: Clock }): KubeDoor {
  const http = createHttpClient({ userAgent, clock })
  return {
    async request(path, request) {
      const { server, headers, lease } = await access.reach()
      const answer = await http.request(`${server}${path}`, { ...withHeaders(request, headers), through: lease })
      if (answer.status === 401) access.forget()
      return answer
    },
    close: () => http.close(),
  }
}
