// A NATS server with JetStream, in memory, as far as the leader and the gateways lean on it: the stream API, fenced and atomic
// writes, what is republished, direct get. It hands out connections, so the edges of the services run on it as they are, and it
// can be told what a real server cannot: lose an acknowledgement, fall silent and store afterwards, roll its disk back.
//
//   connection.request / publish -> answer(subject) -> API, or store.take -> acknowledged, and republished to subscribers
//
// Time comes from the clock that is handed in: a test turns it, and times to live and timeouts follow.
import type { MsgHdrs, Msg, NatsConnection } from '@nats-io/transport-node'
import type { Clock } from '@citypresence/chassis/edge/clock'
import {
  copyStore,
  errorOf,
  expire,
  matches,
  moved,
  newestOf,
  openStore,
  take,
  type Fields,
  type Incoming,
  type Store,
  type StoredMessage,
  type StreamConfig,
} from './presence-stream/store.ts'
import { deliver, isHeard, toMessage, type Delivery, type Subscribers } from './presence-stream/subscribers.ts'

export type StreamServer = {
  connect(): NatsConnection
  /** What a stream holds now, in the order of sequences. */
  stored(streamName: string): readonly StoredMessage[]
  /** Keeps a copy of the disk; the answer puts it back, as after a loss of power. */
  backUp(): () => void
  /** Of writes from now on: the answer is lost, the message is not. */
  loseAnswers(count: number): void
  /** Of writes from now on: refused with this code, and nothing is stored. */
  refuseWrites(count: number, errorCode: number): void
  /** Cuts a connection: it sends and hears nothing, and is told so, until it is joined again. */
  cut(connection: NatsConnection): void
  join(connection: NatsConnection): void
  /** Takes everything and does nothing, until resume() does it all. */
  pause(): void
  resume(): void
}

type PublishOptions = { readonly headers?: MsgHdrs; readonly reply?: string }
type RequestOptions = { readonly headers?: MsgHdrs; readonly timeout?: number }

type Server = {
  readonly clock: Clock
  readonly stores: Map<string, Store>
  readonly subscribers: Subscribers
  readonly waiting: (() => void)[]
  paused: boolean
  answersToLose: number
  readonly refusals: number[]
  readonly links: Map<NatsConnection, Link>
}

type Link = { isCut: boolean; readonly tell: (type: 'disconnect' | 'reconnect') => void }

const timeoutMsDefault = 5_000

export function createStreamServer(clock: Clock): StreamServer {
  const server: Server = {
    clock,
    stores: new Map(),
    subscribers: new Set(),
    waiting: [],
    paused: false,
    answersToLose: 0,
    refusals: [],
    links: new Map(),
  }
  const { stores } = server
  return {
    connect: () => connectTo(server),
    stored(streamName) {
      const store = stores.get(streamName)
      if (store === undefined) return []
      expire(store, clock.wallMs())
      return newestOf(store, '>')
    },
    backUp() {
      const copies = [...stores].map(([name, store]) => [name, copyStore(store)] as const)
      return () => {
        stores.clear()
        for (const [name, copy] of copies) stores.set(name, copyStore(copy))
      }
    },
    loseAnswers: (count) => (server.answersToLose = count),
    refuseWrites: (count, errorCode) => server.refusals.push(...Array.from({ length: count }, () => errorCode)),
    cut: (connection) => setLink(server, connection, true),
    join: (connection) => setLink(server, connection, false),
    pause: () => (server.paused = true),
    resume() {
      server.paused = false
      for (const run of server.waiting.splice(0)) run()
    },
  }
}

// --- one connection --------------------------------------------------------------------------------------------------------------

function setLink({ links }: Server, connection: NatsConnection, isCut: boolean): void {
  const link = links.get(connection)
  if (link === undefined || link.isCut === isCut) return
  link.isCut = isCut
  link.tell(isCut ? 'disconnect' : 'reconnect')
}

function connectTo(server: Server): NatsConnection {
  const statuses = createStatuses()
  const link: Link = { isCut: false, tell: (type) => statuses.push({ type }) }
  const connection = {
    status: () => statuses.values(),
    publish(subject: string, body = '', { headers, reply }: PublishOptions = {}) {
      if (link.isCut) return
      whenAwake(server, () => {
        const replies = answer(server, { subject, body, headers: fieldsOf(headers) })
        if (reply !== undefined) for (const one of replies) deliver(server.subscribers, { ...one, subject: reply })
      })
    },
    request: (subject: string, body = '', options: RequestOptions = {}) =>
      request(server, link, { subject, body, headers: fieldsOf(options.headers) }, options.timeout),
    subscribe(pattern: string, { callback }: { callback: (error: null, message: Msg) => void }) {
      const subscriber = { pattern, hear: (message: Msg) => (link.isCut ? undefined : callback(null, message)) }
      server.subscribers.add(subscriber)
      return { unsubscribe: () => server.subscribers.delete(subscriber) }
    },
    flush: () => Promise.resolve(),
  }
  // Only what our edges use; whatever else they may call is missing loudly.
  const made = connection as unknown as NatsConnection
  server.links.set(made, link)
  return made
}

/** Each reader of a connection's status hears all that happens from its beginning on. */
function createStatuses() {
  const readers = new Set<(status: { readonly type: string }) => void>()
  return {
    push(status: { readonly type: string }) {
      for (const hear of readers) hear(status)
    },
    values() {
      const waiting: { readonly type: string }[] = []
      let wake = (): void => undefined
      readers.add((status) => {
        waiting.push(status)
        wake()
      })
      return readAll(waiting, (ready) => (wake = ready))
    },
  }
}

async function* readAll<T>(waiting: T[], onMore: (ready: () => void) => void): AsyncGenerator<T> {
  for (;;) {
    const next = waiting.shift()
    if (next !== undefined) yield next
    else await new Promise<void>((resolve) => onMore(resolve))
  }
}

function request(server: Server, link: Link, message: Incoming, timeoutMs = timeoutMsDefault): Promise<Msg> {
  const { promise, resolve, reject } = Promise.withResolvers<Msg>()
  const cancel = server.clock.after(timeoutMs, () => reject(new Error('timeout')))
  const ask = (): void => {
    const [first] = answer(server, message)
    if (link.isCut || first === undefined) return
    if (first.status?.code === 503) reject(new Error(`no responders: '${message.subject}'`))
    else resolve(toMessage({ ...first, subject: '_INBOX.answer' }))
  }
  if (!link.isCut) whenAwake(server, ask)
  return promise.finally(cancel)
}

const fieldsOf = (headers: MsgHdrs | undefined): Fields =>
  Object.fromEntries([...(headers?.keys() ?? [])].map((name) => [name, headers?.get(name) ?? '']))

function whenAwake(server: Server, run: () => void): void {
  if (server.paused) server.waiting.push(run)
  else run()
}

// --- answers ---------------------------------------------------------------------------------------------------------------------

type Reply = Omit<Delivery, 'subject'>
type Replies = readonly Reply[]
const json = (value: unknown): Replies => [{ body: JSON.stringify(value) }]
const status = (code: number, text: string): Reply => ({ body: '', status: { code, text } })
const refused = (errorCode: number, description: string): Replies => json({ error: errorOf(errorCode, description) })

const apiSubject = /^\$JS\.API\.(STREAM\.(?:INFO|CREATE|UPDATE|DELETE|MSG\.GET)|DIRECT\.GET)\.([^.]+)$/

/** Nothing, where the sender never hears: its message was taken as part of a batch, or its answer is lost. */
function answer(server: Server, message: Incoming): Replies {
  const [, verb, streamName = ''] = apiSubject.exec(message.subject) ?? []
  if (verb === undefined) return write(server, message)
  const asked = JSON.parse(message.body === '' ? '{}' : message.body) as Record<string, unknown>
  const store = server.stores.get(streamName)
  if (store !== undefined) expire(store, server.clock.wallMs())
  if (verb === 'STREAM.CREATE') return create(server, asked as StreamConfig)
  if (verb === 'DIRECT.GET') return store === undefined ? [status(503, 'No Responders')] : readDirectly(store, asked)
  return store === undefined ? refused(10_059, 'stream not found') : answerFor(server, store, verb, asked)
}

function answerFor(server: Server, store: Store, verb: string, asked: Record<string, unknown>): Replies {
  const { name } = store.config
  switch (verb) {
    case 'STREAM.DELETE':
      server.stores.delete(name)
      return json({ success: true })
    case 'STREAM.UPDATE':
      server.stores.set(name, { ...store, config: asked as StreamConfig })
      return json({ config: asked })
    case 'STREAM.INFO':
      return json({ config: store.config, state: { last_seq: store.sequence } })
    default:
      return lastMessage(store, String(asked['last_by_subj']))
  }
}

function lastMessage(store: Store, subject: string): Replies {
  const found = store.messages.get(subject)
  if (found === undefined) return refused(10_037, 'no message found')
  return json({ message: { subject, seq: found.sequence, data: Buffer.from(found.body).toString('base64') } })
}

function create({ stores }: Server, config: StreamConfig): Replies {
  const there = stores.get(config.name)
  if (there !== undefined && JSON.stringify(there.config) !== JSON.stringify(config))
    return refused(10_058, 'stream name already in use with a different configuration')
  if (there === undefined) stores.set(config.name, openStore(config))
  return json({ config, state: {}, did_create: there === undefined })
}

function readDirectly(store: Store, asked: Record<string, unknown>): Replies {
  const fromSequence = Number(asked['seq'] ?? 1)
  const found = newestOf(store, String(asked['next_by_subj'])).filter(({ sequence }) => sequence >= fromSequence)
  if (found.length === 0) return [status(404, 'Message Not Found')]
  const messages = found.slice(0, Number(asked['batch'] ?? 1)).map((message) => ({
    body: message.body,
    headers: { ...message.headers, ...originOf(store, message) },
  }))
  return [...messages, status(204, 'EOB')]
}

const originOf = ({ config }: Store, { subject, sequence }: StoredMessage): Fields => ({
  'Nats-Stream': config.name,
  'Nats-Subject': subject,
  'Nats-Sequence': String(sequence),
})

function write(server: Server, message: Incoming): Replies {
  // Whoever listens to the subject itself hears it, stored or not.
  deliver(server.subscribers, message)
  const store = [...server.stores.values()].find(({ config }) =>
    config.subjects.some((subject) => matches(subject, message.subject)),
  )
  if (store === undefined) return isHeard(server.subscribers, message.subject) ? [] : [status(503, 'No Responders')]
  const isPart = message.headers['Nats-Batch-Id'] !== undefined && message.headers['Nats-Batch-Commit'] === undefined
  const refusal = isPart ? undefined : server.refusals.shift()
  return refusal === undefined ? keep(server, store, message) : refused(refusal, `told to refuse with ${refusal}`)
}

function keep(server: Server, store: Store, message: Incoming): Replies {
  const taken = take(store, message, server.clock.wallMs())
  if (taken.kind === 'held') return []
  if (taken.kind === 'refused') return json({ error: taken.error, stream: store.config.name, seq: 0 })
  for (const stored of taken.messages) republish(server, store, stored)
  if (server.answersToLose > 0) {
    server.answersToLose--
    return []
  }
  const ack = { stream: store.config.name, seq: store.sequence }
  return json(taken.batch === undefined ? ack : { ...ack, batch: taken.batch, count: taken.messages.length })
}

function republish({ subscribers }: Server, store: Store, message: StoredMessage): void {
  const { republish: rule } = store.config
  if (rule === undefined || !matches(rule.src, message.subject)) return
  const subject = moved(message.subject, rule)
  deliver(subscribers, { subject, body: message.body, headers: { ...message.headers, ...originOf(store, message) } })
}
