import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { accessByKubeconfig } from '@citypresence/operator/edge/kube-config'
import { makeLeaseHome } from '@citypresence/stack/kube-lease'
import { startKubeApiServer } from '@citypresence/stack/kube-apiserver'
import { kubeApiContract } from './kube-api.contract.ts'

const all = ['get', 'list', 'watch', 'create', 'patch', 'delete']
const rules = [
  { apiGroups: [''], resources: ['configmaps', 'events'], verbs: all },
  { apiGroups: ['apps'], resources: ['deployments', 'deployments/status'], verbs: all },
  { apiGroups: ['monitoring.coreos.com'], resources: ['podmonitors'], verbs: all },
]

kubeApiContract('a real kube-apiserver', async () => {
  const server = await startKubeApiServer()
  const folder = mkdtempSync(join(tmpdir(), 'kube-api-'))
  return {
    async next() {
      const home = await makeLeaseHome(server)
      const { namespace } = home
      await server.ask('PUT', `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/roles/aggregator`, {
        metadata: { name: 'aggregator' },
        rules,
      })
      return {
        access: await accessByKubeconfig(home.writeKubeconfig(folder)),
        namespace,
        scribble: (object) =>
          server.ask('PUT', `/api/v1/namespaces/${namespace}/configmaps/${object.metadata.name}`, object),
        // A server that begins anew knows nothing of what was before.
        async forgottenVersion() {
          await server.restart()
          return '1'
        },
        stop: () => Promise.resolve(),
      }
    },
    async stop() {
      await server.stop()
      rmSync(folder, { recursive: true })
    },
  }
})
