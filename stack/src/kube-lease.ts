// What somebody else makes before an aggregator starts (later the operator): its Lease, its service account, and a Role with
// exactly the rights it has there. Here the harness makes them, on a real kube-apiserver.
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { KubeAnswer, KubeApiServer } from './kube-apiserver.ts'

export type LeaseHome = {
  readonly namespace: string
  readonly name: string
  /** Of the service account. */
  readonly token: string
  makeLease(spec?: Record<string, unknown>): Promise<KubeAnswer>
  /** Undefined while there is none. */
  readLease(): Promise<LeaseBody | undefined>
  /** Overwrites its spec, whoever holds it. */
  scribble(spec: Record<string, unknown>): Promise<KubeAnswer>
  deleteLease(): Promise<KubeAnswer>
  /** Writes a kubeconfig with the token into a folder; for another port where there is a proxy in between. */
  writeKubeconfig(folder: string, options?: { readonly port?: number; readonly name?: string }): string
  /** Lays a folder out as the kubelet mounts the account in a pod; answers the settings that lead there. */
  mountAccount(folder: string): Record<string, string>
}

export type LeaseBody = { readonly metadata: Record<string, unknown>; readonly spec: Record<string, unknown> }

/** All that an aggregator may do at the API. */
export const aggregatorRules = (leaseName: string) => [
  {
    apiGroups: ['coordination.k8s.io'],
    resources: ['leases'],
    resourceNames: [leaseName],
    verbs: ['get', 'update', 'watch'],
  },
]

let homes = 0

/** A namespace of its own each time, so that tests on one server do not meet. */
export async function makeLeaseHome(server: KubeApiServer, name = 'city-presence'): Promise<LeaseHome> {
  const namespace = `city-${++homes}`
  const account = 'aggregator'
  const rights = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: account }
  await made(server.ask('POST', '/api/v1/namespaces', { metadata: { name: namespace } }))
  await made(server.ask('POST', `/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name: account } }))
  const rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}`
  await made(server.ask('POST', `${rbac}/roles`, { metadata: { name: account }, rules: aggregatorRules(name) }))
  await made(
    server.ask('POST', `${rbac}/rolebindings`, {
      metadata: { name: account },
      roleRef: rights,
      subjects: [{ kind: 'ServiceAccount', name: account, namespace }],
    }),
  )
  const issued = await made(
    server.ask('POST', `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`, {
      // Nobody renews it as a kubelet would, and five hundred failovers take longer than an hour.
      spec: { expirationSeconds: 24 * 3_600 },
    }),
  )
  const token = String((issued.body['status'] as Record<string, unknown>)['token'])
  const leases = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`
  const readLease = async (): Promise<LeaseBody | undefined> => {
    const { status, body } = await server.ask('GET', `${leases}/${name}`)
    return status === 200 ? (body as unknown as LeaseBody) : undefined
  }
  return {
    namespace,
    name,
    token,
    makeLease: (spec = {}) => made(server.ask('POST', leases, { metadata: { name }, spec })),
    readLease,
    async scribble(spec) {
      for (;;) {
        // A Lease is updated under a version only, and its holder may be faster.
        const { metadata } = (await made(server.ask('GET', `${leases}/${name}`))).body
        const answer = await server.ask('PUT', `${leases}/${name}`, { metadata, spec })
        if (answer.status !== 409) return made(Promise.resolve(answer))
      }
    },
    deleteLease: () => made(server.ask('DELETE', `${leases}/${name}`)),
    writeKubeconfig(folder, { port = server.port, name: file = 'config' } = {}) {
      const path = join(folder, `kubeconfig-${namespace}-${file}`)
      const ca = readFileSync(server.caFile).toString('base64')
      const text = JSON.stringify(kubeconfig(`https://127.0.0.1:${port}`, ca, token, namespace), undefined, 2)
      writeFileSync(path, text, { mode: 0o600 })
      return path
    },
    mountAccount(folder) {
      copyFileSync(server.caFile, join(folder, 'ca.crt'))
      writeFileSync(join(folder, 'namespace'), namespace)
      writeFileSync(join(folder, 'token'), token, { mode: 0o600 })
      return {
        SERVICE_ACCOUNT_FOLDER: folder,
        KUBERNETES_SERVICE_HOST: '127.0.0.1',
        KUBERNETES_SERVICE_PORT: String(server.port),
      }
    },
  }
}

const kubeconfig = (server: string, ca: string, token: string, namespace: string) => ({
  apiVersion: 'v1',
  kind: 'Config',
  'current-context': 'city',
  contexts: [{ name: 'city', context: { cluster: 'city', user: 'aggregator', namespace } }],
  clusters: [{ name: 'city', cluster: { server, 'certificate-authority-data': ca } }],
  users: [{ name: 'aggregator', user: { token } }],
})

async function made(asking: Promise<KubeAnswer>): Promise<KubeAnswer> {
  const answer = await asking
  if (answer.status < 300) return answer
  throw new Error(`the API server answered ${answer.status}: ${JSON.stringify(answer.body['message'])}`)
}
