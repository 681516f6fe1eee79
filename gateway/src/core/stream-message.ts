// A message of the stream, from NATS's headers and body to what the feed understands; the same for live ones and for snapshots.
//
// It counts only with the stream's own name, the subject it came on, a body that decodes, and a room that is the subject's: what
// another client of the account publishes has none of the first, and what a broken leader writes fails at the others.
import { beat } from '@citypresence/wire/beat'
import { decodeJson, describeDecodeError } from '@citypresence/wire/decode'
import { epochHeader, epochRecord, parseEpoch, traceHeader } from '@citypresence/wire/epoch'
import { roomPresence } from '@citypresence/wire/room-presence'
import type { ParsedSubject, Subjects } from '@citypresence/wire/subjects'
import type { StreamMessage } from './feed.ts'

export type RawMessage = { readonly subject: string; header(name: string): string; text(): string }

/** `unknown`: not a message of the stream at all. `unusable`: stored by the stream, but not understood; it counts in the sequence. */
export type ReadMessage =
  | { readonly kind: 'message'; readonly message: StreamMessage }
  | { readonly kind: 'unusable'; readonly message: StreamMessage; readonly problem: string }
  | { readonly kind: 'unknown'; readonly problem: string }

type Where = { readonly subjects: Subjects; readonly streamName: string }

const sequencePattern = /^[1-9]\d{0,15}$/

export function readMessage(raw: RawMessage, { subjects, streamName }: Where): ReadMessage {
  const subject = raw.header('Nats-Subject')
  const sequenceText = raw.header('Nats-Sequence')
  if (raw.header('Nats-Stream') !== streamName) return { kind: 'unknown', problem: 'it does not name the stream' }
  if (!sequencePattern.test(sequenceText)) return { kind: 'unknown', problem: 'it has no sequence' }
  const sequence = Number(sequenceText)
  const unusable = (problem: string): ReadMessage => ({
    kind: 'unusable',
    message: { kind: 'unusable', sequence },
    problem,
  })
  const parsed = subjects.parse(subject)
  if (parsed === undefined) return unusable('its subject is none of the known ones')
  const body = readBody(raw, parsed, sequence)
  return typeof body === 'string' ? unusable(body) : { kind: 'message', message: body }
}

/** The message, or why it is none. */
function readBody(raw: RawMessage, parsed: ParsedSubject, sequence: number): StreamMessage | string {
  if (parsed.kind === 'epoch') {
    const record = decodeJson(epochRecord, raw.text())
    if (!record.ok) return describeDecodeError(record.error)
    const { term, account } = record.value
    return { kind: 'epoch', sequence, term, ...(account !== undefined && { account }) }
  }
  const epoch = parseEpoch(raw.header(epochHeader))
  if (epoch === undefined) return `${epochHeader}: expected <term>.<epoch>`
  if (parsed.kind === 'beat') {
    const decoded = decodeJson(beat, raw.text())
    return decoded.ok ? { kind: 'beat', sequence, epoch, beat: decoded.value } : describeDecodeError(decoded.error)
  }
  if (parsed.kind !== 'room') return 'it is not meant for a gateway'
  const decoded = decodeJson(roomPresence, raw.text())
  if (!decoded.ok) return describeDecodeError(decoded.error)
  if (decoded.value.room_slug !== parsed.slug) return 'room_slug: expected the room of the subject'
  const traceparent = raw.header(traceHeader)
  return { kind: 'room', sequence, epoch, room: decoded.value, ...(traceparent !== '' && { traceparent }) }
}
