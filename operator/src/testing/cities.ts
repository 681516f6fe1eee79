// Cities for tests: one that has all it needs and no more, and any that the API server would let pass.
import fc from 'fast-check'
import { apiVersion, kind, type CityPresence, type WrittenCityPresence } from '../core/city-presence.ts'
import type { Context } from '../core/desired-objects/context.ts'
import { readCity } from '../core/read-city.ts'
import { readSight } from '../edge/read-sight.ts'

export type WrittenSpec = WrittenCityPresence['spec']

export const smallSpec: WrittenSpec = {
  matrix: {
    homeserverURL: 'https://matrix.city.example',
    userID: '@presence_daemon:city.example',
    accessTokenSecretRef: { name: 'citypresence-matrix' },
  },
  rooms: { http: { url: 'http://city-service:7001' } },
  nats: { servers: ['nats://nats:4222'] },
  gateway: { auth: { jwtSecretRef: { name: 'citypresence-jwt' } } },
}

type Named = {
  readonly name?: string
  readonly namespace?: string
  readonly uid?: string
  readonly generation?: number
}

/** As the API server gives it. */
export function cityOf(spec: WrittenSpec = smallSpec, named: Named = {}): CityPresence {
  const { name = 'daarion', namespace = 'city', uid = '7d1f0f3e-5a52-4c8e-9a41-0d6c1c6e3a11', generation = 1 } = named
  const metadata = { name, namespace, uid, generation, resourceVersion: '1' }
  const read = readCity({ apiVersion, kind, metadata, spec })
  if (!read.ok) throw new Error(read.problem)
  return read.value
}

export const contextOf = (given: Partial<Context> = {}): Context => ({
  images: { aggregator: 'registry.example/aggregator:1', gateway: 'registry.example/gateway:1' },
  imagePullPolicy: 'IfNotPresent',
  imagePullSecrets: [],
  operatorVersion: '0.1.0',
  secretNames: 'marked',
  allowedHosts: undefined,
  apiServerPorts: [443, 6443],
  cluster: { httpRoute: true, podMonitor: true, prometheusRule: true, customMetrics: false },
  sight: readSight(),
  ...given,
})

const host = fc.constantFrom('city.example', 'matrix.city.example', 'a-b.example:8448', '10.0.0.1')
const secret = fc.constantFrom('citypresence-a', 'citypresence-b', 'my-citypresence')
const ref = fc.record({ name: secret, key: fc.constantFrom('key', 'a.b', 'token') }, { requiredKeys: ['name'] })
const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined })
const enabled = fc.constantFrom('Enabled' as const, 'Disabled' as const)

const identity = fc.oneof(
  fc.record({ credentialsSecretRef: ref }),
  fc.record({ nkeySeedSecretRef: ref }),
  fc.record({ tokenSecretRef: ref }),
  fc.record({ userPasswordSecretRef: fc.record({ name: secret }) }),
)

const pod = fc.record(
  {
    resources: fc.record({ requests: fc.record({ cpu: fc.constantFrom('1000m', '0.5', '2') }) }),
    nodeSelector: fc.record({ disk: fc.constantFrom('ssd', 'hdd') }),
    tolerations: fc.constant([{ key: 'spot', operator: 'Exists' as const }]),
    affinity: fc.constant({ nodeAffinity: {} }),
    podAnnotations: fc.record({ 'sidecar.example/inject': fc.constantFrom('true', 'false') }),
    podLabels: fc.record({ team: fc.constantFrom('a', 'b') }),
  },
  { requiredKeys: [] },
)

const httpRooms = fc.record(
  { url: host.map((one) => `http://${one}`), bearerTokenSecretRef: ref, caSecretRef: ref },
  { requiredKeys: ['url'] },
)
const inlineRooms = fc
  .uniqueArray(fc.constantFrom('market', 'energy', 'harbour', 'a_b-1'), { minLength: 1 })
  .map((slugs) =>
    slugs.map((slug, index) =>
      index % 2 === 0 ? { slug, matrixRoomID: `!${slug}` } : { slug, matrixRoomAlias: `#${slug}:city.example` },
    ),
  )

const auth = fc.oneof(
  fc.record({ jwtSecretRef: ref }),
  fc.record({
    jwks: fc.record({ url: host.map((one) => `https://${one}/keys`), caSecretRef: ref }, { requiredKeys: ['url'] }),
    issuer: fc.constant('https://id.city.example'),
    audiences: fc.constant(['city']),
  }),
)

const exposure = fc.oneof(
  fc.record({
    ingress: fc.record(
      { host: fc.constant('rt.city.example'), className: fc.constant('nginx'), tlsSecretName: fc.constant('tls') },
      { requiredKeys: ['host'] },
    ),
  }),
  fc.record({
    httpRoute: fc.constant({ parentRefs: [{ name: 'public', namespace: 'gateways' }], hostnames: ['rt.city.example'] }),
  }),
)

const autoscaling = fc
  .record({ minReplicas: fc.integer({ min: 1, max: 5 }), more: fc.nat(5) })
  .map(({ minReplicas, more }) => ({ minReplicas, maxReplicas: minReplicas + more }))

/** Any spec that the CRD takes, in the parts that decide about objects and settings. */
export const anySpec: fc.Arbitrary<WrittenSpec> = fc
  .record({
    managementState: fc.constantFrom('Managed' as const, 'Managed' as const, 'Managed' as const, 'Unmanaged' as const),
    matrix: fc.record(
      {
        homeserverURL: host.map((one) => `https://${one}`),
        userID: fc.constant('@presence_daemon:city.example'),
        accessTokenSecretRef: ref,
        caSecretRef: ref,
      },
      { requiredKeys: ['homeserverURL', 'userID', 'accessTokenSecretRef'] },
    ),
    rooms: fc.oneof(fc.record({ http: httpRooms }), fc.record({ inline: inlineRooms })),
    natsIdentity: maybe(identity),
    natsGateway: maybe(identity),
    natsTls: maybe(fc.record({ caSecretRef: ref, clientCertificateSecretName: secret }, { requiredKeys: [] })),
    servers: fc.uniqueArray(fc.constantFrom('nats://nats:4222', 'tls://nats.example', 'nats://b'), { minLength: 1 }),
    userEvents: enabled,
    staleAfterSeconds: fc.integer({ min: 35, max: 3600 }),
    aggregator: fc.tuple(fc.integer({ min: 1, max: 5 }), pod).map(([replicas, rest]) => ({ replicas, ...rest })),
    gateway: fc
      .record({
        replicas: fc.integer({ min: 0, max: 6 }),
        auth,
        autoscaling: maybe(autoscaling),
        exposure: maybe(exposure),
        page: enabled,
        allowedOrigins: fc.constantFrom([], ['https://app.city.example', 'http://localhost:3000']),
        drain: fc.record({ preStopSleepSeconds: fc.nat(60), closePeriodSeconds: fc.nat(600) }),
        pod,
      })
      .map(({ pod: rest, ...gateway }) => ({ ...gateway, ...rest })),
    observability: fc.record({
      metrics: fc.record({ monitor: fc.constantFrom('None' as const, 'PodMonitor' as const) }),
      rules: enabled,
      dashboards: enabled,
      tracing: maybe(fc.record({ otlpEndpoint: host.map((one) => `http://${one}:4318`.replace(/(:\d+):\d+$/, '$1')) })),
      logLevel: fc.constantFrom('Info' as const, 'Debug' as const, 'Error' as const),
    }),
    networkPolicy: fc.constantFrom('Managed' as const, 'Disabled' as const),
  })
  .map(({ natsIdentity, natsGateway, natsTls, servers, userEvents, staleAfterSeconds, ...spec }) =>
    withoutUndefined({
      ...spec,
      publishing: { userEvents, staleAfterSeconds },
      nats: { servers, ...natsIdentity, gateway: natsGateway, tls: natsTls },
    }),
  )

/** As JSON: what is undefined is not there. */
const withoutUndefined = (spec: unknown): WrittenSpec => JSON.parse(JSON.stringify(spec)) as WrittenSpec

export const anyCity: fc.Arbitrary<CityPresence> = anySpec.map((spec) => cityOf(spec))
