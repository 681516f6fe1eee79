// What every service starts first and stops last, because it is how the others are seen: the admin port, then the traces.
import { startAdminServer, type AdminServerOptions } from './admin-server.ts'
import type { Parts } from './lifecycle.ts'
import { startTelemetry, type Telemetry } from './telemetry.ts'

export type ServiceAdminOptions = Pick<AdminServerOptions, 'metrics' | 'log' | 'role' | 'alive' | 'measure'> & {
  readonly service: string
  readonly config: {
    readonly adminHost: string
    readonly adminPort: number
    readonly otlpEndpoint: string | undefined
    readonly traceSampleRatio: number
  }
  /** Why the service is not ready, beside the reasons of its life. */
  readonly reasons: () => readonly string[]
}

export async function startServiceAdmin(parts: Parts, options: ServiceAdminOptions): Promise<Telemetry> {
  const { service, config, reasons, ...shown } = options
  const { adminHost: host, adminPort: port, otlpEndpoint: endpoint, traceSampleRatio: sampleRatio } = config
  await parts.start('admin', () => startAdminServer({ ...shown, host, port, readiness: parts.readiness(reasons) }), {
    stop: (admin) => admin.stop(),
  })
  return parts.start('telemetry', () => startTelemetry({ service, endpoint, sampleRatio }), {
    stop: (telemetry) => telemetry.stop(),
  })
}
