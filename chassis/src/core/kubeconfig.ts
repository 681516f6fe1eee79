// What a kubeconfig says about one cluster and one user, out of its parsed YAML. What cannot be used is refused with a sentence that
// names the field, rather than passed over: a login plugin that is not run looks like a token that is wrong.
import { accept, refuse, type Result } from './result.ts'

/** As text, or in a file that is read again: relative to the kubeconfig's folder. */
export type TextSource = { readonly text: string } | { readonly file: string }

export type KubeAccess = {
  /** Without a slash at its end; may have a path. */
  readonly server: string
  readonly namespace: string | undefined
  readonly ca: TextSource | undefined
  readonly client: { readonly cert: TextSource; readonly key: TextSource } | undefined
  readonly token: TextSource | undefined
}

type Fields = Readonly<Record<string, unknown>>

/** Fields that change who we are or whom we trust, and that nobody here knows how to use. */
const unsupported = {
  cluster: ['insecure-skip-tls-verify', 'proxy-url', 'tls-server-name'],
  user: ['exec', 'auth-provider', 'username', 'password', 'as', 'as-uid', 'as-groups', 'as-user-extra'],
} as const

export function readKubeconfig(config: unknown): Result<KubeAccess> {
  if (!isFields(config)) return refuse('is no kubeconfig')
  const context = named(config, 'contexts', config['current-context'], 'context')
  if (context === undefined) return refuse('has no context of the name that current-context gives')
  const cluster = named(config, 'clusters', context['cluster'], 'cluster')
  if (cluster === undefined) return refuse('has no cluster of the name that its context gives')
  const user = named(config, 'users', context['user'], 'user')
  if (user === undefined) return refuse('has no user of the name that its context gives')
  const foreign = [...isSetIn(cluster, unsupported.cluster), ...isSetIn(user, unsupported.user)]
  if (foreign.length > 0) return refuse(`uses ${foreign.join(' and ')}, which is not supported`)
  return readAccess(cluster, user, textOf(context['namespace']))
}

function readAccess(cluster: Fields, user: Fields, namespace: string | undefined): Result<KubeAccess> {
  const server = textOf(cluster['server'])?.replace(/\/+$/, '')
  if (server === undefined || !/^https?:\/\/[^/]/.test(server)) return refuse('has no server that begins with https://')
  const [ca, cert, key] = [
    pem(cluster, 'certificate-authority'),
    pem(user, 'client-certificate'),
    pem(user, 'client-key'),
  ]
  for (const one of [ca, cert, key]) if (one !== undefined && 'problem' in one) return refuse(one.problem)
  if ((cert === undefined) !== (key === undefined)) return refuse('has only one of client-certificate and client-key')
  const token = textOf(user['token'])
  const tokenFile = textOf(user['tokenFile'])
  return accept({
    server,
    namespace,
    ca: sourceOf(ca),
    client: clientOf(sourceOf(cert), sourceOf(key)),
    // As kubectl does: the file wins, because it can be renewed.
    token: tokenFile !== undefined ? { file: tokenFile } : token !== undefined ? { text: token } : undefined,
  })
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined

/** `contexts: [{ name, context: {…} }]` and its like. */
function named(config: Fields, list: string, name: unknown, content: string): Fields | undefined {
  const all: unknown = config[list]
  if (!Array.isArray(all) || typeof name !== 'string') return undefined
  const found = all.find((one: unknown) => isFields(one) && one['name'] === name) as Fields | undefined
  const inner = found?.[content]
  return isFields(inner) ? inner : undefined
}

const isSetIn = (fields: Fields, names: readonly string[]): string[] =>
  names.filter((name) => ![undefined, null, false, ''].includes(fields[name] as undefined))

type Pem = TextSource | { readonly problem: string } | undefined

/** `<field>-data` is base64 of the PEM and wins over `<field>`, which is a path. */
function pem(fields: Fields, field: string): Pem {
  const data = textOf(fields[`${field}-data`])
  if (data === undefined) {
    const file = textOf(fields[field])
    return file === undefined ? undefined : { file }
  }
  const text = decodeBase64(data)
  return text?.includes('-----BEGIN ') === true ? { text } : { problem: `has a ${field}-data that is no PEM in base64` }
}

function decodeBase64(data: string): string | undefined {
  try {
    return atob(data.replace(/\s+/g, ''))
  } catch {
    return undefined
  }
}

const sourceOf = (one: Pem): TextSource | undefined => (one === undefined || 'problem' in one ? undefined : one)
const clientOf = (cert: TextSource | undefined, key: TextSource | undefined): KubeAccess['client'] =>
  cert === undefined || key === undefined ? undefined : { cert, key }
