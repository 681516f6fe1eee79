// Messages as the leader makes them are read back whole; of anything else nothing is believed, and nothing throws.
import { epochHeader, formatEpoch, traceHeader } from '@citypresence/wire/epoch'
import { defaultPrefix, roomStream, subjectsBelow } from '@citypresence/wire/subjects'
import { anyRoomPresence, anySlug, kinds } from '@citypresence/wire/testing/any-message'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { readMessage, type ReadMessage } from './stream-message.ts'

const subjects = subjectsBelow(defaultPrefix)
const anyNumber = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })
const anyVoice = fc.record({ term: anyNumber, epoch: anyNumber })

type Headers = Readonly<Record<string, string>>
const headersOf = (subject: string, sequence: number, epoch?: string): Headers => ({
  'Nats-Stream': roomStream,
  'Nats-Subject': subject,
  'Nats-Sequence': String(sequence),
  ...(epoch !== undefined && { [epochHeader]: epoch }),
})
const read = (headers: Headers, text: string): ReadMessage =>
  readMessage(
    { subject: '', header: (name) => headers[name] ?? '', text: () => text },
    { subjects, streamName: roomStream },
  )

it('[G8] any room under its own subject is read whole, with voice, sequence and trace', () => {
  const anyTrace = fc.constantFrom(undefined, '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01')
  fc.assert(
    fc.property(anyRoomPresence, anyVoice, anyNumber, anyTrace, (room, epoch, sequence, trace) => {
      const headers = headersOf(subjects.room(room.room_slug), sequence, formatEpoch(epoch))
      const traced = { ...headers, ...(trace !== undefined && { [traceHeader]: trace }) }
      expect(read(traced, JSON.stringify(room))).toEqual({
        kind: 'message',
        message: { kind: 'room', sequence, epoch, room, ...(trace !== undefined && { traceparent: trace }) },
      })
    }),
  )
})

it('[G8] a room under the subject of another is stored and not believed; it still counts in the sequence', () => {
  fc.assert(
    fc.property(anyRoomPresence, anySlug, anyVoice, anyNumber, (room, slug, epoch, sequence) => {
      fc.pre(slug !== room.room_slug)
      const answer = read(headersOf(subjects.room(slug), sequence, formatEpoch(epoch)), JSON.stringify(room))
      expect(answer).toMatchObject({ kind: 'unusable', message: { kind: 'unusable', sequence } })
    }),
  )
})

it('[G8] of every kind of message only the one that belongs to the subject is believed', () => {
  const names = ['beat', 'epoch record'] as const
  const belongs = { beat: subjects.beat, 'epoch record': `${defaultPrefix}.epoch` }
  const anyMessage = fc
    .constantFrom(...kinds)
    .chain(({ name, valid }) => fc.record({ name: fc.constant(name), body: valid }))
  fc.assert(
    fc.property(anyMessage, fc.constantFrom(...names), anyVoice, ({ name, body }, subject, epoch) => {
      const answer = read(headersOf(belongs[subject], 7, formatEpoch(epoch)), JSON.stringify(body))
      expect(answer.kind).toBe(name === subject ? 'message' : 'unusable')
    }),
  )
})

it('[G8] whatever headers and body are, it is answered and never thrown; without the name of the stream it is unknown', () => {
  const subject = fc
    .constantFrom('room.market', 'beat', 'epoch', 'user.ada', 'weather')
    .map((name) => `${defaultPrefix}.${name}`)
  const anyHeaders = fc.dictionary(
    fc.constantFrom('Nats-Stream', 'Nats-Sequence', epochHeader, traceHeader),
    fc.string(),
  )
  fc.assert(
    fc.property(subject, anyHeaders, fc.oneof(fc.json(), fc.string()), (where, headers, text) => {
      expect(['message', 'unusable']).toContain(
        read({ ...headersOf(where, 7, '1.2'), [traceHeader]: headers[traceHeader] ?? '' }, text).kind,
      )
      const foreign = { ...headersOf(where, 7, '1.2'), ...headers, 'Nats-Stream': `${headers['Nats-Stream'] ?? ''}x` }
      expect(read(foreign, text).kind).toBe('unknown')
    }),
  )
})
