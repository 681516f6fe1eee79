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

/** One stored message, decoded. `unusable` is what did not decode: it says nothing, but counts in the sequence. */
export type StreamMessage = { readonly sequence: number } & (
  | { readonly kind: 'epoch'; readonly term: number }
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

type Known = { readonly epoch: Epoch; readonly sequence: number; readonly view: RoomView }

export type Feed = {
  connected: boolean
  /** The best voice heard; nothing lower is believed. */
  best: Epoch | undefined
  readonly rooms: Map<string, Known>
  /** Rooms of the best epoch, removed ones apart: what a beat's number is held against. */
  current: number
  /** Since this subscription, or since the last gap: the first and the last live sequence. */
  firstLive: number | undefined
  lastLive: number | undefined
  /** Newest sequence of the last believable snapshot of this connection. */
  snapshotNewest: number | undefined
  joined: boolean
  complete: boolean
  beat: { readonly beat: Beat; readonly sequence: number } | undefined
  beatAtMs: number | undefined
  completeAtMs: number | undefined
  liveAtMs: number | undefined
  asking: boolean
  /** A snapshot is wanted although joined: the beat counts other rooms than we know. */
  doubtful: boolean
  askedAtMs: number
  snapshotAtMs: number | undefined
  firstSnapshotAtMs: number | undefined
  ready: boolean
  status: { readonly stale: boolean; readonly reason?: StaleReason } | undefined
}

// A beat comes every second: five missed ones are no accident any more.
export const staleAfterMs = 5_000
// A snapshot of 5,000 rooms takes 50 ms of the server: more than one a second would only add to what made the gap.
export const askEveryMs = 1_000
// Against whatever nobody foresaw; costs nothing at this pace.
export const snapshotEveryMs = 300_000
// A gateway that restarts while no leader lives serves the last known counts, marked, rather than nobody.
export const readyAfterMs = 10_000

export const createFeed = (): Feed => ({
  connected: false,
  best: undefined,
  rooms: new Map(),
  current: 0,
  firstLive: undefined,
  lastLive: undefined,
  snapshotNewest: undefined,
  joined: false,
  complete: false,
  beat: undefined,
  beatAtMs: undefined,
  completeAtMs: undefined,
  liveAtMs: undefined,
  asking: false,
  doubtful: false,
  askedAtMs: Number.NEGATIVE_INFINITY,
  snapshotAtMs: undefined,
  firstSnapshotAtMs: undefined,
  ready: false,
  status: undefined,
})

/** Takes one event; what has to be done about it, in this order. */
export function step(feed: Feed, event: FeedEvent, nowMs: number): readonly FeedEffect[] {
  const effects = take(feed, event, nowMs)
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
      forgetConnection(feed, event.kind === 'connected')
      return []
    case 'tick':
      return []
  }
}

/** What was joined is not joined any more; what is known stays known. */
function forgetConnection(feed: Feed, connected: boolean): void {
  feed.connected = connected
  feed.firstLive = undefined
  feed.lastLive = undefined
  feed.snapshotNewest = undefined
  feed.joined = false
  feed.complete = false
  feed.asking = false
  feed.liveAtMs = undefined
}

// --- live messages ---------------------------------------------------------------------------------------------------------

function hear(feed: Feed, message: StreamMessage, nowMs: number): readonly FeedEffect[] {
  const voice = voiceOf(message)
  const order = voice === undefined || feed.best === undefined ? 0 : compareEpochs(voice, feed.best)
  // A lower voice counts in the sequence, if it is its turn, and is otherwise not heard at all.
  const isTurn = feed.lastLive === undefined || message.sequence === feed.lastLive + 1
  if (order < 0 || voice === undefined) {
    if (isTurn) follow(feed, message.sequence, nowMs)
    else if (message.sequence > (feed.lastLive ?? 0)) loseTrack(feed, message.sequence, nowMs)
    return voice === undefined ? [] : [{ kind: 'disbelieved', why: 'stale-epoch' }]
  }
  if (order === 0 && !isTurn && message.sequence <= (feed.lastLive ?? 0)) {
    feed.doubtful = true
    return [{ kind: 'disbelieved', why: 'repeated' }]
  }
  if (isTurn) follow(feed, message.sequence, nowMs)
  else loseTrack(feed, message.sequence, nowMs)
  const gap: FeedEffect[] = isTurn ? [] : [{ kind: 'disbelieved', why: 'gap' }]
  return [...gap, ...believe(feed, message, voice, nowMs)]
}

/** The epoch record speaks under itself: its own sequence is the epoch. */
function voiceOf(message: StreamMessage): Epoch | undefined {
  if (message.kind === 'epoch') return { term: message.term, epoch: message.sequence }
  return message.kind === 'unusable' ? undefined : message.epoch
}

function follow(feed: Feed, sequence: number, nowMs: number): void {
  feed.liveAtMs = nowMs
  feed.lastLive = sequence
  if (feed.firstLive !== undefined) return
  feed.firstLive = sequence
  // The snapshot that came before the first live message may already reach up to it.
  feed.joined = feed.snapshotNewest !== undefined && feed.snapshotNewest + 1 >= sequence
}

/** Something was missed: what is known may be old until a snapshot reaches up to here. */
function loseTrack(feed: Feed, sequence: number, nowMs: number): void {
  feed.liveAtMs = nowMs
  feed.firstLive = sequence
  feed.lastLive = sequence
  feed.joined = false
  feed.complete = false
}

function believe(feed: Feed, message: StreamMessage, voice: Epoch, nowMs: number): readonly FeedEffect[] {
  raise(feed, voice)
  if (message.kind === 'room') return learnLive(feed, message)
  if (message.kind !== 'beat') return []
  feed.beat = { beat: message.beat, sequence: message.sequence }
  feed.beatAtMs = nowMs
  return judgeComplete(feed, nowMs, true)
}

/** A higher voice begins a new count: of its rooms none is known yet. */
function raise(feed: Feed, voice: Epoch): void {
  if (feed.best !== undefined && compareEpochs(voice, feed.best) <= 0) return
  feed.best = voice
  feed.current = 0
  feed.beat = undefined
  feed.complete = false
}

function learnLive(feed: Feed, message: StreamMessage & { kind: 'room' }): readonly FeedEffect[] {
  const view = viewOf(message.room)
  setRoom(feed, { epoch: message.epoch, sequence: message.sequence, view })
  const { traceparent } = message
  return [
    {
      kind: 'changed',
      views: [view],
      oldestEventTs: message.room.last_event_ts,
      ...(traceparent !== undefined && { traceparent }),
    },
  ]
}

// --- rooms -----------------------------------------------------------------------------------------------------------------

const counts = (feed: Feed, known: Known | undefined): number =>
  known !== undefined && known.view.removed !== true && isCurrent(feed, known) ? 1 : 0

const isCurrent = (feed: Feed, known: Known): boolean =>
  feed.best !== undefined && compareEpochs(known.epoch, feed.best) === 0

function setRoom(feed: Feed, known: Known): void {
  feed.current += counts(feed, known) - counts(feed, feed.rooms.get(known.view.room_slug))
  feed.rooms.set(known.view.room_slug, known)
}

function dropRoom(feed: Feed, slug: string): void {
  feed.current -= counts(feed, feed.rooms.get(slug))
  feed.rooms.delete(slug)
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
  raise(feed, voice)
  feed.doubtful = false
  feed.snapshotAtMs = nowMs
  const newest = Math.max(...messages.map(({ sequence }) => sequence))
  feed.snapshotNewest = newest
  if (feed.firstLive !== undefined) feed.joined ||= newest + 1 >= feed.firstLive
  const views = merge(feed, messages)
  if (feed.joined) dropExpired(feed, messages, newest)
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

/** Takes what is newer than what is known; the views that came new. */
function merge(feed: Feed, messages: readonly StreamMessage[]): RoomView[] {
  const views: RoomView[] = []
  for (const message of messages) {
    if (message.kind === 'beat') noteStoredBeat(feed, message)
    if (message.kind !== 'room') continue
    const incoming: Known = { epoch: message.epoch, sequence: message.sequence, view: viewOf(message.room) }
    if (!isNews(feed, incoming)) continue
    setRoom(feed, incoming)
    views.push(incoming.view)
  }
  return views
}

/** A stored beat tells the number of rooms; that it is old is told by no live one coming after it. */
function noteStoredBeat(feed: Feed, message: StreamMessage & { kind: 'beat' }): void {
  const isOfBest = feed.best !== undefined && compareEpochs(message.epoch, feed.best) === 0
  if (isOfBest && message.sequence > (feed.beat?.sequence ?? 0))
    feed.beat = { beat: message.beat, sequence: message.sequence }
}

function isNews(feed: Feed, incoming: Known): boolean {
  const known = feed.rooms.get(incoming.view.room_slug)
  // What an older epoch left behind helps while nothing better is known, and is a ghost once the city is complete.
  if (feed.complete && !isCurrent(feed, incoming)) return false
  if (feed.best !== undefined && compareEpochs(incoming.epoch, feed.best) > 0) return false
  if (known === undefined) return true
  const order = compareEpochs(incoming.epoch, known.epoch)
  return order > 0 || (order === 0 && incoming.sequence > known.sequence)
}

/** A removed room expires from the stream: what the snapshot should have held and does not is gone. */
function dropExpired(feed: Feed, messages: readonly StreamMessage[], newest: number): void {
  const held = new Set(messages.flatMap((message) => (message.kind === 'room' ? [message.room.room_slug] : [])))
  for (const [slug, { sequence }] of feed.rooms) if (sequence <= newest && !held.has(slug)) dropRoom(feed, slug)
}

// --- complete, ready, stale --------------------------------------------------------------------------------------------------

function judgeComplete(feed: Feed, nowMs: number, isLive: boolean): readonly FeedEffect[] {
  const { beat, joined } = feed
  const agrees = feed.current === beat?.beat.rooms
  const complete = joined && beat?.beat.complete === true && agrees
  // Joined, and yet another number of rooms: something is missing that a snapshot may tell.
  if (isLive && joined && beat?.beat.complete === true && !agrees) feed.doubtful = true
  const became = complete && !feed.complete
  feed.complete = complete
  if (complete && isLive) feed.completeAtMs = nowMs
  if (!became) return []
  for (const [slug, known] of feed.rooms) if (!isCurrent(feed, known)) dropRoom(feed, slug)
  return [
    {
      kind: 'replaced',
      views: [...feed.rooms.values()].map(({ view }) => view).filter((view) => view.removed !== true),
    },
  ]
}

function judgeReady(feed: Feed, nowMs: number): void {
  const waited = feed.firstSnapshotAtMs !== undefined && nowMs - feed.firstSnapshotAtMs >= readyAfterMs
  // Once ready, always ready: a restarted gateway must not turn a leader's outage into a total one.
  feed.ready ||= feed.complete || waited
}

function askWhenWanted(feed: Feed, nowMs: number): readonly FeedEffect[] {
  if (!feed.connected || feed.asking) return []
  const isDue = feed.snapshotAtMs === undefined || nowMs - feed.snapshotAtMs >= snapshotEveryMs
  // Where nobody speaks, a snapshot alone is all there is to know: asked again now and then, not every second.
  const isSilent = feed.liveAtMs === undefined && feed.snapshotNewest !== undefined
  const pauseMs = isSilent ? staleAfterMs : askEveryMs
  if (!(isDue || !feed.joined || feed.doubtful) || nowMs - feed.askedAtMs < pauseMs) return []
  feed.asking = true
  feed.askedAtMs = nowMs
  return [{ kind: 'ask-snapshot' }]
}

function tellStatus(feed: Feed, nowMs: number): readonly FeedEffect[] {
  const reason = staleReason(feed, nowMs)
  const { status } = feed
  if (status?.stale === (reason !== undefined) && status.reason === reason) return []
  feed.status = reason === undefined ? { stale: false } : { stale: true, reason }
  return [{ kind: 'status', ...feed.status }]
}

/** Undefined when everything shown is as true as the leader knows. */
export function staleReason(feed: Feed, nowMs: number): StaleReason | undefined {
  const isRecent = (atMs: number | undefined): boolean => atMs !== undefined && nowMs - atMs <= staleAfterMs
  if (!isRecent(feed.beatAtMs)) return 'no-beat'
  if (!isRecent(feed.completeAtMs)) return 'incomplete'
  return feed.beat?.beat.source === 'stale' ? 'source' : undefined
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
