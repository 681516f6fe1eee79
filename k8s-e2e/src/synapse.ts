// A Synapse in the cluster: the image of ours, its settings as a Secret, its database in memory of the pod's life. It lies on the node that
// no test takes away, and a NodePort lets the residents in, who live outside.
import { randomBytes } from 'node:crypto'
import { newSigningKey, synapseConfig, synapseLogConfig } from '@citypresence/stack/synapse-config'
import { serverName } from '@citypresence/stack/city-fixture'
import type { KubeThing } from './kube.ts'

export const synapseName = 'synapse'
const port = 8008
const folder = '/data'
const settingsFolder = '/etc/synapse'

// Whoever was told to be online stays so: residents of these tests hold no long poll.
const stays = { sync_online_timeout: '1d', idle_timeout: '1d' }

/** Nobody may be root in the namespace of a city, and nothing may be gained. */
const podSecurity = {
  runAsNonRoot: true,
  runAsUser: 65_532,
  fsGroup: 65_532,
  seccompProfile: { type: 'RuntimeDefault' },
}
const containerSecurity = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
}

type SynapseInCluster = { readonly objects: readonly KubeThing[]; readonly registrationSecret: string }

export function synapseObjects(image: string, node: string): SynapseInCluster {
  const registrationSecret = randomBytes(16).toString('hex')
  const settings = { serverName, presenceEnabled: true, presenceTimers: stays, logLevel: 'WARNING', extra: {} } as const
  const config = {
    ...synapseConfig(settings, { folder, port, registrationSecret }),
    log_config: `${settingsFolder}/log.yaml`,
    signing_key_path: `${settingsFolder}/signing.key`,
    listeners: [{ port, bind_addresses: ['0.0.0.0'], type: 'http', tls: false, resources: [{ names: ['client'] }] }],
  }
  const labels = { app: synapseName }
  const secret: KubeThing = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: synapseName },
    stringData: {
      'homeserver.yaml': JSON.stringify(config),
      'log.yaml': JSON.stringify(synapseLogConfig('WARNING')),
      'signing.key': newSigningKey(),
    },
  }
  const deployment: KubeThing = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: synapseName },
    spec: {
      replicas: 1,
      strategy: { type: 'Recreate' },
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          nodeSelector: { 'kubernetes.io/hostname': node },
          tolerations: [{ operator: 'Exists' }],
          automountServiceAccountToken: false,
          securityContext: podSecurity,
          containers: [
            {
              name: synapseName,
              image,
              args: ['--config-path', `${settingsFolder}/homeserver.yaml`],
              workingDir: folder,
              ports: [{ containerPort: port, name: 'http' }],
              readinessProbe: { httpGet: { path: '/_matrix/client/versions', port: 'http' }, periodSeconds: 2 },
              resources: { requests: { cpu: '100m', memory: '128Mi' } },
              securityContext: containerSecurity,
              volumeMounts: [
                { name: 'settings', mountPath: settingsFolder, readOnly: true },
                { name: 'data', mountPath: folder },
                { name: 'tmp', mountPath: '/tmp' },
              ],
            },
          ],
          volumes: [
            { name: 'settings', secret: { secretName: synapseName } },
            { name: 'data', emptyDir: {} },
            { name: 'tmp', emptyDir: {} },
          ],
        },
      },
    },
  }
  return { objects: [secret, deployment, nodePort(synapseName, labels, 'http', port)], registrationSecret }
}

/** A way in from outside that stands on the node itself. `kubectl port-forward` would go down with the pod it happened to choose. */
export const nodePort = (
  name: string,
  selector: Readonly<Record<string, string>>,
  targetPort: string,
  port: number,
): KubeThing => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { type: 'NodePort', selector, ports: [{ name: 'http', port, targetPort }] },
})
