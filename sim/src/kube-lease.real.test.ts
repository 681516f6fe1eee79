// A real kube-apiserver keeps the contract that the double keeps, with rights checked by its own RBAC.
import { startKubeApiServer } from '@citypresence/stack/kube-apiserver'
import { makeLeaseHome } from '@citypresence/stack/kube-lease'
import { kubeLeaseContract } from './kube-lease.contract.ts'

kubeLeaseContract('a real kube-apiserver', async () => {
  const server = await startKubeApiServer()
  return {
    async next() {
      const home = await makeLeaseHome(server)
      const access = {
        server: server.url,
        namespace: home.namespace,
        ca: { file: server.caFile },
        client: undefined,
        token: { text: home.token },
      }
      return { ...home, access }
    },
    stop: () => server.stop(),
  }
})
