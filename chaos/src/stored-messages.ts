// Everything that the stream stores, noted as it is republished. It listens beside the gateways with rights of its own and
// without any of the links that faults cut, and after each reconnection it reads what is stored, so that little is missed.
import { connect, type Msg, type NatsConnection } from '@nats-io/transport-node'
import { readNewest } from '@citypresence/chassis/edge/nats-direct-get'
import { systemClock } from '@citypresence/chassis/edge/clock'
import type { NatsUser } from '@citypresence/stack/nats-config'
import type { NatsServer } from '@citypresence/stack/nats-server'
import { until } from '@citypresence/stack/until'
import { arrive, createArrivalOrder, forgetOrder, inOrder } from './core/arrival-order.ts'
import type { Recorder } from '@citypresence/checker/recorder'
import { storedOf } from '@citypresence/checker/stored-message'

const streamName = 'CITY_PRESENCE'
const subjects = 'city.presence.>'
// More than a city of a test says in the seconds in which the stream is read again.
const heldMax = 100_000
// A server that has just come back may not know its stream yet.
const readsMax = 10
// One of several servers may be that much behind another that missed something.
const waitMs = 1_000

export type StoredMessages = {
  /** The store was taken back or lost: what comes next may begin lower. */
  rolledBack(): void
  /** Everything that was republished until now is noted: a judge who reads before that takes what was shown for made up. */
  caughtUp(): Promise<void>
  stop(): Promise<void>
}

/** `url` may name several servers: each is heard on a connection of its own, because any of them may be cut off for a while. */
export async function recordStored(
  { url, admin }: Pick<NatsServer, 'url' | 'admin'>,
  recorder: Recorder,
): Promise<StoredMessages> {
  const urls = url.split(',')
  const order = createArrivalOrder<Arrived>(urls.length > 1 ? waitMs : 0)
  const noteAll = (): void => {
    for (const { item, atMs } of inOrder(order, recorder.nowMs())) note(recorder, item, atMs)
  }
  const take = (message: Msg, caughtUp: boolean): void => {
    // Not republished by the stream: no gateway believes it either.
    if (message.headers?.get('Nats-Stream') !== streamName) return
    const sequence = Number(message.headers.get('Nats-Sequence'))
    arrive(order, sequence, { message, sequence, caughtUp }, recorder.nowMs())
    noteAll()
  }
  const looking = setInterval(noteAll, waitMs / 4)
  looking.unref()
  const connections = await Promise.all(urls.map((server) => listen(server, admin, take)))
  return {
    rolledBack() {
      forgetOrder(order)
      recorder.note({ kind: 'rolled-back' })
    },
    async caughtUp() {
      // The answer to a ping comes behind all that was sent before it. A server that is gone answers none.
      const late = new Promise((resolve) => setTimeout(resolve, waitMs).unref())
      await Promise.all(
        connections.map((connection) => Promise.race([connection.flush().catch(() => undefined), late])),
      )
      await until(() => (noteAll(), order.waiting.size === 0), {
        deadlineMs: 10 * waitMs,
        what: 'what was stored to be in order',
      })
    },
    async stop() {
      clearInterval(looking)
      await Promise.all(connections.map((connection) => connection.close()))
    },
  }
}

type Arrived = { readonly message: Msg; readonly sequence: number; readonly caughtUp: boolean }

function note(recorder: Recorder, { message, sequence, caughtUp }: Arrived, atMs: number): void {
  const stored = storedOf(message)
  if (stored !== undefined) recorder.note({ kind: 'stored', sequence, caughtUp, ...stored }, atMs)
}

async function listen(
  server: string,
  { user, pass }: NatsUser,
  take: (message: Msg, caughtUp: boolean) => void,
): Promise<NatsConnection> {
  const connection = await connect({
    servers: server,
    ignoreClusterUpdates: true, // this server and no other
    user,
    pass,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 50, // it is to be back before the gateways are
    pingInterval: 2_000,
    maxPingOut: 2,
    ignoreAuthErrorAbort: true,
  })
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
  return connection
}

/** Asks until it is answered, or until the connection is lost again. */
async function readStored(connection: NatsConnection): Promise<readonly Msg[]> {
  for (let attempt = 0; attempt < readsMax; attempt++) {
    const newest = await readNewest(
      {
        connection,
        streamName,
        subjects,
        inboxPrefix: '_INBOX',
        clock: systemClock,
        timeoutMs: 1_000,
        messagesMax: 100_000,
      },
      (message) => message,
    ).catch(() => undefined)
    if (newest !== undefined) return newest
  }
  return []
}
