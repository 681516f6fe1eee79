// A message as the stream republishes it, read for the recording: with the decoders of the wire and with nothing of the services.
import { beat } from '@citypresence/wire/beat'
import { decodeJson } from '@citypresence/wire/decode'
import { epochHeader, epochRecord, parseEpoch } from '@citypresence/wire/epoch'
import { roomPresence } from '@citypresence/wire/room-presence'
import type { Stored } from './core/history.ts'

/** What is needed of a message of the nats client. */
type RepublishedMessage = {
  readonly subject: string
  readonly headers?: { get(name: string): string }
  string(): string
}

/** What a stored message says and under whose epoch; undefined when it is none of the protocol's. */
export function storedOf(message: RepublishedMessage): { term: number; epoch: number; what: Stored } | undefined {
  const subject = message.headers?.get('Nats-Subject') ?? message.subject
  if (subject === 'city.presence.epoch') {
    const record = decodeJson(epochRecord, message.string())
    const sequence = Number(message.headers?.get('Nats-Sequence'))
    return record.ok
      ? { term: record.value.term, epoch: sequence, what: { kind: 'epoch', record: record.value } }
      : undefined
  }
  const voice = parseEpoch(message.headers?.get(epochHeader) ?? '')
  if (voice === undefined) return undefined
  if (subject === 'city.presence.beat') {
    const decoded = decodeJson(beat, message.string())
    return decoded.ok ? { ...voice, what: { kind: 'beat', beat: decoded.value } } : undefined
  }
  const decoded = decodeJson(roomPresence, message.string())
  return decoded.ok ? { ...voice, what: { kind: 'room', room: decoded.value } } : undefined
}
