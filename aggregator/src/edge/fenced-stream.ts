// A stream on which only one leader is heard: made or checked, claimed, written in fenced atomic batches, read back.
//
//   ensure     STREAM.INFO -> missing: STREAM.CREATE -> compared field by field -> StreamDiffers names the field
//   claim      the epoch record, if nobody wrote one since it was read; its sequence is the epoch
//   write      all or nothing, if the epoch record is still mine, and beginning right after my last acknowledged message
//
// An answer is `acked`, `refused` (the fence said no) or `unknown` (nobody knows whether it was stored). What is unknown is never
// sent again by itself: the leader reads the record and begins anew. The client library's own batches hide or pass over what
// matters here (the count, the id, the beginning), so the few lines are ours.
import { headers, type Msg, type MsgHdrs, type NatsConnection } from '@nats-io/transport-node'
import type { Clock } from '@citypresence/chassis/edge/clock'
import { accountOf } from '@citypresence/chassis/edge/nats-account'
import { readNewest } from '@citypresence/chassis/edge/nats-direct-get'
import { keepSubscribed } from '@citypresence/chassis/edge/nats-subscription'
import { CityError } from '@citypresence/chassis/errors'
import { decodeJson, describeDecodeError } from '@citypresence/wire/decode'
import {
  epochHeader,
  epochRecord,
  formatEpoch,
  parseEpoch,
  type Epoch,
  type EpochRecord,
} from '@citypresence/wire/epoch'
import { roomsMax } from '@citypresence/wire/room-directory'
import type { Subjects } from '@citypresence/wire/subjects'
import { batchMax, type OutMessage } from '../core/batch.ts'
import { differenceOf, wantedStream } from '../core/stream-settings.ts'
import { followLink, type NatsLink } from './nats-link.ts'

export type WriteAnswer =
  | { readonly kind: 'acked'; readonly sequence: number }
  | { readonly kind: 'refused' }
  | { readonly kind: 'unknown'; readonly why: string; readonly error?: CityError }

export type RecordRead = { readonly record: EpochRecord | undefined; readonly sequence: number }
export type StoredMessage = { readonly subject: string; readonly body: string }

export interface FencedStream {
  /** Throws StreamDiffers, or what NATS says when it cannot be asked. */
  ensure(): Promise<void>
  readRecord(): Promise<RecordRead>
  claim(record: EpochRecord, expectedSequence: number): Promise<WriteAnswer>
  /** `lastSequence`: my last acknowledged one; the batch has to begin right after it. */
  write(messages: readonly OutMessage[], epoch: Epoch, lastSequence: number): Promise<WriteAnswer>
  readStored(): Promise<readonly StoredMessage[]>
  /** Beats that the stream stored, whoever wrote them; `refused` while there is no right to hear them. */
  onBeat(listener: (epoch: Epoch) => void, refused?: (error: CityError) => void): () => void
}

export type FencedStreamOptions = {
  readonly connection: NatsConnection
  readonly streamName: string
  readonly subjects: Subjects
  readonly kind: 'rooms' | 'users'
  readonly replicas: number
  readonly storage?: 'file' | 'memory' | undefined
  readonly inboxPrefix: string
  readonly clock: Clock
  /** NATS said no to a claim or a write, with this code of its own; 0 where it gave none. */
  readonly onRefusal?: (code: number) => void
}

// Measured: 3 ms for a batch on one node, 20 ms for a thousand messages with three; five seconds are an election of the stream.
const answerTimeoutMs = 5_000
// Reading is a matter of milliseconds and may be repeated: while the stream has no leader, or an answer was lost, soon again.
const readTimeoutMs = 1_500
// Rooms or users, living and removed; a stream with more is not ours.
const storedMax = { rooms: 2 * roomsMax + 2, users: 1_000_000 }
const storedTimeoutMs = 10_000
// Of three copies one that stands still is asked as often as the others, and never answers. A healthy one begins within milliseconds;
// one that is only slow gets twice as long each time.
const firstWordBaseMs = 500
const notFound = 10_059
const noMessage = 10_037
const fenceRefused = 10_071

type ApiError = { readonly err_code?: number; readonly code?: number; readonly description?: string }

type Open = FencedStreamOptions & { readonly link: NatsLink }

export function openFencedStream(given: FencedStreamOptions): FencedStream {
  const { connection, streamName, subjects, kind, clock } = given
  const options: Open = { ...given, link: followLink({ connection, clock, timeoutMs: answerTimeoutMs }) }
  const epochSubject = kind === 'rooms' ? subjects.epoch : subjects.userEpoch
  let firstWordMs = firstWordBaseMs
  return {
    ensure: () => ensure(options),
    readRecord: () => readRecord(options.link, streamName, epochSubject),
    claim: (record, expectedSequence) => claim(options, epochSubject, record, expectedSequence),
    write: (messages, epoch, lastSequence) => write(options, epochSubject, { messages, epoch, lastSequence }),
    async readStored() {
      const stored = await readStored(options, firstWordMs).catch((error: unknown) => {
        firstWordMs = Math.min(firstWordMs * 2, storedTimeoutMs)
        throw error
      })
      firstWordMs = firstWordBaseMs
      return stored
    },
    onBeat: (listener, refused) => listenToBeats(options, listener, refused),
  }
}

// --- questions to the API --------------------------------------------------------------------------------------------------------

async function ask<T>(
  link: NatsLink,
  subject: string,
  body: unknown,
  timeoutMs = readTimeoutMs,
): Promise<T & { error?: ApiError }> {
  const answer = await link.request({ subject, body: JSON.stringify(body), timeoutMs })
  return answer.json<T & { error?: ApiError }>()
}

type StreamAnswer = { readonly config?: Readonly<Record<string, unknown>> }

async function ensure(options: Open): Promise<void> {
  const { link, streamName, subjects, kind, replicas, storage, clock } = options
  const wanted = wantedStream({ name: streamName, prefix: subjects.prefix, kind, replicas, storage })
  let answer = await ask<StreamAnswer>(link, `$JS.API.STREAM.INFO.${streamName}`, {})
  // Asked first: a stream of another beginning cannot be made over one that is there.
  if (answer.error?.err_code === notFound)
    answer = await ask<StreamAnswer>(
      link,
      `$JS.API.STREAM.CREATE.${streamName}`,
      {
        ...wanted,
        // Grows over every recreation of the stream, so that no old sequence is met again.
        first_seq: Math.trunc(clock.wallMs()) * 1_000,
      },
      answerTimeoutMs,
    )
  if (answer.error !== undefined || answer.config === undefined)
    throw new CityError('NatsNoStorage', `${streamName}: ${answer.error?.description ?? 'no such stream'}`)
  const difference = differenceOf(wanted, answer.config)
  if (difference !== undefined) throw new CityError('StreamDiffers', `${streamName}: ${difference}`)
}

type RecordAnswer = { readonly message?: { readonly seq: number; readonly data?: string } }

/** From the stream's leader, never from a follower, which may still hold the record before. */
async function readRecord(link: NatsLink, streamName: string, subject: string): Promise<RecordRead> {
  const answer = await ask<RecordAnswer>(link, `$JS.API.STREAM.MSG.GET.${streamName}`, { last_by_subj: subject })
  if (answer.error?.err_code === noMessage) return { record: undefined, sequence: 0 }
  if (answer.message === undefined)
    throw new CityError(
      'PublishUnknown',
      `${streamName}: the epoch record cannot be read: ${answer.error?.description ?? 'no answer'}`,
    )
  const text = Buffer.from(answer.message.data ?? '', 'base64').toString()
  const decoded = decodeJson(epochRecord, text)
  if (!decoded.ok)
    throw new CityError('WireGarbled', `${streamName}: epoch record: ${describeDecodeError(decoded.error)}`)
  const { term, holder, city } = decoded.value
  return { record: { term, holder, city }, sequence: answer.message.seq }
}

// --- writing ---------------------------------------------------------------------------------------------------------------------

const expectedSequence = 'Nats-Expected-Last-Subject-Sequence'
const expectedSubject = 'Nats-Expected-Last-Subject-Sequence-Subject'

async function claim(options: Open, epochSubject: string, record: EpochRecord, expected: number): Promise<WriteAnswer> {
  const fields = headers()
  fields.set(expectedSequence, String(expected))
  const account = accountOf(options.connection)
  const body = JSON.stringify({ ...record, ...(account !== undefined && { account }) })
  return send(options, options.subjects.ingest(epochSubject), body, fields, (ack) =>
    typeof ack.seq === 'number' ? undefined : 'the acknowledgement has no sequence',
  )
}

type Write = { readonly messages: readonly OutMessage[]; readonly epoch: Epoch; readonly lastSequence: number }
type Ack = { readonly seq?: number; readonly batch?: string; readonly count?: number; readonly error?: ApiError }

let batches = 0

async function write(
  options: Open,
  epochSubject: string,
  { messages, epoch, lastSequence }: Write,
): Promise<WriteAnswer> {
  const last = messages.at(-1)
  // Nothing of it would leave: then it is known not to be stored, but the next to be heard may be another all the same.
  if (!options.link.isUp) return { kind: 'unknown', why: 'not connected' }
  if (last === undefined || messages.length > batchMax) throw new RangeError(`a batch of ${messages.length} messages`)
  // A single message needs no batch to be all or nothing, and costs the server an eighth. No two leaders share an epoch.
  const id = messages.length === 1 ? undefined : `${formatEpoch(epoch)}-${(batches += 1)}`
  const fence = (message: OutMessage, index: number): MsgHdrs => {
    const fields = headers()
    for (const [name, value] of Object.entries(message.headers)) fields.set(name, value)
    fields.set(expectedSequence, String(epoch.epoch))
    fields.set(expectedSubject, epochSubject)
    if (id !== undefined) {
      fields.set('Nats-Batch-Id', id)
      fields.set('Nats-Batch-Sequence', String(index + 1))
    }
    return fields
  }
  for (const [index, message] of messages.slice(0, -1).entries())
    options.connection.publish(options.subjects.ingest(message.subject), message.body, {
      headers: fence(message, index),
    })
  const fields = fence(last, messages.length - 1)
  if (id !== undefined) fields.set('Nats-Batch-Commit', '1')
  return send(options, options.subjects.ingest(last.subject), last.body, fields, (ack) =>
    whyFalse(ack, id, messages.length, lastSequence),
  )
}

/** An acknowledgement that does not begin where my last one ended belongs to a store that was rolled back or written by another. */
function whyFalse(ack: Ack, id: string | undefined, count: number, lastSequence: number): string | undefined {
  if (typeof ack.seq !== 'number') return 'the acknowledgement has no sequence'
  if (id !== undefined && ack.batch !== id) return 'the acknowledgement is of another batch'
  if (id !== undefined && ack.count !== count) return 'the acknowledgement counts other messages'
  return ack.seq - count === lastSequence ? undefined : 'the acknowledgement begins elsewhere'
}

async function send(
  { link, onRefusal }: Open,
  subject: string,
  body: string,
  fields: MsgHdrs,
  whyNot: (ack: Ack) => string | undefined,
): Promise<WriteAnswer> {
  let ack: Ack
  try {
    const answer = await link.request({ subject, body, headers: fields })
    ack = answer.json<Ack>()
  } catch (error) {
    const why = error instanceof Error ? error.message : 'no answer'
    return { kind: 'unknown', why, ...(error instanceof CityError && { error }) }
  }
  if (ack.error !== undefined) onRefusal?.(ack.error.err_code ?? ack.error.code ?? 0)
  if (ack.error?.err_code === fenceRefused) return { kind: 'refused' }
  const why = ack.error === undefined ? whyNot(ack) : (ack.error.description ?? 'an error without a word')
  return why === undefined ? { kind: 'acked', sequence: ack.seq ?? 0 } : { kind: 'unknown', why }
}

// --- reading ---------------------------------------------------------------------------------------------------------------------

async function readStored(options: FencedStreamOptions, firstWordMs: number): Promise<readonly StoredMessage[]> {
  const { subjects, kind } = options
  const question = {
    ...options,
    subjects: kind === 'rooms' ? subjects.rooms : subjects.users,
    timeoutMs: storedTimeoutMs,
    firstWordMs,
    messagesMax: storedMax[kind],
  }
  return readNewest(question, (message) => ({
    subject: message.headers?.get('Nats-Subject') ?? '',
    body: message.string(),
  }))
}

function listenToBeats(
  { connection, subjects, streamName, clock }: FencedStreamOptions,
  listener: (epoch: Epoch) => void,
  refused: (error: CityError) => void = () => undefined,
): () => void {
  const hear = (message: Msg): void => {
    // Only what the stream stored: anybody in the account could publish on the subject itself.
    if (message.headers?.get('Nats-Stream') !== streamName) return
    const epoch = parseEpoch(message.headers.get(epochHeader))
    if (epoch !== undefined) listener(epoch)
  }
  return keepSubscribed({ connection, subject: subjects.beat, clock, hear, refused })
}
