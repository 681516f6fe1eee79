// A leader reduced to what the gateway's tests need: makes the stream, claims, publishes rooms and beats. Unfenced on purpose, so
// that a test can also write what a real leader never would.
import { connect, headers, type NatsConnection } from '@nats-io/transport-node'
import type { NatsServer } from '@citypresence/stack/nats-server'

const prefix = 'city.presence'

const stream = () => ({
  name: 'CITY_PRESENCE',
  subjects: [`ingest.${prefix}.room.>`, `ingest.${prefix}.epoch`, `ingest.${prefix}.beat`],
  subject_transform: { src: `ingest.${prefix}.>`, dest: `${prefix}.>` },
  republish: { src: `${prefix}.>`, dest: `${prefix}.>` },
  retention: 'limits',
  storage: 'file',
  num_replicas: 1,
  max_msgs_per_subject: 1,
  max_msgs: -1,
  max_bytes: -1,
  max_age: 0,
  discard: 'new',
  first_seq: Date.now() * 1000,
  allow_direct: true,
  allow_atomic: true,
  allow_msg_ttl: true,
  deny_delete: true,
  deny_purge: true,
})

export type LittleLeader = Awaited<ReturnType<typeof startLittleLeader>>

export async function startLittleLeader(nats: NatsServer) {
  const { user, pass } = nats.admin
  const connection: NatsConnection = await connect({ servers: nats.url, user, pass, maxReconnectAttempts: -1 })
  await request(connection, '$JS.API.STREAM.CREATE.CITY_PRESENCE', stream())
  let voice = '0.0'
  const publish = async (subject: string, body: unknown, epoch: string | undefined): Promise<number> => {
    const fields = headers()
    if (epoch !== undefined) fields.set('Presence-Epoch', epoch)
    const answer = await connection.request(`ingest.${prefix}.${subject}`, JSON.stringify(body), {
      headers: fields,
      timeout: 5_000,
    })
    return answer.json<{ seq: number }>().seq
  }
  return {
    connection,
    async claim(term: number): Promise<string> {
      const sequence = await publish('epoch', { term, holder: 'little-leader', city: 'test' }, undefined)
      return (voice = `${term}.${sequence}`)
    },
    room: (slug: string, online: number, more: Record<string, unknown> = {}, epoch = voice) =>
      publish(`room.${slug}`, { ...roomEvent(slug, online), ...more }, epoch),
    beat: (rooms: number, more: Record<string, unknown> = {}, epoch = voice) =>
      publish('beat', { complete: true, rooms, source: 'live', source_age_ms: 0, ...more }, epoch),
    stop: () => connection.close(),
  }
}

const roomEvent = (slug: string, online: number) => ({
  type: 'room.presence',
  room_slug: slug,
  matrix_room_id: `!${slug}`,
  matrix_room_alias: null,
  online_count: online,
  typing_count: 0,
  typing_users: [],
  last_event_ts: Date.now(),
})

async function request(connection: NatsConnection, subject: string, body: unknown): Promise<void> {
  const answer = await connection.request(subject, JSON.stringify(body), { timeout: 5_000 })
  const { error } = answer.json<{ error?: { description: string } }>()
  if (error !== undefined) throw new Error(`${subject}: ${error.description}`)
}
