// The feed on a connection that brings what a test sends: what is believed, what is counted and dropped, and what is asked.
import { headers as createHeaders, type Msg, type NatsConnection } from '@nats-io/transport-node'
import { createFakeClock } from '@citypresence/chassis/testing/fake-clock'
import { createLogger } from '@citypresence/chassis/log'
import { createMetrics } from '@citypresence/chassis/metrics'
import { defaultPrefix, roomStream, subjectsBelow } from '@citypresence/wire/subjects'
import { roomsMax } from '@citypresence/wire/room-directory'
import { expect, it } from 'vitest'
import { createFeedMetrics } from '../feed-metrics.ts'
import { followNats } from './nats-source.ts'

const subjects = subjectsBelow(defaultPrefix)
type Callback = (error: Error | null, message: Msg) => void

function follow(account?: string) {
  const clock = createFakeClock()
  const metrics = createMetrics('gateway')
  const listeners = new Map<string, Callback>()
  const questions: { reply: string; batch: number }[] = []
  const statuses: ((type: string) => void)[] = []
  const lines: string[] = []
  const connection = {
    info: account === undefined ? undefined : { remote_account: account },
    subscribe(subject: string, { callback }: { callback: Callback }) {
      listeners.set(subject, callback)
      return { unsubscribe: () => listeners.delete(subject) }
    },
    publish(_: string, body: string, { reply }: { reply: string }) {
      questions.push({ reply, batch: (JSON.parse(body) as { batch: number }).batch })
    },
    async *status() {
      for (;;) yield { type: await new Promise<string>((resolve) => statuses.push(resolve)) }
    },
  } as unknown as NatsConnection
  const told: unknown[] = []
  const source = followNats({
    connection,
    subjects,
    streamName: roomStream,
    inboxPrefix: '_INBOX_gateway',
    clock,
    log: createLogger({
      service: 'gateway',
      level: 'warn',
      destination: { write: (line: string) => void lines.push(line) },
    }),
    metrics: createFeedMetrics(metrics),
    listener: {
      changed: (views) => told.push(...views.map(({ room_slug: slug, online_count: count }) => [slug, count])),
      replaced: (views) => told.push(['all', views.length]),
      status: ({ stale }) => told.push(['stale', stale]),
    },
  })
  let sequence = 100
  const stored = (subject: string, body: object, own: { as?: string; stream?: string } = {}): Msg => {
    const fields = createHeaders()
    fields.set('Nats-Stream', own.stream ?? roomStream)
    fields.set('Nats-Subject', own.as ?? subject)
    fields.set('Nats-Sequence', String((sequence += 1)))
    fields.set('Presence-Epoch', '1.101')
    return { subject, headers: fields, string: () => JSON.stringify(body) } as unknown as Msg
  }
  const room = (slug: string, count: number, own: { as?: string; stream?: string } = {}): Msg =>
    stored(
      subjects.room(slug),
      {
        ...{ type: 'room.presence', room_slug: slug, matrix_room_id: '!r', matrix_room_alias: null },
        ...{ online_count: count, typing_count: 0, typing_users: [], last_event_ts: 1 },
      },
      own,
    )
  const record = (more: object = {}): Msg => stored(subjects.epoch, { term: 1, holder: 'a', city: 'c', ...more })
  const beat = (rooms: number): Msg =>
    stored(subjects.beat, { complete: true, rooms, source: 'live', source_age_ms: 0 })
  const hear = (...messages: Msg[]): void => {
    for (const message of messages) listeners.get(subjects.all)?.(null, message)
  }
  /** Answers the last question with these. */
  const answer = async (...messages: Msg[]): Promise<void> => {
    const inbox = listeners.get(questions.at(-1)?.reply ?? '')
    const end = { headers: createHeaders(204, 'EOB') } as unknown as Msg
    for (const message of [...messages, end]) inbox?.(null, message)
    await clock.advance(1)
  }
  const counted = async (name: string): Promise<number> => {
    const text = await metrics.registry.metrics()
    return Number(new RegExp(`^${name.replaceAll(/[{}]/g, '\\$&')} (\\d+)`, 'm').exec(text)?.[1] ?? 0)
  }
  return { clock, source, told, lines, questions, listeners, statuses, room, record, beat, hear, answer, counted }
}

it('[G8] a message that the stream did not store under the subject it came on is dropped and counted, and shown to nobody', async () => {
  const { told, hear, record, room, counted, clock } = follow()
  hear(record(), room('market', 5))
  expect(told).toEqual([
    ['stale', true],
    ['market', 5],
  ])
  hear(room('market', 99, { as: subjects.room('library') }), room('market', 99, { stream: 'OTHER' }))
  hear({ subject: subjects.room('market'), string: () => '{}' } as unknown as Msg)
  await clock.advance(1)
  expect(told).toHaveLength(2)
  expect(await counted('citypresence_gateway_nats_dropped_total{code="MessageForeign"}')).toBe(3)
  expect(await counted('citypresence_gateway_nats_dropped_total{code="WireGarbled"}')).toBe(0)
})

it('[G5] a snapshot that does not come in two seconds has failed, is counted, and is asked for again; no more than the stream may hold', async () => {
  const { clock, source, questions, answer, record, room, beat, counted, hear } = follow()
  expect(questions.map(({ batch }) => batch)).toEqual([2 * roomsMax + 3])
  await clock.advance(1_999)
  expect(questions).toHaveLength(1)
  await clock.advance(1)
  expect(await counted('citypresence_gateway_snapshots_total{outcome="failed"}')).toBe(1)
  expect(questions).toHaveLength(2)
  const held = [record(), room('market', 5), beat(1)]
  await answer(...held)
  hear(beat(1))
  expect(await counted('citypresence_gateway_snapshots_total{outcome="read"}')).toBe(1)
  expect(source.state()).toMatchObject({ complete: true, rooms: 1, term: 1 })
})

it('[G8] a leader in the same account is told of once, and one in another never', async () => {
  const own = follow('CITY')
  own.hear(own.record({ account: 'CITY' }), own.record({ account: 'CITY' }))
  await own.clock.advance(1)
  expect(own.lines.filter((line) => line.includes('NatsAccountShared'))).toHaveLength(1)
  expect(await own.counted('citypresence_gateway_errors_total{code="NatsAccountShared"}')).toBe(1)
  const other = follow('EDGE')
  other.hear(other.record({ account: 'CITY' }), other.record())
  expect(other.lines.filter((line) => line.includes('NatsAccountShared'))).toEqual([])
})

it('[G6] time alone makes it stale, and after its stop nothing is heard, asked or told any more', async () => {
  const { clock, source, told, questions, listeners, hear, answer, record, room, beat } = follow()
  await answer(record(), room('market', 5), beat(1))
  hear(beat(1), beat(1))
  expect(told.at(-1)).toEqual(['stale', false])
  await clock.advance(6_000)
  expect(told.at(-1)).toEqual(['stale', true])
  await source.stop()
  expect([...listeners.keys()].filter((subject) => subject === subjects.all)).toEqual([])
  const [before, asked] = [told.length, questions.length]
  await clock.advance(60_000)
  expect([told.length, questions.length, clock.pendingTimers()]).toEqual([before, asked, 0])
})

it('[G5] after a reconnect a snapshot is asked for, and what was joined is not any more', async () => {
  const { clock, source, statuses, questions, hear, answer, record, room, beat } = follow()
  await answer(record(), room('market', 5), beat(1))
  hear(beat(1))
  expect(source.state().complete).toBe(true)
  const asked = questions.length
  await clock.advance(2_000)
  statuses.shift()?.('disconnect')
  await clock.advance(1)
  expect([source.state().complete, questions.length]).toEqual([false, asked])
  statuses.shift()?.('reconnect')
  await clock.advance(1)
  expect(questions).toHaveLength(asked + 1)
})
