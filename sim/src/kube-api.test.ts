import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { accessByKubeconfig } from '@citypresence/operator/edge/kube-config'
import type { KubeObject } from '@citypresence/operator/core/kube-object'
import { kubeApiContract } from './kube-api.contract.ts'
import { startKubeApiDouble } from './kube-api.ts'
import type { Fields } from './kube-api/apply.ts'
import { writeKubeconfig } from './kube-api/kubeconfig.ts'

kubeApiContract('the double', () => {
  let namespaces = 0
  return Promise.resolve({
    async next() {
      const double = await startKubeApiDouble()
      double.missing.add('podmonitors').add('monitoring.coreos.com')
      const folder = mkdtempSync(join(tmpdir(), 'kube-api-'))
      return {
        access: await accessByKubeconfig(writeKubeconfig(folder, double)),
        namespace: `city-${++namespaces}`,
        scribble(object: KubeObject) {
          const { namespace = '', name } = object.metadata
          return Promise.resolve(
            double.store.write({ plural: 'configmaps', namespace, name }, object as unknown as Fields, 'kubectl'),
          )
        },
        forgottenVersion() {
          const version = String(double.store.version)
          double.store.write({ plural: 'configmaps', namespace: 'x', name: 'x' }, { metadata: {} }, 'kubectl')
          double.store.forget()
          return Promise.resolve(version)
        },
        async stop() {
          await double.stop()
          rmSync(folder, { recursive: true })
        },
      }
    },
    stop: () => Promise.resolve(),
  })
})
