// The hand of an administrator at NATS: asks its API, changes or deletes the stream, looks where everybody is connected.
import { connect } from '@nats-io/transport-node'
import type { NatsServer } from '@citypresence/stack/nats-server'
import type { Stage } from '../stage.ts'

export const streamName = 'CITY_PRESENCE'

export async function asAdmin<T>(stage: Stage, subject: string, body: unknown = {}): Promise<T> {
  const { nats, cluster } = stage
  const connection = await connect({ servers: (cluster?.url ?? nats.url).split(','), ...nats.admin, timeout: 5_000 })
  try {
    const answer = await connection.request(subject, JSON.stringify(body), { timeout: 5_000 })
    const { error, ...rest } = answer.json<T & { error?: { description: string } }>()
    if (error !== undefined) throw new Error(`${subject}: ${error.description}`)
    return rest as T
  } finally {
    await connection.close()
  }
}

type StreamInfo = {
  readonly config: Readonly<Record<string, unknown>>
  readonly cluster?: {
    readonly leader?: string
    readonly replicas?: readonly { name: string; current: boolean; lag?: number }[]
  }
}

export const streamInfo = (stage: Stage): Promise<StreamInfo> => asAdmin(stage, `$JS.API.STREAM.INFO.${streamName}`)

export async function changeStream(stage: Stage, change: Readonly<Record<string, unknown>>): Promise<void> {
  const { config } = await streamInfo(stage)
  await asAdmin(stage, `$JS.API.STREAM.UPDATE.${streamName}`, { ...config, ...change })
}

export const deleteStream = (stage: Stage): Promise<unknown> => asAdmin(stage, `$JS.API.STREAM.DELETE.${streamName}`)

/** The names under which clients are connected to a server. */
export async function clientsOf({ monitorUrl }: NatsServer): Promise<readonly string[]> {
  const answer = await fetch(`${monitorUrl}/connz`, { signal: AbortSignal.timeout(2_000) })
  const { connections } = (await answer.json()) as { connections: { name?: string }[] }
  return connections.map(({ name }) => name ?? '')
}
