// Follows the stream on NATS: one core subscription on everything that is stored, and snapshots by direct get.
//
//   subscribe city.presence.> --callback--> readMessage --> feed --> listener (changed, replaced, status)
//   feed asks --> publish $JS.API.DIRECT.GET.<stream> --> all newest messages, then 204 --> feed
//   every 250 ms: tick (staleness, a snapshot that is due)
//
// One subscription with a callback, because several, or iterators, break the order.
import type { Clock } from '@citypresence/chassis/edge/clock'
import { spanFields } from '@citypresence/chassis/edge/active-span'
import { accountOf } from '@citypresence/chassis/edge/nats-account'
import { readNewest } from '@citypresence/chassis/edge/nats-direct-get'
import { keepSubscribed } from '@citypresence/chassis/edge/nats-subscription'
import type { ErrorCode } from '@citypresence/chassis/errors'
import { createSampledLog, type Logger } from '@citypresence/chassis/log'
import type { RoomView, StaleReason } from '@citypresence/wire/client-messages'
import { traceHeader } from '@citypresence/wire/epoch'
import { roomsMax } from '@citypresence/wire/room-directory'
import type { Subjects } from '@citypresence/wire/subjects'
import type { Msg, NatsConnection } from '@nats-io/transport-node'
import {
  createFeed,
  readinessOf,
  step,
  type Disbelief,
  type FeedEffect,
  type FeedEvent,
  type StreamMessage,
} from '../core/feed.ts'
import { readMessage, type RawMessage } from '../core/stream-message.ts'
import type { FeedMetrics } from '../feed-metrics.ts'

export interface FeedListener {
  changed(views: readonly RoomView[], stamps: { readonly oldestEventTs?: number; readonly traceparent?: string }): void
  replaced(views: readonly RoomView[]): void
  status(status: { readonly stale: boolean; readonly reason?: StaleReason }): void
}

export type FollowOptions = {
  readonly connection: NatsConnection
  readonly subjects: Subjects
  readonly streamName: string
  /** Own inbox, so that the right to hear answers can be narrow. */
  readonly inboxPrefix: string
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: FeedMetrics
  readonly listener: FeedListener
}

export type NatsSource = {
  readiness(): { ready: boolean; reasons: string[] }
  state(): { complete: boolean; term: number; epoch: number; rooms: number; sequence: number }
  stop(): Promise<void>
}

// A quarter of the smallest time that the feed judges.
const tickMs = 250
// A healthy server answers 5,000 rooms in 50 ms; a paused follower swallows a third of the questions and never answers.
const snapshotTimeoutMs = 2_000
// Every room live and as many removed ones that have not expired, epoch and beat; more is not our stream.
const snapshotMessagesMax = 2 * roomsMax + 2

const codeOf: Record<Disbelief, ErrorCode> = {
  'stale-epoch': 'StaleEpoch',
  repeated: 'SequenceRepeated',
  gap: 'SequenceGap',
}

export function followNats(options: FollowOptions): NatsSource {
  const { connection, subjects, clock, metrics, log } = options
  const feed = createFeed()
  const told = createSampledLog(log, { clock })
  let stopped = false
  let cancelTick = (): void => undefined
  const take = (event: FeedEvent): void => {
    if (stopped) return
    for (const effect of step(feed, event, clock.monotonicMs())) act(effect)
    metrics.complete.set(feed.complete ? 1 : 0)
    if (feed.best !== undefined) metrics.term.set(feed.best.term)
  }
  const act = (effect: FeedEffect): void => {
    if (effect.kind === 'ask-snapshot') void ask()
    else if (effect.kind === 'disbelieved') drop(codeOf[effect.why], effect.why)
    else tellListener(options.listener, effect)
  }
  /** The trace of the message that is being heard. */
  let heardUnder: string | undefined
  const drop = (code: ErrorCode, problem: string): void => {
    metrics.dropped.inc({ code })
    metrics.failed(code)
    told.warn(code, { code, problem, ...spanFields(heardUnder) }, 'a message from NATS is not believed')
  }
  let warned = false
  /** In one account a right to direct get is enough to forge: that is a choice, and told once. */
  const lookAtAccount = (leaders: string | undefined): void => {
    if (warned || leaders === undefined || leaders !== accountOf(connection)) return
    warned = true
    metrics.failed('NatsAccountShared')
    log.warn({ code: 'NatsAccountShared', account: leaders }, 'this gateway shares the NATS account of the leader')
  }
  const read = (message: Msg): StreamMessage | undefined => {
    metrics.messages.inc()
    const answer = readMessage(rawOf(message), options)
    if (answer.kind === 'message') {
      if (answer.message.kind === 'epoch') lookAtAccount(answer.message.account)
      return answer.message
    }
    drop(answer.kind === 'unusable' ? 'WireGarbled' : 'MessageForeign', `${message.subject}: ${answer.problem}`)
    return answer.kind === 'unusable' ? answer.message : undefined
  }
  const ask = async (): Promise<void> => {
    const messages = await readNewest(
      {
        connection,
        streamName: options.streamName,
        subjects: subjects.all,
        inboxPrefix: options.inboxPrefix,
        clock,
        timeoutMs: snapshotTimeoutMs,
        messagesMax: snapshotMessagesMax,
      },
      (message) => message,
    ).catch((error: unknown) => {
      metrics.failed('SnapshotFailed')
      told.warn('SnapshotFailed', { err: error, code: 'SnapshotFailed' }, 'the stream gave no snapshot')
      return undefined
    })
    metrics.snapshots.inc({ outcome: messages === undefined ? 'failed' : 'read' })
    if (messages === undefined) take({ kind: 'snapshot-failed' })
    else take({ kind: 'snapshot', messages: messages.map(read).filter((message) => message !== undefined) })
  }
  const unsubscribe = keepSubscribed({
    connection,
    subject: subjects.all,
    clock,
    refused: ({ code, message }) => drop(code, message),
    hear: (message) => {
      heardUnder = message.headers?.get(traceHeader)
      // The subject it came on has to be the one it was stored under: a foreign publisher can only claim that.
      const isOwn = message.headers?.get('Nats-Subject') === message.subject
      const known = isOwn ? read(message) : undefined
      if (!isOwn) drop('MessageForeign', `${message.subject}: it was not republished by the stream`)
      if (known !== undefined) take({ kind: 'live', message: known })
      heardUnder = undefined
    },
  })
  const tick = (): void => {
    take({ kind: 'tick' })
    cancelTick = clock.after(tickMs, tick)
  }
  void watchConnection(connection, take)
  take({ kind: 'connected' })
  cancelTick = clock.after(tickMs, tick)
  return {
    readiness: () => readinessOf(feed),
    state: () => ({
      complete: feed.complete,
      term: feed.best?.term ?? 0,
      epoch: feed.best?.epoch ?? 0,
      rooms: feed.current,
      sequence: feed.lastLive ?? 0,
    }),
    stop: () => {
      stopped = true
      cancelTick()
      unsubscribe()
      return Promise.resolve()
    },
  }
}

function tellListener(listener: FeedListener, effect: FeedEffect): void {
  if (effect.kind === 'changed') listener.changed(effect.views, effect)
  else if (effect.kind === 'replaced') listener.replaced(effect.views)
  else if (effect.kind === 'status') listener.status(effect)
}

const rawOf = (message: Msg): RawMessage => ({
  subject: message.subject,
  header: (name) => message.headers?.get(name) ?? '',
  text: () => message.string(),
})

async function watchConnection(connection: NatsConnection, take: (event: FeedEvent) => void): Promise<void> {
  for await (const status of connection.status()) {
    if (status.type === 'disconnect') take({ kind: 'disconnected' })
    if (status.type === 'reconnect') take({ kind: 'connected' })
  }
}
