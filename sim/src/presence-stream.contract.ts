// What the leader relies on about a fenced stream, as one suite for the double and for a real nats-server; the edge of the
// aggregator runs on both as it is. Each test begins with no stream at all.
//
// "Heard by nobody" is shown by a fence: a rightful batch follows, and the listener, who hears everything that anybody could,
// has heard that one and nothing before it.
import { headers as createHeaders, type Msg, type NatsConnection } from '@nats-io/transport-node'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { OutMessage } from '@citypresence/aggregator/core/batch'
import { openFencedStream, type FencedStream } from '@citypresence/aggregator/edge/fenced-stream'
import { systemClock } from '@citypresence/chassis/edge/clock'
import { until } from '@citypresence/stack/until'
import { epochHeader, formatEpoch, type Epoch } from '@citypresence/wire/epoch'
import { defaultPrefix, roomStream, subjectsBelow, userStream } from '@citypresence/wire/subjects'

export type ContractServer = {
  /** With a leader's rights. */
  readonly leader: NatsConnection
  /** With every right, for looking at all and for playing foul. */
  readonly admin: NatsConnection
  stop(): Promise<void>
}

type Heard = { readonly subject: string; readonly sequence: number; readonly body: string }
type Ack = { readonly seq?: number; readonly error?: { readonly err_code: number } }

const subjects = subjectsBelow(defaultPrefix)
const me = { holder: 'pod-a', city: 'test' }
const other = { holder: 'pod-b', city: 'test' }
// A busy machine may take seconds for what takes milliseconds.
const deadlineMs = 10_000

const beat = (rooms = 0): string => JSON.stringify({ complete: true, rooms, source: 'live', source_age_ms: 0 })
const roomMessage = (slug: string, epoch: Epoch, more: Record<string, string> = {}): OutMessage => ({
  subject: subjects.room(slug),
  body: JSON.stringify({ room_slug: slug }),
  headers: { [epochHeader]: formatEpoch(epoch), ...more },
})
const beatMessage = (epoch: Epoch): OutMessage => ({
  subject: subjects.beat,
  body: beat(),
  headers: { [epochHeader]: formatEpoch(epoch) },
})

export function presenceStreamContract(name: string, start: () => Promise<ContractServer>): void {
  describe(`a fenced stream on ${name}`, () => {
    let server: ContractServer
    let stream: FencedStream
    let heard: Heard[]
    beforeAll(async () => {
      server = await start()
      // The users' subjects too: what a stream republishes there counts as heard.
      server.admin.subscribe(subjects.all, { callback: (_, message) => void heard.push(hearing(message)) })
    })
    afterAll(() => server.stop())
    beforeEach(async () => {
      for (const stale of [roomStream, userStream]) await askApi(server.admin, `STREAM.DELETE.${stale}`)
      stream = streamFor(server.leader)
      await stream.ensure()
      heard = []
    })

    it('[L40] is made once, and a setting that is changed under its leader is named', async () => {
      await stream.ensure()
      await streamFor(server.leader).ensure()
      const config = await configOf(server.admin, 'rooms')
      await askApi(server.admin, `STREAM.UPDATE.${roomStream}`, { ...config, allow_atomic: false })
      await expect(stream.ensure()).rejects.toMatchObject({
        code: 'StreamDiffers',
        message: expect.stringMatching(/: allow_atomic is .*, and has to be true$/) as string,
      })
    })

    it.each(['rooms', 'users'] as const)(
      '[L40] a stream of %s that somebody made is ours only with every setting that a promise hangs on',
      async (kind) => {
        await streamFor(server.leader, kind).ensure()
        const config = await configOf(server.admin, kind)
        const name = streamNames[kind]
        for (const [field, value] of spoiled) {
          await askApi(server.admin, `STREAM.DELETE.${name}`)
          await makeAnyhow(server.admin, { ...config, ...(field === 'mirror' && asMirror), [field]: value }, config)
          const found = (await configOf(server.admin, kind))[field]
          const message = `${name}: ${field} is ${JSON.stringify(found)}, and has to be `
          await expect(streamFor(server.leader, kind).ensure(), field).rejects.toMatchObject({
            code: 'StreamDiffers',
            message: expect.stringContaining(message) as string,
          })
        }
        await askApi(server.admin, `STREAM.DELETE.${name}`)
        await makeAnyhow(server.admin, { ...config, ...operators }, config)
        expect(await configOf(server.admin, kind)).toMatchObject({ compression: 's2' })
        await streamFor(server.leader, kind).ensure()
      },
    )

    it('[L41] is claimed by who read the newest record, and by nobody else', async () => {
      expect(await stream.readRecord()).toEqual({ record: undefined, sequence: 0 })
      const epoch = await claim(stream, 1, 0)
      expect(await stream.readRecord()).toEqual({ record: { term: 1, ...me }, sequence: epoch.epoch })
      expect(await stream.claim({ term: 2, ...other }, 0)).toEqual({ kind: 'refused' })
      expect(await stream.claim({ term: 2, ...other }, epoch.epoch + 1)).toEqual({ kind: 'refused' })
      expect(await stream.readRecord()).toEqual({ record: { term: 1, ...me }, sequence: epoch.epoch })
      const next = await claim(stream, 2, epoch.epoch)
      expect(next.epoch).toBeGreaterThan(epoch.epoch)
    })

    it('[L42] numbers the messages of a batch in a row; each is heard once, in order, as it is stored', async () => {
      const epoch = await claim(stream, 1, 0)
      const rooms = ['a', 'b', 'c'].map((slug) => roomMessage(slug, epoch))
      const answer = await stream.write([...rooms, beatMessage(epoch)], epoch, epoch.epoch)
      expect(answer).toEqual({ kind: 'acked', sequence: epoch.epoch + 4 })
      const single = await stream.write([beatMessage(epoch)], epoch, epoch.epoch + 4)
      expect(single).toEqual({ kind: 'acked', sequence: epoch.epoch + 5 })
      await hears(() => heard, 6)
      expect(heard.map(({ sequence }) => sequence)).toEqual([0, 1, 2, 3, 4, 5].map((more) => epoch.epoch + more))
      expect(heard.map(({ subject }) => subject)).toEqual([
        subjects.epoch,
        subjects.room('a'),
        subjects.room('b'),
        subjects.room('c'),
        subjects.beat,
        subjects.beat,
      ])
    })

    it('[L43] refuses a deposed leader: nothing of its batch, or of its single message, is stored or heard', async () => {
      const old = await claim(stream, 1, 0)
      const next = await claim(stream, 2, old.epoch)
      expect(await stream.write([roomMessage('a', old), beatMessage(old)], old, old.epoch)).toEqual({ kind: 'refused' })
      expect(await stream.write([beatMessage(old)], old, old.epoch)).toEqual({ kind: 'refused' })
      const answer = await stream.write([roomMessage('b', next), beatMessage(next)], next, next.epoch)
      expect(answer).toEqual({ kind: 'acked', sequence: next.epoch + 2 })
      await hears(() => heard, 4)
      expect(heard.map(({ subject }) => subject)).toEqual([
        subjects.epoch,
        subjects.epoch,
        subjects.room('b'),
        subjects.beat,
      ])
      expect(await slugsOf(stream)).toEqual([subjects.room('b')])
    })

    it('[L44] lets nobody hear an unfinished batch', async () => {
      const epoch = await claim(stream, 1, 0)
      for (const place of [1, 2]) sendPart(server.leader, { id: 'unfinished', place, epoch, slug: `half-${place}` })
      await stream.write([roomMessage('whole', epoch), beatMessage(epoch)], epoch, epoch.epoch)
      await hears(() => heard, 3)
      expect(heard.map(({ subject }) => subject)).toEqual([subjects.epoch, subjects.room('whole'), subjects.beat])
      expect(await slugsOf(stream)).toEqual([subjects.room('whole')])
    })

    it('[L45] takes a thousand messages in one batch, and nothing of a thousand and one', async () => {
      const epoch = await claim(stream, 1, 0)
      const rooms = Array.from({ length: 999 }, (_, index) => roomMessage(`room-${index}`, epoch))
      const answer = await stream.write([...rooms, beatMessage(epoch)], epoch, epoch.epoch)
      expect(answer).toEqual({ kind: 'acked', sequence: epoch.epoch + 1_000 })
      await expect(stream.write([...rooms, ...rooms], epoch, epoch.epoch + 1_000)).rejects.toThrow(RangeError)
      for (let place = 1; place <= 1_000; place++)
        sendPart(server.leader, { id: 'too-long', place, epoch, slug: `more-${place}` })
      const last = await commitPart(server.leader, { id: 'too-long', place: 1_001, epoch, slug: 'more-1001' })
      expect(last.error?.err_code).toBe(10_199)
      expect(await slugsOf(stream)).toHaveLength(999)
    })

    it('[L46] takes no acknowledgement for its own that begins elsewhere', async () => {
      const epoch = await claim(stream, 1, 0)
      await server.admin.request(subjects.ingest(subjects.room('foul')), 'foul')
      const answer = await stream.write([roomMessage('a', epoch), beatMessage(epoch)], epoch, epoch.epoch)
      expect(answer).toMatchObject({ kind: 'unknown', why: expect.stringContaining('elsewhere') as string })
    })

    it('[L47] erases a message when its time is up, silently and without a number', async () => {
      const epoch = await claim(stream, 1, 0)
      const short = roomMessage('gone', epoch, { 'Nats-TTL': '1s' })
      await stream.write([short, roomMessage('kept', epoch), beatMessage(epoch)], epoch, epoch.epoch)
      expect(await slugsOf(stream)).toEqual([subjects.room('gone'), subjects.room('kept')])
      await until(async () => (await slugsOf(stream)).length === 1, { deadlineMs, what: 'the message to be erased' })
      const answer = await stream.write([beatMessage(epoch)], epoch, epoch.epoch + 3)
      expect(answer).toEqual({ kind: 'acked', sequence: epoch.epoch + 4 })
      await hears(() => heard, 5)
      expect(heard).toHaveLength(5)
    })

    it('[L48] gives back the newest message of each room, and neither epoch nor beat', async () => {
      expect(await stream.readStored()).toEqual([])
      const epoch = await claim(stream, 1, 0)
      expect(await stream.readStored()).toEqual([])
      const answer = await stream.write(
        [roomMessage('a', epoch), roomMessage('b', epoch), beatMessage(epoch)],
        epoch,
        epoch.epoch,
      )
      const newest = { ...roomMessage('a', epoch), body: '{"newest":true}' }
      await stream.write([newest, beatMessage(epoch)], epoch, answer.kind === 'acked' ? answer.sequence : 0)
      expect(await stream.readStored()).toEqual([
        expect.objectContaining({ subject: subjects.room('b') }),
        expect.objectContaining({ subject: subjects.room('a'), body: newest.body }),
      ])
    })

    it('[L49] lets a standby hear stored beats and no forged one', async () => {
      const beats: Epoch[] = []
      const stopListening = stream.onBeat((voice) => beats.push(voice))
      const forged = createHeaders()
      forged.set(epochHeader, '99.99')
      await server.leader.flush() // the server knows of the listener
      server.admin.publish(subjects.beat, beat(), { headers: forged })
      await server.admin.flush()
      const epoch = await claim(stream, 3, 0)
      await stream.write([roomMessage('a', epoch), beatMessage(epoch)], epoch, epoch.epoch)
      await until(() => beats.length > 0, { deadlineMs, what: 'a beat' })
      expect(beats).toEqual([epoch])
      stopListening()
    })

    it('[L50] a stream deleted under its leader leaves a write unknown; the next stream has higher numbers', async () => {
      const epoch = await claim(stream, 1, 0)
      // A stream begins with the clock's milliseconds: in the same one it would begin with the same number.
      const beganMs = systemClock.wallMs()
      await until(() => systemClock.wallMs() > beganMs, { deadlineMs, what: 'the next millisecond' })
      await askApi(server.admin, `STREAM.DELETE.${roomStream}`)
      expect(await stream.write([beatMessage(epoch)], epoch, epoch.epoch)).toMatchObject({ kind: 'unknown' })
      await stream.ensure()
      expect(await stream.readRecord()).toEqual({ record: undefined, sequence: 0 })
      expect((await claim(stream, 2, 0)).epoch).toBeGreaterThan(epoch.epoch)
    })

    it('[L51] a takeover between the beginning of a batch and its end drops the whole batch', async () => {
      const old = await claim(stream, 1, 0)
      sendPart(server.leader, { id: 'torn', place: 1, epoch: old, slug: 'torn-1' })
      await claim(stream, 2, old.epoch)
      const last = await commitPart(server.leader, { id: 'torn', place: 2, epoch: old, slug: 'torn-2' })
      expect(last.error?.err_code).toBe(10_071)
      expect(await stream.readStored()).toEqual([])
    })

    it('[L52] rooms and users are two streams with two claims', async () => {
      const users = streamFor(server.leader, 'users')
      await users.ensure()
      const rooms = await claim(stream, 1, 0)
      const epoch = await claim(users, 5, 0)
      const message = { subject: subjects.user('ann'), body: '{}', headers: { [epochHeader]: formatEpoch(epoch) } }
      expect(await users.write([message, { ...message, subject: subjects.user('bob') }], epoch, epoch.epoch)).toEqual({
        kind: 'acked',
        sequence: epoch.epoch + 2,
      })
      expect((await users.readStored()).map(({ subject }) => subject)).toEqual([
        subjects.user('ann'),
        subjects.user('bob'),
      ])
      expect(await stream.readRecord()).toEqual({ record: { term: 1, ...me }, sequence: rooms.epoch })
      expect(await stream.readStored()).toEqual([])
    })
  })
}

const streamNames = { rooms: roomStream, users: userStream }

/** Each setting that a server lets somebody choose and that would break a promise; nats-server refuses the others by itself. */
const spoiled: readonly (readonly [string, unknown])[] = [
  ['mirror', { name: 'ANOTHER' }],
  ['sources', [{ name: 'ANOTHER' }]],
  ['sealed', true],
  ['no_ack', true],
  ['discard_new_per_subject', true],
  ['max_msg_size', 100],
  ['subject_delete_marker_ttl', 1_000_000_000],
  ['subjects', ['ingest.city.presence.elsewhere.>']],
  ['subject_transform', { src: 'ingest.city.presence.>', dest: 'elsewhere.>' }],
  ['republish', { src: 'city.presence.>', dest: 'city.presence.>', headers_only: true }],
  ['republish', { src: 'city.presence.room.>', dest: 'city.presence.room.>' }],
  ['retention', 'interest'],
  ['storage', 'memory'],
  ['max_msgs_per_subject', 2],
  ['max_msgs', 10],
  ['max_bytes', 100_000],
  ['max_age', 600_000_000_000],
  ['discard', 'old'],
  ['allow_direct', false],
  ['allow_atomic', false],
  ['allow_msg_ttl', false],
  ['deny_delete', false],
  ['deny_purge', false],
]
/** A mirror takes no subjects, and nobody writes to it. */
const asMirror = { subjects: undefined, subject_transform: undefined, first_seq: undefined, allow_atomic: undefined }
/** Where and how a server keeps a stream is for its operator to choose. */
const operators = { compression: 's2', duplicate_window: 1_000_000_000, max_consumers: 1, description: 'ours' }

type StreamConfig = Readonly<Record<string, unknown>>

async function configOf(admin: NatsConnection, kind: 'rooms' | 'users'): Promise<StreamConfig> {
  return (await askApi<{ config: StreamConfig }>(admin, `STREAM.INFO.${streamNames[kind]}`)).config
}

/** Some settings can only be changed once the stream is there. */
async function makeAnyhow(admin: NatsConnection, config: StreamConfig, before: StreamConfig): Promise<void> {
  const name = String(before['name'])
  const made = await askApi<{ error?: unknown }>(admin, `STREAM.CREATE.${name}`, config)
  if (made.error === undefined) return
  await askApi(admin, `STREAM.CREATE.${name}`, before)
  const changed = await askApi<{ error?: unknown }>(admin, `STREAM.UPDATE.${name}`, config)
  if (changed.error !== undefined) throw new Error(`${name} cannot be made so: ${JSON.stringify(changed.error)}`)
}

function streamFor(connection: NatsConnection, kind: 'rooms' | 'users' = 'rooms'): FencedStream {
  return openFencedStream({
    connection,
    streamName: streamNames[kind],
    subjects,
    kind,
    replicas: 1,
    inboxPrefix: '_INBOX_aggregator',
    clock: systemClock,
  })
}

async function claim(stream: FencedStream, term: number, expected: number): Promise<Epoch> {
  const answer = await stream.claim({ term, ...me }, expected)
  if (answer.kind !== 'acked') throw new Error(`the claim is ${answer.kind}`)
  return { term, epoch: answer.sequence }
}

const slugsOf = async (stream: FencedStream): Promise<string[]> =>
  (await stream.readStored()).map(({ subject }) => subject)

const hears = (heard: () => readonly Heard[], count: number): Promise<unknown> =>
  until(() => heard().length >= count, { deadlineMs, what: `${count} messages to be heard` })

const hearing = (message: Msg): Heard => ({
  subject: message.subject,
  sequence: Number(message.headers?.get('Nats-Sequence')),
  body: message.string(),
})

async function askApi<T>(connection: NatsConnection, question: string, body: unknown = {}): Promise<T> {
  const answer = await connection.request(`$JS.API.${question}`, JSON.stringify(body), { timeout: deadlineMs })
  return answer.json<T>()
}

type Part = { readonly id: string; readonly place: number; readonly epoch: Epoch; readonly slug: string }

const partHeaders = ({ id, place, epoch }: Part) => {
  const fields = createHeaders()
  fields.set('Nats-Batch-Id', id)
  fields.set('Nats-Batch-Sequence', String(place))
  fields.set('Nats-Expected-Last-Subject-Sequence', String(epoch.epoch))
  fields.set('Nats-Expected-Last-Subject-Sequence-Subject', subjects.epoch)
  return fields
}

function sendPart(connection: NatsConnection, part: Part): void {
  connection.publish(subjects.ingest(subjects.room(part.slug)), '{}', { headers: partHeaders(part) })
}

async function commitPart(connection: NatsConnection, part: Part): Promise<Ack> {
  const fields = partHeaders(part)
  fields.set('Nats-Batch-Commit', '1')
  const subject = subjects.ingest(subjects.room(part.slug))
  const answer = await connection.request(subject, '{}', { headers: fields, timeout: deadlineMs })
  return answer.json<Ack>()
}
