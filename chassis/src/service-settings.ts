// The settings every service has. A service spreads them into its own table.
import { decode, type SettingsTable } from './config.ts'
import { logLevels } from './log.ts'

export const serviceSettings = {
  logLevel: {
    env: 'LOG_LEVEL',
    decode: decode.oneOf(...logLevels),
    default: 'info',
    help: 'The least level of log lines that is written.',
  },
  adminPort: {
    env: 'ADMIN_PORT',
    decode: decode.integer({ min: 0, max: 65_535 }),
    default: 9090,
    help: 'Port of /healthz, /readyz and /metrics; 0 picks a free one.',
  },
  adminHost: {
    env: 'ADMIN_HOST',
    decode: decode.nonEmpty,
    default: '0.0.0.0',
    help: 'Address the admin port listens on.',
  },
  podName: { env: 'POD_NAME', decode: decode.nonEmpty, optional: true, help: 'Name of the pod, for log lines.' },
  otlpEndpoint: {
    env: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    decode: decode.url('http:', 'https:'),
    optional: true,
    help: 'OTLP collector (http/protobuf) that gets the traces; without it nothing of OpenTelemetry is loaded.',
  },
  traceSampleRatio: {
    env: 'TRACE_SAMPLE_RATIO',
    decode: decode.ratio,
    default: 0.01,
    help: 'Share of traces that are sampled, 0 to 1.',
  },
  stopDeadlineMs: {
    env: 'STOP_DEADLINE_MS',
    decode: decode.integer({ min: 100, max: 600_000 }),
    default: 10_000,
    help: 'How long each part may take to drain, and to stop.',
  },
} as const satisfies SettingsTable
