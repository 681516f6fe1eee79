// The CustomResourceDefinition, made of the fields: what `make crds` prints and the chart installs.
import { cityPresence, group, kind, plural, version } from './city-presence.ts'

type Column = {
  readonly name: string
  readonly type: 'string' | 'integer' | 'date'
  readonly jsonPath: string
  readonly description: string
  /** 1: shown with -o wide. */
  readonly priority?: 1
}

const ofReady = (field: string): string => `.status.conditions[?(@.type=="Ready")].${field}`

/** What `kubectl get cpres` shows. */
export const printerColumns: readonly Column[] = [
  { name: 'Ready', type: 'string', jsonPath: ofReady('status'), description: 'Whether the city counts and shows.' },
  { name: 'Rooms', type: 'integer', jsonPath: '.status.rooms.count', description: 'Rooms that there are.' },
  { name: 'Online', type: 'integer', jsonPath: '.status.rooms.online', description: 'People online, rounded.' },
  {
    name: 'Gateways',
    type: 'integer',
    jsonPath: '.status.gateway.readyReplicas',
    description: 'Gateways that are ready.',
  },
  { name: 'Leader', type: 'string', jsonPath: '.status.aggregator.leader', description: 'The aggregator that leads.' },
  {
    name: 'Age',
    type: 'date',
    jsonPath: '.metadata.creationTimestamp',
    description: 'Since when the object is there.',
  },
  { name: 'Reason', type: 'string', jsonPath: ofReady('reason'), description: 'Why it is ready or not.', priority: 1 },
  {
    name: 'Message',
    type: 'string',
    jsonPath: ofReady('message'),
    description: 'The same in a sentence.',
    priority: 1,
  },
  { name: 'URL', type: 'string', jsonPath: '.status.gateway.url', description: 'Where browsers connect.', priority: 1 },
  {
    name: 'Version',
    type: 'string',
    jsonPath: '.status.operatorVersion',
    description: 'The operator that wrote this.',
    priority: 1,
  },
]

export const crdName = `${plural}.${group}`

export const customResourceDefinition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: crdName },
  spec: {
    group,
    scope: 'Namespaced',
    names: {
      kind,
      listKind: `${kind}List`,
      plural,
      singular: kind.toLowerCase(),
      shortNames: ['cpres'],
      categories: ['citypresence'],
    },
    versions: [
      {
        name: version,
        served: true,
        storage: true,
        additionalPrinterColumns: printerColumns,
        subresources: {
          status: {},
          scale: {
            specReplicasPath: '.spec.gateway.replicas',
            statusReplicasPath: '.status.gateway.replicas',
            labelSelectorPath: '.status.gateway.selector',
          },
        },
        schema: { openAPIV3Schema: cityPresence.openapi },
      },
    ],
  },
} as const
