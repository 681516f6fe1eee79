// The spec as settings of the services (docs/SETTINGS.md): every field ends here, in a file (secrets.ts) or in an object.
//
//   spec -> settingsOf -> ConfigMap -> environment of the pods; another text is another fingerprint, and so a rollout
//        -> roomsFile  -> ConfigMap -> a file that is watched: rooms come and go without one
import type { CityPresence, CitySpec } from '../city-presence.ts'
import type { KubeObject } from '../kube-object.ts'
import { childOf, nameOf, type Component } from './metadata.ts'
import { pathOf, secretFiles } from './secrets.ts'

type Settings = Readonly<Record<string, string>>

export const ports = { socket: 7001, aggregatorAdmin: 9090, gatewayAdmin: 9091 } as const

export const roomsFolder = '/etc/citypresence/rooms'
const roomsFileName = 'rooms.json'

export function settingsOf(city: CityPresence, component: Component): Settings {
  const own = component === 'aggregator' ? aggregatorSettings(city) : gatewaySettings(city.spec)
  const files = secretFiles(city).filter((file) => file.component === component)
  return {
    ...sharedSettings(city.spec),
    ...own,
    ...Object.fromEntries(files.map((file) => [file.setting, pathOf(file)])),
  }
}

function sharedSettings({ nats, observability: { logLevel, tracing } }: CitySpec): Settings {
  return {
    LOG_LEVEL: logLevel.toLowerCase(),
    NATS_URL: nats.servers.join(','),
    SUBJECT_PREFIX: nats.stream.subjectPrefix,
    STREAM_NAME: nats.stream.name,
    ...(nats.tls !== undefined && { NATS_TLS_HANDSHAKE: nats.tls.handshake.toLowerCase() }),
    ...(tracing !== undefined && {
      OTEL_EXPORTER_OTLP_ENDPOINT: tracing.otlpEndpoint,
      TRACE_SAMPLE_RATIO: String(tracing.samplingPercent / 100),
    }),
  }
}

function aggregatorSettings({ metadata, spec }: CityPresence): Settings {
  const { matrix, nats, publishing, aggregator } = spec
  const { leaseDurationSeconds, renewDeadlineSeconds, retryPeriodSeconds } = aggregator.leaderElection
  return {
    ADMIN_PORT: String(ports.aggregatorAdmin),
    MATRIX_HS_URL: matrix.homeserverURL,
    MATRIX_USER_ID: matrix.userID,
    ...roomSettings(spec.rooms),
    // Of all cities on one NATS only this one may take the stream, whatever they are called.
    CITY_ID: metadata.uid,
    CITY_PRESENCE_NAME: metadata.name,
    USER_STREAM_NAME: `${nats.stream.name}_USERS`,
    STREAM_REPLICAS: String(nats.stream.replicas),
    STREAM_STORAGE: nats.stream.storage.toLowerCase(),
    ROOM_PRESENCE_THROTTLE_MS: String(publishing.roomMinPeriodMilliseconds),
    OFFLINE_GRACE_MS: milliseconds(publishing.offlineGraceSeconds),
    STALE_AFTER_MS: milliseconds(publishing.staleAfterSeconds),
    ACTIVE_WINDOW_MS: milliseconds(publishing.activeWindowSeconds),
    ACTIVITY: onOff(publishing.activity),
    USER_EVENTS: onOff(publishing.userEvents),
    LEADER_ELECTION: 'kubernetes',
    STANDBY: aggregator.standby.toLowerCase(),
    LEASE_NAME: `${metadata.name}-aggregator`,
    LEASE_DURATION_MS: milliseconds(leaseDurationSeconds),
    LEASE_RENEW_DEADLINE_MS: milliseconds(renewDeadlineSeconds),
    LEASE_RETRY_PERIOD_MS: milliseconds(retryPeriodSeconds),
  }
}

function roomSettings({ http }: CitySpec['rooms']): Settings {
  if (http === undefined) return { ROOM_DIRECTORY_FILE: `${roomsFolder}/${roomsFileName}` }
  return {
    // With a path it is the list itself, without one the service is asked where it always is.
    CITY_SERVICE_INTERNAL_URL: http.url,
    ROOM_REFRESH_INTERVAL_MS: milliseconds(http.refreshPeriodSeconds),
  }
}

function gatewaySettings({ gateway }: CitySpec): Settings {
  const { auth, allowedOrigins, trustedProxies, limits, drain, page } = gateway
  return {
    PORT: String(ports.socket),
    ADMIN_PORT: String(ports.gatewayAdmin),
    ...(auth.jwks !== undefined && { JWKS_URL: auth.jwks.url }),
    ...(auth.issuer !== undefined && { JWT_ISSUER: auth.issuer }),
    ...(auth.audiences !== undefined && { JWT_AUDIENCE: auth.audiences.join(',') }),
    ...(auth.algorithms !== undefined && { JWT_ALGORITHMS: auth.algorithms.join(',') }),
    ALLOWED_ORIGINS: allowedOrigins.join(','),
    ...(auth.maxTokenAgeSeconds !== undefined && { TOKEN_AGE_MAX_S: String(auth.maxTokenAgeSeconds) }),
    TRUSTED_PROXIES: trustedProxies.join(','),
    CONNECTIONS_MAX: String(limits.connectionsPerReplica),
    CONNECTIONS_PER_ADDRESS_MAX: String(limits.connectionsPerAddress),
    CONNECTIONS_PER_SUBJECT_MAX: String(limits.connectionsPerUser),
    DRAIN_MS: milliseconds(drain.closePeriodSeconds),
    PAGE: onOff(page),
  }
}

const milliseconds = (seconds: number): string => String(seconds * 1_000)
const onOff = (word: 'Enabled' | 'Disabled'): string => (word === 'Enabled' ? 'on' : 'off')

export const settingsMap = (city: CityPresence, component: Component): KubeObject =>
  childOf(city, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    name: nameOf(city, component),
    component,
    data: settingsOf(city, component),
  })

/** In the shape that the city service answers with. */
export function roomsMap(city: CityPresence): KubeObject | undefined {
  const { inline } = city.spec.rooms
  if (inline === undefined) return undefined
  const rooms = inline.map(({ slug, matrixRoomID: id, matrixRoomAlias: alias }) => ({
    slug,
    ...(id !== undefined && { matrix_room_id: id }),
    ...(alias !== undefined && { matrix_room_alias: alias }),
  }))
  return childOf(city, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    name: nameOf(city, 'rooms'),
    component: 'aggregator',
    data: { [roomsFileName]: `${JSON.stringify({ rooms }, undefined, 1)}\n` },
  })
}
