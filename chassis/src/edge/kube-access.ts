// How the Kubernetes API is reached: from inside a pod by what the kubelet mounts there, elsewhere by a kubeconfig.
//
//   KUBECONFIG given?  yes: parsed once (a change needs a restart); files it names are read again
//                      no:  KUBERNETES_SERVICE_HOST and PORT, token and CA in the mounted folder, both read again
import { readFileSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { parse } from 'yaml'
import { readKubeconfig, type KubeAccess, type TextSource } from '../core/kubeconfig.ts'
import { CityError } from '../errors.ts'

/** Where the kubelet mounts a pod's service account. */
export const accountFolder = '/var/run/secrets/kubernetes.io/serviceaccount'

// A file of contexts and certificates is some kilobytes; anything larger is another file.
const kubeconfigBytesMax = 1024 * 1024

export function accessInCluster(host: string, port: number, folder = accountFolder): KubeAccess {
  const address = host.includes(':') ? `[${host}]` : host
  return {
    server: `https://${address}:${port}`,
    namespace: readText(`${folder}/namespace`),
    ca: { file: `${folder}/ca.crt` },
    client: undefined,
    token: { file: `${folder}/token` },
  }
}

export function accessByKubeconfig(path: string): KubeAccess {
  const read = readKubeconfig(parseFile(path))
  if (!read.ok) throw new CityError('KubeconfigRefused', `${path} ${read.problem}`)
  const { ca, client, token } = read.value
  const beside = <T extends TextSource | undefined>(source: T) =>
    source !== undefined && 'file' in source ? { file: resolve(dirname(path), source.file) } : source
  return {
    ...read.value,
    ca: beside(ca),
    client: client === undefined ? undefined : { cert: beside(client.cert), key: beside(client.key) },
    token: beside(token),
  }
}

function parseFile(path: string): unknown {
  try {
    if (statSync(path).size > kubeconfigBytesMax) throw new Error('larger than a kubeconfig is')
    return parse(readFileSync(path, 'utf8')) as unknown
  } catch (cause) {
    // The parser quotes lines, and a line may hold a token: the message stays behind.
    const isParsing = cause instanceof Error && 'linePos' in cause
    throw new CityError(
      'KubeconfigRefused',
      `${path} ${isParsing ? 'is no YAML' : 'cannot be read'}`,
      isParsing ? {} : { cause },
    )
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim() || undefined
  } catch {
    return undefined // not every test, and no developer's machine, has one
  }
}

/** The token as it is now: a mounted one is replaced every hour, so it is read at each request. */
export function tokenOf({ token }: KubeAccess): string | undefined {
  if (token === undefined) return undefined
  if ('text' in token) return token.text
  const text = readText(token.file)
  if (text === undefined) throw new CityError('SecretUnreadable', `the token file ${token.file} cannot be read`)
  return text
}
