// Everything that the stream stores, noted as it is republished. It listens beside the gateways with rights of its own and
// without any of the links that faults cut, and after each reconnection it reads what is stored, so that little is missed.
import { connect, type Msg, type NatsConnection } from '@nats-io/transport-node'
import { beat } from '@citypresence/wire/beat'
import { decodeJson } from '@citypresence/wire/decode'
import { epochHeader, epochRecord, parseEpoch } from '@citypresence/wire/epoch'
import { roomPresence } from '@citypresence/wire/room-presence'
import { readNewest } from '@citypresence/chassis/edge/nats-direct-get'
import { systemClock } from '@citypresence/chassis/edge/clock'
import type { NatsServer } from '@citypresence/stack/nats-server'
import type { Stored } from './core/history.ts'
import type { Recorder } from './recorder.ts'

const streamName = 'CITY_PRESENCE'
const subjects = 'city.presence.>'
// More than a city of a test says in the seconds in which the stream is read again.
const heldMax = 100_000
// A server that has just come back may not know its stream yet.
const readsMax = 10

export type StoredMessages = {
  /** The store was taken back or lost: what comes next may begin lower. */
  rolledBack(): void
  stop(): Promise<void>
}

export async function recordStored(
  nats: Pick<NatsServer, 'url' | 'admin'>,
  recorder: Recorder,
): Promise<StoredMessages> {
  const { user, pass } = nats.admin
  const connection = await connect({
    servers: nats.url.split(','),
    user,
    pass,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 50, // it is to be back before the gateways are
    pingInterval: 2_000,
    maxPingOut: 2,
    ignoreAuthErrorAbort: true,
  })
  let last = 0
  const take = (message: Msg, caughtUp: boolean): void => {
    const sequence = Number(message.headers?.get('Nats-Sequence'))
    // Not republished by the stream: no gateway believes it either.
    if (message.headers?.get('Nats-Stream') !== streamName || !(sequence > last)) return
    last = sequence
    const note = storedOf(message)
    if (note !== undefined) recorder.note({ kind: 'stored', sequence, caughtUp, ...note })
  }
  // After a lost connection what is stored comes first, then what was heard meanwhile: so the order stays.
  let held: Msg[] | undefined
  connection.subscribe(subjects, {
    callback: (error, message) => {
      if (error !== null) return
      if (held === undefined) take(message, false)
      else if (held.length < heldMax) held.push(message)
    },
  })
  void (async () => {
    for await (const { type } of connection.status()) {
      if (type === 'disconnect') held ??= []
      if (type !== 'reconnect') continue
      for (const message of await readStored(connection)) take(message, true)
      for (const message of held ?? []) take(message, false)
      held = undefined
    }
  })()
  return {
    rolledBack() {
      last = 0
      recorder.note({ kind: 'rolled-back' })
    },
    stop: () => connection.close(),
  }
}

/** Asks until it is answered, or until the connection is lost again. */
async function readStored(connection: NatsConnection): Promise<readonly Msg[]> {
  for (let attempt = 0; attempt < readsMax; attempt++) {
    const newest = await readNewest({
      connection,
      streamName,
      subjects,
      inboxPrefix: '_INBOX',
      clock: systemClock,
      timeoutMs: 1_000,
      messagesMax: 100_000,
    }).catch(() => undefined)
    if (newest !== undefined) return newest
  }
  return []
}

export function storedOf(message: Msg): { term: number; epoch: number; what: Stored } | undefined {
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
