// A city that says something about everything: each field of the schema has a value here, save where two exclude each other.
import { apiVersion, kind, type WrittenCityPresence } from '../core/city-presence.ts'

const secret = (name: string) => ({ name: `citypresence-${name}`, key: 'some.key' })
const pods = {
  resources: {
    requests: { cpu: '100m', memory: '64Mi', 'ephemeral-storage': '10Mi' },
    limits: { cpu: 1, memory: '256Mi', 'ephemeral-storage': '100Mi' },
  },
  nodeSelector: { 'kubernetes.io/os': 'linux' },
  tolerations: [{ key: 'dedicated', operator: 'Equal', value: 'city', effect: 'NoExecute', tolerationSeconds: 60 }],
  affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [] } },
  podAnnotations: { 'example.org/team': 'city' },
  podLabels: { team: 'city' },
} as const

export const fullCity: WrittenCityPresence = {
  apiVersion,
  kind,
  metadata: { name: 'full' },
  spec: {
    managementState: 'Managed',
    matrix: {
      homeserverURL: 'https://matrix.example.org:8448/',
      transport: 'RequireTLS',
      userID: '@presence_daemon:example.org',
      accessTokenSecretRef: secret('matrix'),
      caSecretRef: secret('matrix-ca'),
    },
    rooms: {
      http: {
        url: 'http://city-service.city.svc:7001/internal/city/rooms',
        refreshPeriodSeconds: 60,
        bearerTokenSecretRef: secret('internal'),
        caSecretRef: secret('internal-ca'),
      },
    },
    nats: {
      servers: ['tls://nats-0.nats.svc:4222', 'tls://nats-1.nats.svc:4222'],
      credentialsSecretRef: secret('nats'),
      gateway: { credentialsSecretRef: secret('nats-gateway') },
      tls: { caSecretRef: secret('nats-ca'), clientCertificateSecretName: 'citypresence-nats-tls', handshake: 'First' },
      stream: { name: 'CITY', subjectPrefix: 'city.presence', storage: 'File', replicas: 3 },
    },
    publishing: {
      roomMinPeriodMilliseconds: 1000,
      offlineGraceSeconds: 20,
      staleAfterSeconds: 60,
      activity: 'Disabled',
      activeWindowSeconds: 60,
      userEvents: 'Enabled',
    },
    aggregator: {
      replicas: 3,
      standby: 'Waits',
      leaderElection: { leaseDurationSeconds: 15, renewDeadlineSeconds: 10, retryPeriodSeconds: 2 },
      ...pods,
    },
    gateway: {
      replicas: 3,
      autoscaling: {
        minReplicas: 3,
        maxReplicas: 30,
        targetConnectionsPerReplica: 4000,
        targetCPUUtilizationPercent: 60,
        scaleDownStabilizationWindowSeconds: 300,
      },
      auth: {
        jwks: { url: 'https://id.example.org/.well-known/jwks.json', caSecretRef: secret('id-ca') },
        issuer: 'https://id.example.org',
        audiences: ['city', 'town'],
        maxTokenAgeSeconds: 3600,
        revokedSecretRef: secret('revoked'),
        algorithms: ['ES256', 'RS256'],
      },
      allowedOrigins: ['https://app.example.org', 'http://localhost:5173'],
      trustedProxies: ['10.0.0.0/8', '2001:db8::/32'],
      limits: { connectionsPerReplica: 5000, connectionsPerAddress: 50, connectionsPerUser: 10 },
      drain: { preStopSleepSeconds: 5, closePeriodSeconds: 30 },
      page: 'Enabled',
      exposure: {
        httpRoute: {
          parentRefs: [{ name: 'public', namespace: 'gateways', sectionName: 'https' }],
          hostnames: ['rt.example.org', '*.example.net'],
        },
      },
      ...pods,
    },
    observability: {
      metrics: { monitor: 'PodMonitor', labels: { release: 'kube-prometheus-stack' } },
      rules: 'Enabled',
      dashboards: 'Enabled',
      tracing: { otlpEndpoint: 'http://otel-collector.observability.svc:4318', samplingPercent: 10 },
      logLevel: 'Debug',
    },
    networkPolicy: 'Managed',
  },
}

/** The same by the other way, wherever there are two. */
export const otherCity: WrittenCityPresence = {
  ...fullCity,
  metadata: { name: 'other' },
  spec: {
    ...fullCity.spec,
    rooms: {
      inline: [
        { slug: 'energy', matrixRoomID: '!abc:example.org', matrixRoomAlias: '#energy:example.org' },
        { slug: 'the_2-nd', matrixRoomAlias: '#second:example.org' },
      ],
    },
    nats: {
      servers: ['nats://nats:4222'],
      userPasswordSecretRef: { name: 'citypresence-nats', userKey: 'user', passwordKey: 'password' },
      gateway: {
        userPasswordSecretRef: { name: 'citypresence-nats-gateway', userKey: 'user', passwordKey: 'password' },
      },
    },
    gateway: {
      replicas: 4,
      auth: { jwtSecretRef: secret('jwt'), algorithms: ['HS256'] },
      allowedOrigins: ['*'],
      exposure: {
        ingress: {
          className: 'nginx',
          host: 'rt.example.org',
          tlsSecretName: 'rt-tls',
          annotations: { 'example.org/timeout': '3600' },
        },
      },
    },
  },
}

/** And by the ways that are left. */
export const thirdCity: WrittenCityPresence = {
  ...otherCity,
  metadata: { name: 'third' },
  spec: {
    ...otherCity.spec,
    matrix: { ...otherCity.spec.matrix, homeserverURL: 'http://synapse.matrix.svc:8008', transport: 'AllowPlaintext' },
    nats: {
      servers: ['nats://nats:4222'],
      nkeySeedSecretRef: secret('nats'),
      gateway: { tokenSecretRef: secret('nats-gateway') },
    },
  },
}

export const fourthCity: WrittenCityPresence = {
  ...otherCity,
  metadata: { name: 'fourth' },
  spec: {
    ...otherCity.spec,
    nats: {
      servers: ['nats://nats:4222'],
      tokenSecretRef: secret('nats'),
      gateway: { nkeySeedSecretRef: secret('nats-gateway') },
    },
  },
}
