// Reads the newest message of every subject of a stream by direct get: one question, many answers, an end mark.
//
//   publish $JS.API.DIRECT.GET.<stream> { seq: 1, batch, next_by_subj } --> message, message, ... --> 204
import { createInbox, type Msg, type NatsConnection } from '@nats-io/transport-node'
import { CityError } from '../errors.ts'
import type { Clock } from './clock.ts'

export type DirectGetOptions = {
  readonly connection: NatsConnection
  readonly streamName: string
  /** Which subjects, as they are stored. */
  readonly subjects: string
  readonly inboxPrefix: string
  readonly clock: Clock
  /** For the whole answer. */
  readonly timeoutMs: number
  /** For its beginning: a copy that stands still swallows a third of the questions and never answers. `timeoutMs` unless given. */
  readonly firstWordMs?: number
  /** More messages than the stream may hold are somebody else's stream. */
  readonly messagesMax: number
}

/** `keep` is asked as each message comes: a million of them are never looked at in one turn. */
export function readNewest<T>(options: DirectGetOptions, keep: (message: Msg) => T): Promise<T[]> {
  const { connection, streamName, subjects, inboxPrefix, clock, timeoutMs, messagesMax } = options
  const { firstWordMs = timeoutMs } = options
  const { promise, resolve, reject } = Promise.withResolvers<T[]>()
  const fail = (why: string, cause?: unknown): void =>
    reject(new CityError('SnapshotFailed', `${streamName}: ${why}`, { cause }))
  const messages: T[] = []
  const inbox = createInbox(inboxPrefix)
  const cancelFirst = clock.after(firstWordMs, () => fail(`no word in ${firstWordMs} ms`))
  const hear = (message: Msg): void => {
    if (messages.length === 0) cancelFirst()
    const code = message.headers?.code ?? 0
    if (code === 204) resolve(messages)
    else if (code === 404) resolve([])
    else if (code >= 400) fail(`it answered ${code} ${message.headers?.description ?? ''}`)
    else if (messages.push(keep(message)) > messagesMax) fail(`it holds more than ${messagesMax} messages`)
  }
  const subscription = connection.subscribe(inbox, {
    callback: (error, message) => {
      if (error === null) hear(message)
      else fail('the answer was refused', error)
    },
  })
  const cancel = clock.after(timeoutMs, () => fail(`no answer in ${timeoutMs} ms`))
  const question = JSON.stringify({ seq: 1, batch: messagesMax + 1, next_by_subj: subjects })
  try {
    connection.publish(`$JS.API.DIRECT.GET.${streamName}`, question, { reply: inbox })
  } catch (cause) {
    fail('the question could not be sent', cause)
  }
  return promise.finally(() => {
    cancelFirst()
    cancel()
    subscription.unsubscribe()
  })
}
