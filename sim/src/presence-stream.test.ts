// The double keeps the contract that a real nats-server keeps, and does what only a double can be told to do.
import { describe, expect, it } from 'vitest'
import type { NatsConnection } from '@nats-io/transport-node'
import { openFencedStream } from '@citypresence/aggregator/edge/fenced-stream'
import { systemClock } from '@citypresence/chassis/edge/clock'
import { createFakeClock } from '@citypresence/chassis/testing/fake-clock'
import { roomsMax } from '@citypresence/wire/room-directory'
import { defaultPrefix, roomStream, subjectsBelow } from '@citypresence/wire/subjects'
import { presenceStreamContract } from './presence-stream.contract.ts'
import { createStreamServer } from './presence-stream.ts'

presenceStreamContract('the double', () => {
  const server = createStreamServer(systemClock)
  return Promise.resolve({ leader: server.connect(), admin: server.connect(), stop: () => Promise.resolve() })
})

const subjects = subjectsBelow(defaultPrefix)
const record = { term: 1, holder: 'pod-a', city: 'test' }
const beat = { subject: subjects.beat, body: '{}', headers: {} }

type Ack = { readonly seq: number; readonly batch?: string; readonly count?: number }

/** A connection on which acknowledgements are what `lie` makes of them. */
const lying = (connection: NatsConnection, lie: (ack: Ack) => object): NatsConnection =>
  answering(connection, '', (said) => ((said as Partial<Ack>).seq === undefined ? said : lie(said as Ack)))

/** A connection on which answers to some questions are others. */
function answering(connection: NatsConnection, question: string, change: (said: object) => object): NatsConnection {
  const request: NatsConnection['request'] = async (subject, payload, options) => {
    const answer = await connection.request(subject, payload, options)
    const said = answer.json<object>()
    return subject.includes(question) ? Object.assign(answer, { json: () => change(said) }) : answer
  }
  return new Proxy(connection, {
    get: (own, key) => (key === 'request' ? request : (Reflect.get(own, key) as unknown)),
  })
}

async function openStream(dress = (connection: NatsConnection): NatsConnection => connection) {
  const clock = createFakeClock()
  const server = createStreamServer(clock)
  const connection = server.connect()
  const refusals: number[] = []
  const stream = openFencedStream({
    connection: dress(connection),
    streamName: roomStream,
    subjects,
    kind: 'rooms',
    replicas: 1,
    inboxPrefix: '_INBOX_aggregator',
    clock,
    onRefusal: (code) => refusals.push(code),
  })
  await stream.ensure()
  const answer = await stream.claim(record, 0)
  if (answer.kind !== 'acked') throw new Error(answer.kind)
  return { clock, server, connection, stream, refusals, epoch: { term: 1, epoch: answer.sequence } }
}

/** Until the edge has heard what the link says of itself. */
const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve()
}

// Longer than the edge waits for any answer.
const patienceMs = 60_000

describe('a fenced stream in trouble', () => {
  it('[L53] a lost answer leaves a write unknown, and it may well be stored', async () => {
    const { clock, server, stream, epoch } = await openStream()
    server.loseAnswers(1)
    const answer = stream.write([beat], epoch, epoch.epoch)
    await clock.advance(patienceMs)
    expect(await answer).toMatchObject({ kind: 'unknown' })
    expect(server.stored(roomStream).map(({ sequence }) => sequence)).toEqual([epoch.epoch, epoch.epoch + 1])
  })

  it('[L53] a server that stood still stores what its writer had given up', async () => {
    const { clock, server, stream, epoch } = await openStream()
    server.pause()
    const answer = stream.write([beat, beat], epoch, epoch.epoch)
    await clock.advance(patienceMs)
    expect(await answer).toMatchObject({ kind: 'unknown' })
    expect(server.stored(roomStream)).toHaveLength(1)
    server.resume()
    expect(server.stored(roomStream)).toHaveLength(2)
  })

  it('[L53] a code that is not the fence is unknown, not a refusal', async () => {
    const { server, stream, epoch } = await openStream()
    for (const code of [10_164, 10_176, 10_210]) {
      server.refuseWrites(1, code)
      expect(await stream.write([beat], epoch, epoch.epoch)).toMatchObject({ kind: 'unknown' })
    }
    expect(await stream.write([beat], epoch, epoch.epoch)).toMatchObject({ kind: 'acked' })
  })

  it.each([
    ['counts other messages', (ack: Ack) => ({ ...ack, count: 1 })],
    ['counts none', ({ seq, batch }: Ack) => ({ seq, batch })],
    ['is of another batch', (ack: Ack) => ({ ...ack, batch: `${ack.batch ?? ''}0` })],
    ['is of no batch', ({ seq, count }: Ack) => ({ seq, count })],
    ['begins elsewhere', (ack: Ack) => ({ ...ack, seq: ack.seq + 1 })],
    ['has no sequence', (ack: Ack) => ({ ...ack, seq: String(ack.seq) })],
  ])('[L46] an acknowledgement that %s is none: the write is unknown', async (_, lie) => {
    const truth = { lied: false }
    const { stream, epoch } = await openStream((connection) =>
      lying(connection, (ack) => (truth.lied ? lie(ack) : ack)),
    )
    expect(await stream.write([beat, beat], epoch, epoch.epoch)).toEqual({ kind: 'acked', sequence: epoch.epoch + 2 })
    truth.lied = true
    expect(await stream.write([beat, beat], epoch, epoch.epoch + 2)).toMatchObject({ kind: 'unknown' })
  })

  it('[L54] after a roll back a write is acknowledged at another place, or refused: never acked', async () => {
    const { server, stream, epoch } = await openStream()
    const rollBack = server.backUp()
    expect(await stream.write([beat, beat], epoch, epoch.epoch)).toEqual({ kind: 'acked', sequence: epoch.epoch + 2 })
    rollBack()
    expect(await stream.write([beat], epoch, epoch.epoch + 2)).toMatchObject({ kind: 'unknown' })
  })

  it('[L54] after a roll back to before the claim the fence refuses', async () => {
    const clock = createFakeClock()
    const server = createStreamServer(clock)
    const options = {
      streamName: roomStream,
      subjects,
      kind: 'rooms',
      replicas: 1,
      inboxPrefix: '_INBOX',
      clock,
    } as const
    const stream = openFencedStream({ ...options, connection: server.connect() })
    await stream.ensure()
    const rollBack = server.backUp()
    const claimed = await stream.claim(record, 0)
    if (claimed.kind !== 'acked') throw new Error(claimed.kind)
    rollBack()
    const epoch = { term: 1, epoch: claimed.sequence }
    expect(await stream.write([beat], epoch, epoch.epoch)).toEqual({ kind: 'refused' })
    expect(await stream.readRecord()).toEqual({ record: undefined, sequence: 0 })
  })

  it('[L55] while the link is down a write is over at once, and nothing of it is stored when the link is back', async () => {
    const { clock, server, connection, stream, epoch } = await openStream()
    server.cut(connection)
    await turns()
    const refused = { kind: 'unknown', why: 'not connected' }
    expect(await stream.write([beat, beat], epoch, epoch.epoch)).toEqual(refused)
    expect(await stream.write([beat], epoch, epoch.epoch)).toEqual(refused)
    server.join(connection)
    await clock.advance(patienceMs)
    expect(server.stored(roomStream)).toHaveLength(1)
    expect(await stream.write([beat], epoch, epoch.epoch)).toEqual({ kind: 'acked', sequence: epoch.epoch + 1 })
  })

  it('[L53] what NATS refuses is told with its own code, and what it takes is not', async () => {
    const { server, stream, epoch, refusals } = await openStream()
    expect(await stream.write([beat], epoch, epoch.epoch)).toMatchObject({ kind: 'acked' })
    expect(refusals).toEqual([])
    server.refuseWrites(1, 10_164)
    await stream.write([beat], epoch, epoch.epoch + 1)
    expect(await stream.claim({ ...record, term: 2 }, 0)).toEqual({ kind: 'refused' })
    expect(refusals).toEqual([10_164, 10_071])
  })

  it('[L41] an epoch record that nobody can read, or that cannot be had, is no absent one', async () => {
    const { server, stream } = await openStream()
    const admin = server.connect()
    admin.publish(subjects.ingest(subjects.epoch), '{"term":')
    await expect(stream.readRecord()).rejects.toMatchObject({ code: 'WireGarbled' })
    await admin.request(`$JS.API.STREAM.DELETE.${roomStream}`)
    await expect(stream.readRecord()).rejects.toMatchObject({ code: 'PublishUnknown' })
  })

  it('[L40] a stream that can be neither asked for nor made is told with what NATS says', async () => {
    const says = async (answer: object) => {
      const { stream } = await openStream((connection) => answering(connection, 'STREAM.INFO', () => answer))
      await stream.ensure()
    }
    await expect(
      says({ error: { err_code: 10_039, description: 'jetstream not enabled for account' } }),
    ).rejects.toMatchObject({
      code: 'NatsNoStorage',
      message: `${roomStream}: jetstream not enabled for account`,
    })
    await expect(says({})).rejects.toMatchObject({ code: 'NatsNoStorage' })
  })

  it('[L41] a claim tells the account that the server put its leader in, where it says so', async () => {
    const claimedBy = async (info: object | undefined): Promise<unknown> => {
      const { server } = await openStream((connection) => Object.assign(connection, { info }))
      return JSON.parse(server.stored(roomStream)[0]?.body ?? '{}')
    }
    expect(await claimedBy({ remote_account: 'CITY' })).toEqual({ ...record, account: 'CITY' })
    expect(await claimedBy(undefined)).toEqual(record)
  })

  it('[L48] of what is stored no more is asked for than two cities have rooms, and one message more', async () => {
    const asked: unknown[] = []
    const { stream } = await openStream((connection) => {
      const publish: NatsConnection['publish'] = (subject, payload, options) => {
        if (subject.includes('DIRECT.GET')) asked.push(JSON.parse(String(payload)))
        connection.publish(subject, payload, options)
      }
      return new Proxy(connection, {
        get: (own, key) => (key === 'publish' ? publish : (Reflect.get(own, key) as unknown)),
      })
    })
    expect(await stream.readStored()).toEqual([])
    expect(asked).toEqual([{ seq: 1, batch: 2 * roomsMax + 3, next_by_subj: subjects.rooms }])
  })
})
