// Which account the server put a connection in. nats-server says so in the INFO that answers our CONNECT; the client's types do
// not know the field yet, and a server that leaves it out tells nothing.
import type { NatsConnection } from '@nats-io/transport-node'

export function accountOf({ info }: Pick<NatsConnection, 'info'>): string | undefined {
  const account: unknown = (info as { readonly remote_account?: unknown } | undefined)?.remote_account
  return typeof account === 'string' && account !== '' ? account : undefined
}
