// What all pods have in common: nobody in them is root, nothing can be written, nothing can be gained (the restricted profile of
// Kubernetes); they are spread over zones and nodes; secrets are files of single keys.
import type { CityPresence, PodSettings } from '../city-presence.ts'
import { fingerprint } from '../fingerprint.ts'
import type { Context } from './context.ts'
import { nameOf, selectorOf, settingsAnnotation, type Component } from './metadata.ts'
import { folderOf, secretFiles, volumeOf } from './secrets.ts'
import { roomsFolder, settingsOf } from './settings.ts'

export type PodDraft = {
  readonly component: Component
  readonly image: string
  readonly settings: PodSettings
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[]
  /** Whether it speaks to the API of Kubernetes. */
  readonly hasToken: boolean
  readonly graceSeconds: number
  /** It goes on for so long after it was told to end, while the way to it is taken down. */
  readonly preStopSleepSeconds: number
}

// nobody of the images; any number above 0 would do, for they hold nothing that belongs to anybody.
const user = 65_532

export function podTemplate(city: CityPresence, context: Context, draft: PodDraft) {
  const { component, settings } = draft
  return {
    metadata: {
      labels: { ...settings.podLabels, ...selectorOf(city, component) },
      annotations: {
        ...settings.podAnnotations,
        // Read at the start only: other settings are other pods. Secrets and rooms are read again, and are not in it.
        [settingsAnnotation]: fingerprint(settingsOf(city, component)),
      },
    },
    spec: {
      serviceAccountName: nameOf(city, component),
      automountServiceAccountToken: draft.hasToken,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: draft.graceSeconds,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: user,
        runAsGroup: user,
        // Mounted files belong to this group.
        fsGroup: user,
        seccompProfile: { type: 'RuntimeDefault' },
      },
      ...(context.imagePullSecrets.length > 0 && {
        imagePullSecrets: context.imagePullSecrets.map((name) => ({ name })),
      }),
      ...(settings.nodeSelector && { nodeSelector: settings.nodeSelector }),
      ...(settings.tolerations && { tolerations: settings.tolerations }),
      ...(settings.affinity && { affinity: settings.affinity }),
      topologySpreadConstraints: ['topology.kubernetes.io/zone', 'kubernetes.io/hostname'].map((topologyKey) => ({
        maxSkew: 1,
        topologyKey,
        // Better two on one node than one alone.
        whenUnsatisfiable: 'ScheduleAnyway',
        labelSelector: { matchLabels: selectorOf(city, component) },
      })),
      containers: [container(city, context, draft)],
      volumes: volumesOf(city, component).map(({ volume }) => volume),
    },
  }
}

function container(city: CityPresence, context: Context, draft: PodDraft) {
  const { component, settings, preStopSleepSeconds: sleepSeconds } = draft
  return {
    name: component,
    image: draft.image,
    imagePullPolicy: context.imagePullPolicy,
    envFrom: [{ configMapRef: { name: nameOf(city, component) } }],
    env: [
      { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      ...(component === 'aggregator'
        ? [
            { name: 'POD_NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
            { name: 'POD_UID', valueFrom: { fieldRef: { fieldPath: 'metadata.uid' } } },
          ]
        : []),
    ],
    ports: draft.ports.map((port) => ({ ...port, protocol: 'TCP' })),
    resources: resourcesOf(settings),
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
    // Ten seconds of an event loop that stands still are a fault of the process; not to be ready is no reason to end it.
    livenessProbe: {
      httpGet: { path: '/healthz', port: 'admin' },
      periodSeconds: 10,
      timeoutSeconds: 5,
      failureThreshold: 6,
    },
    readinessProbe: {
      httpGet: { path: '/readyz', port: 'admin' },
      periodSeconds: 5,
      timeoutSeconds: 3,
      failureThreshold: 2,
    },
    ...(sleepSeconds > 0 && { lifecycle: { preStop: { sleep: { seconds: sleepSeconds } } } }),
    volumeMounts: volumesOf(city, component).map(({ mount }) => mount),
  }
}

// What a city of some thousand people takes; more is asked for in the spec. Without any the autoscaler could not reckon.
const requestsDefault = { cpu: '100m', memory: '128Mi' }

const resourcesOf = ({ resources }: PodSettings) => ({
  requests: { ...requestsDefault, ...resources?.requests },
  ...(resources?.limits && { limits: resources.limits }),
})

function volumesOf(city: CityPresence, component: Component) {
  const secrets = secretFiles(city)
    .filter((file) => file.component === component)
    .map((file) => ({
      volume: {
        name: volumeOf(file),
        // The one key that is meant, readable by the group of the pod alone.
        secret: { secretName: file.secret, defaultMode: 0o440, items: [{ key: file.key, path: 'value' }] },
      },
      // A folder, never a single file in it: single files are not replaced when the Secret changes.
      mount: { name: volumeOf(file), mountPath: folderOf(file), readOnly: true },
    }))
  if (component === 'gateway' || city.spec.rooms.inline === undefined) return secrets
  const rooms = {
    volume: { name: 'rooms', configMap: { name: nameOf(city, 'rooms'), defaultMode: 0o444 } },
    mount: { name: 'rooms', mountPath: roomsFolder, readOnly: true },
  }
  return [...secrets, rooms]
}
