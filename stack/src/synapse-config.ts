// Synapse's homeserver.yaml and its log configuration. JSON is YAML, so both are plain objects. Limits are lifted, because
// forty residents from one address would meet every one of them; password hashing is cheap, because nobody is protected here.
import { randomBytes } from 'node:crypto'

export type SynapseSettings = {
  serverName: string
  presenceEnabled: boolean
  /** Synapse's own timers, e.g. { last_active_granularity: '1s', sync_online_timeout: '1s', idle_timeout: '2s' }. */
  presenceTimers: Readonly<Record<string, string>>
  logLevel: 'DEBUG' | 'INFO' | 'WARNING'
  /** Merged over everything else at the top level: for tests that need a limit back or an experimental feature. */
  extra: Readonly<Record<string, unknown>>
}

export type SynapsePlaces = { folder: string; port: number; registrationSecret: string }

const unlimited = { per_second: 1000, burst_count: 1000 }

export function synapseConfig(settings: SynapseSettings, places: SynapsePlaces): Record<string, unknown> {
  return {
    server_name: settings.serverName,
    report_stats: false,
    trusted_key_servers: [],
    federation_domain_whitelist: [],
    registration_shared_secret: places.registrationSecret,
    signing_key_path: `${places.folder}/signing.key`,
    media_store_path: `${places.folder}/media`,
    log_config: `${places.folder}/log.yaml`,
    database: { name: 'sqlite3', args: { database: `${places.folder}/hs.db` } },
    listeners: [
      {
        port: places.port,
        bind_addresses: ['127.0.0.1'],
        type: 'http',
        tls: false,
        resources: [{ names: ['client'] }],
      },
    ],
    presence: { enabled: settings.presenceEnabled, ...settings.presenceTimers },
    bcrypt_rounds: 4, // 0.02 s a registration instead of half a second
    ...unlimitedRates(),
    ...settings.extra,
  }
}

function unlimitedRates(): Record<string, unknown> {
  return {
    rc_message: unlimited,
    rc_registration: unlimited,
    rc_login: { address: unlimited, account: unlimited, failed_attempts: unlimited },
    rc_joins: { local: unlimited, remote: unlimited },
    rc_joins_per_room: unlimited,
    rc_invites: { per_room: unlimited, per_user: unlimited, per_issuer: unlimited },
    rc_room_creation: unlimited,
    rc_presence: { per_user: unlimited },
    rc_admin_redaction: unlimited,
  }
}

export function synapseLogConfig(level: SynapseSettings['logLevel']): Record<string, unknown> {
  return {
    version: 1,
    formatters: { line: { format: '%(asctime)s %(levelname)s %(name)s - %(message)s' } },
    handlers: { console: { class: 'logging.StreamHandler', formatter: 'line' } },
    root: { level, handlers: ['console'] },
    disable_existing_loggers: false,
  }
}

/** A server's signing key as Synapse keeps it: algorithm, version, 32 bytes without padding. */
export function newSigningKey(): string {
  return `ed25519 a_city ${randomBytes(32).toString('base64').replace(/=+$/, '')}\n`
}
