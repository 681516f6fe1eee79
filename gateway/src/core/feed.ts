// What the gateway believes about the city: from live messages and snapshots of the stream to rooms, completeness, staleness.
//
//   live messages --+                               +-> changed (these rooms), replaced (all rooms)
//                   +--> order, join, complete -----+-> status (stale or not, and why)
//   snapshots ------+                               +-> ask-snapshot (after a gap, a reconnect, every five minutes)
//
// Order is (term, epoch, sequence). Whoever speaks under a lower (term, epoch) than the best that was heard is not believed. The
// feed is complete when a snapshot joins the live messages without a gap and as many rooms of this epoch are known as the beat
// says; only then does it replace what browsers show. Until then rooms are only added: half a city is never taken for all of it.
//
// A feed belongs to one loop: `step` changes it in place (its table holds thousands of rooms) and returns what has to be done.
import type { Beat } from '@citypresence/wire/beat'
import { viewOf, type RoomView, type StaleReason } from '@citypresence/wire/client-messages'
import { compareEpochs, type Epoch } from '@citypresence/wire/epoch'
import type { RoomPresence } from '@citypresence/wire/room-presence'
import { createFreshness, endWrite, noteSource, staleAfterMs, staleReason, type Freshness } from './freshness.ts'
import { createRoomTable, dropMissing, learn, raise, settle, type Known, type RoomTable } from './feed-rooms.ts'

/** One stored message, decoded. `unusable` is what did not decode: it says nothing, but counts in the sequence. */
export type StreamMessage = { readonly sequence: number } & (
  | { readonly kind: 'epoch'; readonly term: number; readonly account?: string }
  | { readonly kind: 'beat'; readonly epoch: Epoch; readonly beat: Beat }
  | { readonly kind: 'room'; readonly epoch: Epoch; readonly room: RoomPresence; readonly traceparent?: string }
  | { readonly kind: 'unusable' }
)

export type FeedEvent =
  | { readonly kind: 'live'; readonly message: StreamMessage }
  | { readonly kind: 'snapshot'; readonly messages: readonly StreamMessage[] }
  | { readonly kind: 'snapshot-failed' }
  | { readonly kind: 'connected' }
  | { readonly kind: 'disconnected' }
  | { readonly kind: 'tick' }

/** Why a message was not believed. */
export type Disbelief = 'stale-epoch' | 'repeated' | 'gap'

export type FeedEffect =
  | { readonly kind: 'ask-snapshot' }
  | {
      readonly kind: 'changed'
      readonly views: readonly RoomView[]
      readonly oldestEventTs?: number
      readonly traceparent?: string
    }
  | { readonly kind: 'replaced'; readonly views: readonly RoomView[] }
  | { readonly kind: 'status'; readonly stale: boolean; readonly reason?: StaleReason }
  | { readonly kind: 'disbelieved'; readonly why: Disbelief }

export type Feed = RoomTable &
  Freshness & {
    connected: boolean
    /** Since this subscription, or since the last gap: the first and the last live sequence, and who spoke last. */
    firstLive: number | undefined
    lastLive: number | undefined
    liveVoice: Epoch | undefined
    /** Newest sequence of the last believable snapshot of this connection, since the last gap. */
    snapshotNewest: number | undefined
    /** Newest sequence of the best voice that was known when this connection, or the run after a gap, began. */
    knownNewest: number
    joined: boolean
    /** Joined only because nobody speaks. */
    alone: boolean
    complete: boolean
    beat: { readonly beat: Beat; readonly sequence: number } | undefined
    /** When the last live message came, at first when the connection did. */
    liveAtMs: number | undefined
    asking: boolean
    /** A snapshot is wanted although joined: a sequence came again, or the beat counts other rooms than we know. */
    doubt: 'repeated' | 'miscounted' | undefined
    askedAtMs: number
    snapshotAtMs: number | undefined
    firstSnapshotAtMs: number | undefined
    ready: boolean
    status: { readonly stale: boolean; readonly reason?: StaleReason } | undefined
  }

// A snapshot of 5,000 rooms takes 50 ms of the server: more than one a second would only add to what made the gap.
export const askEveryMs = 1_000
// Against whatever nobody foresaw; costs nothing at this pace.
export const snapshotEveryMs = 300_000
// A gateway that restarts while no leader lives serves the last known counts, marked, rather than nobody.
export const readyAfterMs = 10_000

export const createFeed = (): Feed => ({
  ...createRoomTable(),
  ...createFreshness(),
  connected: false,
  firstLive: undefined,
  lastLive: undefined,
  liveVoice: undefined,
  snapshotNewest: undefined,
  knownNewest: 0,
  joined: false,
  alone: false,
  complete: false,
  beat: undefined,
  liveAtMs: undefined,
  asking: false,
  doubt: undefined,
  askedAtMs: Number.NEGATIVE_INFINITY,
  snapshotAtMs: undefined,
  firstSnapshotAtMs: undefined,
  ready: false,
  status: undefined,
})

/** Takes one event; what has to be done about it, in this order. */
export function step(feed: Feed, event: FeedEvent, nowMs: number): readonly FeedEffect[] {
  const effects = [...take(feed, event, nowMs), ...believeAlone(feed, nowMs)]
  judgeReady(feed, nowMs)
  return [...effects, ...askWhenWanted(feed, nowMs), ...tellStatus(feed, nowMs)]
}

function take(feed: Feed, event: FeedEvent, nowMs: number): readonly FeedEffect[] {
  switch (event.kind) {
    case 'live':
      return hear(feed, event.message, nowMs)
    case 'snapshot':
      return readSnapshot(feed, event.messages, nowMs)
    case 'snapshot-failed':
      feed.asking = false
      return []
    case 'connected':
    case 'disconnected':
      forgetConnection(feed, event.kind === 'connected', nowMs)
      return []
    case 'tick':
      return []
  }
}

/** What was joined is not joined any more; what is known stays known. */
function forgetConnection(feed: Feed, connected: boolean, nowMs: number): void {
  feed.connected = connected
  feed.asking = false
  feed.liveAtMs = connected ? nowMs : undefined
  forgetRun(feed)
}

/** The next live message begins a new run, which a new snapshot has to join. */
function forgetRun(feed: Feed): void {
  feed.firstLive = undefined
  feed.lastLive = undefined
  feed.liveVoice = undefined
  feed.snapshotNewest = undefined
  feed.knownNewest = Math.max(feed.newestRoom, feed.beat?.sequence ?? 0)
  feed.joined = false
  feed.alone = false
  feed.complete = false
}

// --- live messages ---------------------------------------------------------------------------------------------------------

function hear(feed: Feed, message: StreamMessage, nowMs: number): readonly FeedEffect[] {
  const voice = voiceOf(message)
  const isLower = voice !== undefined && feed.best !== undefined && compareEpochs(voice, feed.best) < 0
  const turn = turnOf(feed, message.sequence, voice)
  // A lower voice, or none, counts in the sequence if it is its turn or later, and is otherwise not heard at all.
  if (turn === 'again' && !isLower && voice !== undefined) {
    feed.doubt = 'repeated'
    return [{ kind: 'disbelieved', why: 'repeated' }]
  }
  const gap: FeedEffect[] = turn === 'gap' ? [{ kind: 'disbelieved', why: 'gap' }] : []
  if (turn !== 'again') follow(feed, message.sequence, voice, turn === 'gap', nowMs)
  if (voice === undefined) return gap
  if (isLower) return [...gap, { kind: 'disbelieved', why: 'stale-epoch' }]
  return [...gap, ...believe(feed, message, voice, nowMs)]
}

/** What a sequence is to the run of live messages. A voice that is new to the run may begin anywhere: the store may have rolled back. */
function turnOf(feed: Feed, sequence: number, voice: Epoch | undefined): 'next' | 'gap' | 'again' {
  const { lastLive, liveVoice, best } = feed
  if (lastLive === undefined || sequence === lastLive + 1) return 'next'
  if (sequence > lastLive) return 'gap'
  const isKnownVoice = voice === undefined || (liveVoice !== undefined && compareEpochs(voice, liveVoice) <= 0)
  return isKnownVoice || (best !== undefined && compareEpochs(voice, best) < 0) ? 'again' : 'gap'
}

/** The epoch record speaks under itself: its own sequence is the epoch. */
function voiceOf(message: StreamMessage): Epoch | undefined {
  if (message.kind === 'epoch') return { term: message.term, epoch: message.sequence }
  return message.kind === 'unusable' ? undefined : message.epoch
}

/** Goes on with the run, or begins a new one; tells again whether a snapshot reaches up to its first message. */
function follow(feed: Feed, sequence: number, voice: Epoch | undefined, isGap: boolean, nowMs: number): void {
  // Something was missed: what is known may be old until a snapshot reaches up to here. After a silence what comes may have
  // waited on a broken way, and come in one rush: only the answer to a question asked now comes behind all that waited.
  if (isGap || isSilent(feed, nowMs)) forgetRun(feed)
  feed.liveAtMs = nowMs
  feed.lastLive = sequence
  if (voice !== undefined && (feed.liveVoice === undefined || compareEpochs(voice, feed.liveVoice) > 0))
    feed.liveVoice = voice
  if (feed.firstLive !== undefined) return
  // The snapshot that came before the first live message may already reach up to it.
  feed.firstLive = sequence
  feed.alone = false
  feed.joined = reaches(feed)
  feed.complete &&= feed.joined
}

/** Up to the first live message, and not back behind what was known before it (a follower that lags, a store rolled back). */
function reaches({ snapshotNewest, firstLive, knownNewest }: Feed): boolean {
  if (snapshotNewest === undefined || snapshotNewest < knownNewest) return false
  return firstLive !== undefined && snapshotNewest + 1 >= firstLive
}

/**
 * Where nobody has spoken, a snapshot alone is all there is to know. It counts, and is stale, as no beat came. One that does not
 * reach up to a live message is known to lag, and never counts.
 */
function believeAlone(feed: Feed, nowMs: number): readonly FeedEffect[] {
  if (feed.joined || feed.firstLive !== undefined || !isSilent(feed, nowMs)) return []
  if (feed.snapshotNewest === undefined || feed.snapshotNewest < feed.knownNewest) return []
  feed.joined = true
  feed.alone = true
  return judgeComplete(feed, nowMs, false)
}

const isSilent = ({ liveAtMs }: Feed, nowMs: number): boolean =>
  liveAtMs !== undefined && nowMs - liveAtMs >= staleAfterMs

function believe(feed: Feed, message: StreamMessage, voice: Epoch, nowMs: number): readonly FeedEffect[] {
  raiseVoice(feed, voice)
  if (message.kind === 'room') return learnLive(feed, message)
  endWrite(feed, message.kind === 'epoch' ? 'claim' : 'beat', nowMs)
  if (message.kind !== 'beat') return []
  noteBeat(feed, message)
  return judgeComplete(feed, nowMs, true)
}

function raiseVoice(feed: Feed, voice: Epoch): boolean {
  if (!raise(feed, voice)) return false
  feed.beat = undefined
  feed.knownNewest = 0
  feed.complete = false
  return true
}

function learnLive(feed: Feed, message: StreamMessage & { kind: 'room' }): readonly FeedEffect[] {
  const known = knownOf(message)
  if (!learn(feed, known)) return []
  const { traceparent } = message
  return [
    {
      kind: 'changed',
      views: [known.view],
      oldestEventTs: message.room.last_event_ts,
      ...(traceparent !== undefined && { traceparent }),
    },
  ]
}

const knownOf = ({ epoch, sequence, room }: StreamMessage & { kind: 'room' }): Known => ({
  epoch,
  sequence,
  view: viewOf(room),
})

/** A beat tells the number of rooms. A live one may be older than the stored one of a snapshot that overtook it. */
function noteBeat(feed: Feed, { beat, epoch, sequence }: StreamMessage & { kind: 'beat' }): void {
  const isOfBest = feed.best !== undefined && compareEpochs(epoch, feed.best) === 0
  if (!isOfBest || sequence <= (feed.beat?.sequence ?? 0)) return
  feed.beat = { beat, sequence }
  noteSource(feed, beat)
}

// --- snapshots -------------------------------------------------------------------------------------------------------------

function readSnapshot(feed: Feed, messages: readonly StreamMessage[], nowMs: number): readonly FeedEffect[] {
  feed.asking = false
  feed.firstSnapshotAtMs ??= nowMs
  const voice = bestVoice(messages)
  // A follower that lags may still show a deposed leader; an empty stream says nothing at all.
  if (voice === undefined) return []
  if (feed.best !== undefined && compareEpochs(voice, feed.best) < 0)
    return [{ kind: 'disbelieved', why: 'stale-epoch' }]
  // A voice that no live message had yet may speak from a store that was rolled back: the run begins again with its first one.
  if (raiseVoice(feed, voice) && feed.firstLive !== undefined) forgetRun(feed)
  feed.doubt = undefined
  feed.snapshotAtMs = nowMs
  feed.snapshotNewest = messages.reduce((newest, { sequence }) => Math.max(newest, sequence), 0)
  feed.joined ||= reaches(feed)
  const views = merge(feed, messages)
  if (feed.joined && dropExpired(feed, messages)) feed.complete = false
  const added: FeedEffect[] = views.length === 0 ? [] : [{ kind: 'changed', views }]
  return [...added, ...judgeComplete(feed, nowMs, false)]
}

function bestVoice(messages: readonly StreamMessage[]): Epoch | undefined {
  let best: Epoch | undefined
  for (const message of messages) {
    if (message.kind !== 'epoch') continue
    const voice = voiceOf(message)
    if (voice !== undefined && (best === undefined || compareEpochs(voice, best) > 0)) best = voice
  }
  return best
}

/** The views that came new. */
function merge(feed: Feed, messages: readonly StreamMessage[]): RoomView[] {
  const views: RoomView[] = []
  for (const message of messages) {
    if (message.kind === 'beat') noteBeat(feed, message)
    if (message.kind !== 'room') continue
    const known = knownOf(message)
    if (learn(feed, known)) views.push(known.view)
  }
  return views
}

/** A removed room expires from the stream: what the snapshot should have held and does not is gone. */
function dropExpired(feed: Feed, messages: readonly StreamMessage[]): boolean {
  const held = new Set(messages.flatMap((message) => (message.kind === 'room' ? [message.room.room_slug] : [])))
  return dropMissing(feed, held, feed.snapshotNewest ?? 0)
}

// --- complete, ready, stale --------------------------------------------------------------------------------------------------

function judgeComplete(feed: Feed, nowMs: number, isLive: boolean): readonly FeedEffect[] {
  const { beat, joined } = feed
  // In the middle of a batch the number is not yet told: its last message is the beat.
  if (joined && beat !== undefined && feed.newestRoom > beat.sequence) return []
  const agrees = feed.current === beat?.beat.rooms
  const complete = joined && beat?.beat.complete === true && agrees
  // Joined, and yet another number of rooms: something is missing that a snapshot may tell.
  if (isLive && joined && beat?.beat.complete === true && !agrees) feed.doubt ??= 'miscounted'
  const became = complete && !feed.complete
  feed.complete = complete
  // Not for a snapshot alone: when the first live message shows that it lagged, nothing must have called it fresh.
  if (complete && !feed.alone) feed.completeAtMs = nowMs
  return became ? [{ kind: 'replaced', views: settle(feed) }] : []
}

function judgeReady(feed: Feed, nowMs: number): void {
  const waited = feed.firstSnapshotAtMs !== undefined && nowMs - feed.firstSnapshotAtMs >= readyAfterMs
  // Once ready, always ready: a restarted gateway must not turn a leader's outage into a total one.
  feed.ready ||= feed.complete || waited
}

function askWhenWanted(feed: Feed, nowMs: number): readonly FeedEffect[] {
  if (!feed.connected || feed.asking) return []
  const isDue = feed.snapshotAtMs === undefined || nowMs - feed.snapshotAtMs >= snapshotEveryMs
  const isWanted = isDue || !feed.joined || feed.alone || feed.doubt !== undefined
  if (!isWanted || nowMs - feed.askedAtMs < pauseMsOf(feed)) return []
  feed.asking = true
  feed.askedAtMs = nowMs
  return [{ kind: 'ask-snapshot' }]
}

/** At most one a second; less where none is likely to help: nobody speaks, the snapshot in hand has to wait, a room never decodes. */
function pauseMsOf(feed: Feed): number {
  const waitsForLive = feed.firstLive === undefined && feed.snapshotNewest !== undefined
  const isMiscountedOnly = feed.joined && feed.doubt === 'miscounted'
  return waitsForLive || feed.alone || isMiscountedOnly ? staleAfterMs : askEveryMs
}

function tellStatus(feed: Feed, nowMs: number): readonly FeedEffect[] {
  const reason = staleReason(feed, nowMs)
  const { status } = feed
  if (status?.stale === (reason !== undefined) && status.reason === reason) return []
  feed.status = reason === undefined ? { stale: false } : { stale: true, reason }
  return [{ kind: 'status', ...feed.status }]
}

/** For /readyz: whether, and if not, why not. */
export function readinessOf(feed: Feed): { ready: boolean; reasons: string[] } {
  if (feed.ready) return { ready: true, reasons: [] }
  if (!feed.connected) return { ready: false, reasons: ['not connected to NATS'] }
  return {
    ready: false,
    reasons: [feed.firstSnapshotAtMs === undefined ? 'no snapshot yet' : 'the city is not complete yet'],
  }
}
