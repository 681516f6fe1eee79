// Who we are to the API server and how it is reached. client-node knows every way of logging in; the connections are ours:
//
//   kubeconfig, or what a pod has mounted -> client-node -> headers, certificates -> one agent for requests, one for watches
//
// Left to itself client-node opens an agent, and so a TLS connection, for every single call.
import { hash } from 'node:crypto'
import { Agent, ProxyAgent, type Dispatcher } from 'undici'
import type { RequestOptions } from 'node:https'
import { KubeConfig } from '@kubernetes/client-node'
import { CityError } from '@citypresence/chassis/errors'

export type KubeReach = {
  /** Without a slash at its end. */
  readonly server: string
  readonly headers: Readonly<Record<string, string>>
  readonly requests: Dispatcher
  readonly watches: Dispatcher
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

// Four workers with a few requests each; who waits longer than for these has a slow API server, not too few connections.
const requestConnectionsMax = 8
// A watch holds one for minutes: a dozen kinds in each namespace that is watched, fifty namespaces at most.
const watchConnectionsMax = 1_024
const keepAliveMs = 30_000
const headerBytesMax = 32 * 1024

export const accessInCluster = (): KubeAccess => openKubeAccess(() => loaded((config) => config.loadFromCluster()))

export const accessByKubeconfig = (path: string): KubeAccess =>
  openKubeAccess(() => loaded((config) => config.loadFromFile(path), path))

function loaded(load: (config: KubeConfig) => void, path = 'the service account of the pod'): KubeConfig {
  const config = new KubeConfig()
  try {
    load(config)
  } catch {
    // The parser quotes lines, and a line may hold a token: what it says stays behind.
    throw new CityError('KubeconfigRefused', `${path} cannot be read as a kubeconfig`)
  }
  if (config.getCurrentCluster() === null) throw new CityError('KubeconfigRefused', `${path} names no cluster`)
  return config
}

type Agents = { readonly madeOf: string; readonly requests: Dispatcher; readonly watches: Dispatcher }

export function openKubeAccess(load: () => KubeConfig): KubeAccess {
  let config = load()
  let isStale = false
  let agents: Agents | undefined
  return {
    namespace: config.getContextObject(config.currentContext)?.namespace?.trim(),
    async reach() {
      if (isStale) config = load()
      isStale = false
      const { headers, connect } = await identify(config)
      const madeOf = hash('sha256', JSON.stringify(connect))
      if (agents?.madeOf !== madeOf) {
        // What runs on the old ones runs to its end.
        void agents?.requests.close()
        void agents?.watches.close()
        const open = (connections: number) => openAgent(connect, connections)
        agents = { madeOf, requests: open(requestConnectionsMax), watches: open(watchConnectionsMax) }
      }
      return { server: serverOf(config), headers, requests: agents.requests, watches: agents.watches }
    },
    forget: () => void (isStale = true),
    async close() {
      await Promise.all([agents?.requests.destroy(), agents?.watches.destroy()])
    },
  }
}

const serverOf = (config: KubeConfig): string => config.getCurrentCluster()?.server.replace(/\/+$/, '') ?? ''

type Connect = ReturnType<KubeConfig['createDispatcherOptions']>

async function identify(config: KubeConfig): Promise<{ headers: Record<string, string>; connect: Connect }> {
  const options: RequestOptions = {}
  try {
    await config.applyToHTTPSOptions(options)
    const { ca, cert, key, rejectUnauthorized, servername } = options as RequestOptions & { servername?: string }
    const tls = { ca, cert, key, rejectUnauthorized, servername }
    return {
      headers: headersOf(options),
      connect: config.createDispatcherOptions(config.getCurrentCluster(), given(tls)),
    }
  } catch (error) {
    // A file that is not there, a plugin that failed: neither may be quoted, the code of the system may.
    const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? ` (${error.code})` : ''
    throw new CityError('SecretUnreadable', `what proves who we are to the API server cannot be read${code}`)
  }
}

function headersOf({ headers, auth }: RequestOptions): Record<string, string> {
  const all = Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), String(value).trim()])
  const basic = typeof auth === 'string' ? { authorization: `Basic ${Buffer.from(auth).toString('base64')}` } : {}
  return { ...Object.fromEntries(all), ...basic } as Record<string, string>
}

function openAgent(connect: Connect, connections: number): Dispatcher {
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
  switch (connect.type) {
    case 'none':
      return new Agent(options)
    case 'agent':
      return new Agent({ ...options, connect: given(connect.connect) })
    case 'proxy':
      return new ProxyAgent({
        ...options,
        uri: connect.uri,
        requestTls: given(connect.requestTls),
        connect: given(connect.connect),
      })
    case 'socks':
      throw new CityError('KubeconfigRefused', 'a SOCKS proxy is not supported')
  }
}

/** Without what is named and undefined, which undici's types do not take. */
const given = <T extends object>(options: T): Defined<T> =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Defined<T>
type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> }
