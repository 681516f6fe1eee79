// A service's connection to NATS as one of its parts: waited for, told to its readiness, closed at the stop; and the end of the
// service where the connection is closed for good.
import type { Logger } from './log.ts'
import { connectNats, type NatsConnection } from './edge/nats-connect.ts'
import { CityError } from './errors.ts'
import type { Parts } from './lifecycle.ts'
import type { NatsHealth } from './nats-health.ts'
import { natsTarget, type NatsConfig } from './nats-settings.ts'

export type ServiceNatsOptions = {
  readonly service: string
  readonly config: NatsConfig & { readonly podName: string | undefined; readonly natsInboxPrefix: string }
  readonly health: NatsHealth
  readonly log: Logger
}

export async function startServiceNats(parts: Parts, options: ServiceNatsOptions): Promise<NatsConnection> {
  const { service, config, health, log } = options
  const connection = await parts.start(
    'nats',
    (signal) =>
      connectNats({
        ...natsTarget(config),
        name: `${service} ${config.podName ?? ''}`.trim(),
        inboxPrefix: config.natsInboxPrefix,
        log,
        signal,
        onError: (error) => health.onError(error),
        onStatus: (status) => health.onStatus(status),
      }),
    { stop: (nats) => nats.close() },
  )
  health.connected()
  void connection.closed().then((error) => {
    parts.end(error ?? new CityError('NatsClosed', 'the NATS connection was closed'))
  })
  return connection
}
