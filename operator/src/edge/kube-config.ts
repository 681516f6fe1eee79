// Who we are by a kubeconfig, outside a cluster. client-node knows every way of logging in there (login plugins, OIDC, token files,
// proxies); it is loaded only here, because it takes 80 MB and half a second, and its own calls stay unused: each opens an agent, and
// so a TLS connection, of its own.
import type { RequestOptions } from 'node:https'
import type { ConnectionOptions } from 'node:tls'
import type { KubeConfig } from '@kubernetes/client-node'
import { CityError } from '@citypresence/chassis/errors'
import { openKubeAccess, type Identity, type KubeAccess } from './kube-access.ts'

export async function accessByKubeconfig(path: string): Promise<KubeAccess> {
  const clientNode = await import('@kubernetes/client-node')
  const load = () => loaded(new clientNode.KubeConfig(), path)
  let config = load()
  let isStale = false
  return openKubeAccess({
    namespace: config.getContextObject(config.currentContext)?.namespace?.trim(),
    identify() {
      if (isStale) config = load()
      isStale = false
      return identify(config)
    },
    forget: () => void (isStale = true),
  })
}

function loaded(config: KubeConfig, path: string): KubeConfig {
  try {
    config.loadFromFile(path)
  } catch {
    // The parser quotes lines, and a line may hold a token: what it says stays behind.
    throw new CityError('KubeconfigRefused', `${path} cannot be read as a kubeconfig`)
  }
  if (config.getCurrentCluster() === null) throw new CityError('KubeconfigRefused', `${path} names no cluster`)
  return config
}

async function identify(config: KubeConfig): Promise<Identity> {
  const options: RequestOptions & { servername?: string } = {}
  try {
    await config.applyToHTTPSOptions(options)
    const connect = config.createDispatcherOptions(config.getCurrentCluster(), tlsOf(options))
    const who = { server: serverOf(config), headers: headersOf(options) }
    switch (connect.type) {
      case 'none':
        return { ...who, tls: {} }
      case 'agent':
        return { ...who, tls: tlsOf(connect.connect) }
      case 'proxy':
        return { ...who, tls: tlsOf(connect.requestTls), proxy: { uri: connect.uri, tls: tlsOf(connect.connect) } }
      case 'socks':
        throw new CityError('KubeconfigRefused', 'a SOCKS proxy is not supported')
    }
  } catch (error) {
    if (error instanceof CityError) throw error
    // A file that is not there, a plugin that failed: neither may be quoted, the code of the system may.
    const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? ` (${error.code})` : ''
    throw new CityError('SecretUnreadable', `what proves who we are to the API server cannot be read${code}`)
  }
}

const serverOf = (config: KubeConfig): string => config.getCurrentCluster()?.server.replace(/\/+$/, '') ?? ''

function headersOf({ headers, auth }: RequestOptions): Record<string, string> {
  const all = Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), String(value).trim()])
  const basic = typeof auth === 'string' ? { authorization: `Basic ${Buffer.from(auth).toString('base64')}` } : {}
  return { ...Object.fromEntries(all), ...basic } as Record<string, string>
}

/** Whom we trust and who we are, of all that can be said of a connection; without what is undefined. */
function tlsOf({ ca, cert, key, rejectUnauthorized, servername }: TlsOfLibrary): Defined {
  const all = { ca, cert, key, rejectUnauthorized, servername }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}
type TlsOfLibrary = Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'rejectUnauthorized' | 'servername'>
type Defined = { [K in keyof TlsOfLibrary]?: Exclude<TlsOfLibrary[K], undefined> }
