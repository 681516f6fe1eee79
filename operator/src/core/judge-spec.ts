// What of a spec no schema can judge: which hosts this operator lets a city ask, rooms that are one room, Secrets that were not made
// for a city, and what is allowed but risky. Each finding is a reason and a sentence that names the field.
import type { CityPresence, CitySpec } from './city-presence.ts'
import type { ReasonOf } from './conditions.ts'
import type { Context } from './desired-objects/context.ts'
import { secretFiles } from './desired-objects/secrets.ts'

export type Finding<R> = { readonly reason: R; readonly message: string }

/** Why the operator carries nothing of it out; undefined where it may. */
export const whyNotAccepted = (city: CityPresence, context: Context): Finding<ReasonOf<'Accepted'>> | undefined =>
  foreignHost(city.spec, context) ?? repeatedRoom(city.spec)

/**
 * Who may write a city and not read Secrets must not have one sent to a host of their own: the operator's settings say which hosts
 * may be asked, and the names of Secrets which of them are for cities.
 */
function foreignHost(spec: CitySpec, { allowedHosts }: Context): Finding<'HostNotAllowed'> | undefined {
  if (allowedHosts === undefined) return undefined
  const asked: readonly (readonly [string, string | undefined])[] = [
    ['spec.matrix.homeserverURL', spec.matrix.homeserverURL],
    ['spec.rooms.http.url', spec.rooms.http?.url],
    ...spec.nats.servers.map((server) => ['spec.nats.servers', server] as const),
    ['spec.gateway.auth.jwks.url', spec.gateway.auth.jwks?.url],
    ['spec.observability.tracing.otlpEndpoint', spec.observability.tracing?.otlpEndpoint],
  ]
  for (const [field, address] of asked) {
    const host = address === undefined ? undefined : hostOf(address)
    if (address !== undefined && (host === undefined || !allowedHosts.some((one) => isBelow(host, one))))
      return {
        reason: 'HostNotAllowed',
        message: `${field}: ${host ?? 'this'} is no host that this operator lets a city ask`,
      }
  }
  return undefined
}

const hostOf = (address: string): string | undefined =>
  URL.canParse(address) ? new URL(address).hostname.toLowerCase() : undefined

/** `.example.org` stands for every host below it. */
const isBelow = (host: string, allowed: string): boolean =>
  allowed.startsWith('.') ? host.endsWith(allowed) : host === allowed

function repeatedRoom({ rooms }: CitySpec): Finding<'RoomsRepeated'> | undefined {
  const seen = new Map<string, string>()
  for (const { slug, matrixRoomID, matrixRoomAlias } of rooms.inline ?? [])
    for (const room of [matrixRoomID, matrixRoomAlias]) {
      if (room === undefined) continue
      const other = seen.get(room)
      if (other !== undefined)
        return { reason: 'RoomsRepeated', message: `spec.rooms.inline: ${other} and ${slug} are both ${room}` }
      seen.set(room, slug)
    }
  return undefined
}

/** What every Secret for a city has in its name. */
const secretMark = 'citypresence'

export function unmarkedSecret(
  city: CityPresence,
  { secretNames }: Context,
): Finding<'SecretNameUnmarked'> | undefined {
  if (secretNames === 'any') return undefined
  const unmarked = secretFiles(city).find(({ secret }) => !secret.includes(secretMark))
  if (unmarked === undefined) return undefined
  const { field, secret } = unmarked
  return {
    reason: 'SecretNameUnmarked',
    message: `${field}: the name of the Secret ${secret} does not contain "${secretMark}"`,
  }
}

/** What is risky, in sentences. */
export function risksOf({ spec }: CityPresence, { cluster }: Context): readonly string[] {
  const { matrix, nats, aggregator, gateway, observability } = spec
  const risks: (readonly [boolean, string])[] = [
    [
      matrix.transport === 'AllowPlaintext',
      'spec.matrix.transport: whoever listens in between has the token of the daemon',
    ],
    [aggregator.replicas === 1, 'spec.aggregator.replicas: with one nobody stands by'],
    [
      nats.gateway === undefined,
      'spec.nats.gateway: gateways share the account of the aggregator and could write counts',
    ],
    [nats.servers.length > 1 && nats.stream.replicas === 1, 'spec.nats.stream.replicas: one copy on several servers'],
    [gateway.allowedOrigins.includes('*'), 'spec.gateway.allowedOrigins: any page may connect'],
    [
      gateway.exposure?.ingress !== undefined && gateway.exposure.ingress.tlsSecretName === undefined,
      'spec.gateway.exposure.ingress.tlsSecretName: tokens travel without TLS, unless something before the Ingress has it',
    ],
    [
      gateway.autoscaling !== undefined && !cluster.customMetrics,
      'spec.gateway.autoscaling: the cluster serves no custom metrics, so processor time alone decides',
    ],
    [
      observability.metrics.monitor === 'PodMonitor' && !cluster.podMonitor,
      'spec.observability.metrics.monitor: the cluster does not know PodMonitor',
    ],
    [
      observability.rules === 'Enabled' && !cluster.prometheusRule,
      'spec.observability.rules: the cluster does not know PrometheusRule',
    ],
  ]
  return risks.filter(([isSo]) => isSo).map(([, sentence]) => sentence)
}
