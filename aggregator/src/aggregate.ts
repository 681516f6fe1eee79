// The aggregator's loop: what Matrix tells is learned, what changed is offered, what is due is said.
//
//   sync batch -> learn its slices -> takeChanged -> speech.changed -> voice.tick -> fenced stream
//   room map   -> mapRooms         -> takeChanged -> ...
//   every 50 ms: what time alone changes (typing, active window, grace, staleness), the election, the beat
//
// Slices of one batch are applied without saying anything in between (beats go on), so nobody hears half a response.
import type { Cancel, Clock } from '@citypresence/chassis/edge/clock'
import type { RoomSlug } from '@citypresence/wire/subjects'
import {
  advance,
  clearTyping,
  compareMembers,
  inheritBlindness,
  isPresenceHeld,
  learn,
  learnInto,
  mapRooms,
  mappedSlugs,
  nextDueAtMs,
  noteBlindness,
  presenceProbed,
  sourceOf,
  startReplacement,
  syncSucceeded,
  takeChanged,
  takeMembers,
  takeReplacement,
  unlistedRooms,
  valueOf,
  wantsPresenceProbe,
  type City,
  type Comparison,
  type MappedRoom,
} from './core/city.ts'
import type { Moment } from './core/moment.ts'
import type { Pieces } from './core/pieces.ts'
import { createPendingAudits, keepAudit, takeCaughtUp, type PendingAudits } from './core/pending-audits.ts'
import type { SourceVerdict } from './core/source-health.ts'
import type { Fact } from './core/sync-facts.ts'
import type { CityView, RoomSpeech } from './room-speech.ts'
import { createTurns, type Turns } from './turns.ts'
import type { Voice } from './voice.ts'

export interface SyncSource {
  batches(signal: AbortSignal): AsyncIterable<{
    readonly initial: boolean
    readonly lazy: boolean
    readonly requestedAt: Moment
    readonly asOf: Moment
    readonly receivedAt: Moment
    readonly slices: AsyncIterable<readonly Fact[]>
    readonly typingSuspect: boolean
    readonly traceparent: string | undefined
    /** Under the span of the batch. */
    run<T>(work: () => T): T
  }>
  /** The next batch is an initial one, asked for from now on. */
  startOver(): void
}

type MembersFinding = {
  readonly kind: 'members'
  readonly roomId: string
  readonly userIds: readonly string[]
  readonly askedAt: Moment
}
export type RoomFinding =
  | MembersFinding
  | { readonly kind: 'lost'; readonly roomId: string }
  | { readonly kind: 'blind'; readonly roomId: string; readonly isBlind: boolean }

export interface MapSource {
  updates(signal: AbortSignal): AsyncIterable<readonly MappedRoom[]>
  findings(signal: AbortSignal): AsyncIterable<RoomFinding>
  tombstone(roomId: string, replacement: string, viaServer: string): void
  refreshSoon(): void
  /** The members of these rooms are asked for before anything else; of no others. */
  wantMembers(roomIds: Iterable<string>): void
  /** How often in a row the map of now was seen. */
  sightings(): number
}

/** What there is to speak of: one full sync, a good map (and how often it was seen), and nothing half learned. */
export type Known = { synced: boolean; mapped: boolean; sightings: number; learning: boolean }

/**
 * compared; overtaken: more people moved than are remembered; repeated: one of the same room waits already; crowded: too many wait;
 * replaced: an initial sync said it all; unfollowed: the daemon left the room meanwhile.
 */
export type AuditEnd = Comparison['end'] | 'repeated' | 'crowded' | 'replaced'

export type AggregateOptions = {
  readonly city: City
  readonly known: Known
  readonly source: SyncSource
  readonly rooms: MapSource
  readonly speech: RoomSpeech
  readonly voices: readonly Voice[]
  /** Users whose status changed, where user events are on. */
  readonly tellUsers?: () => void
  /** Whether presence works; undefined when the homeserver did not answer. */
  readonly probePresence: (signal: AbortSignal) => Promise<boolean | undefined>
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly drift: (added: number, removed: number) => void
  /** What became of an audit. */
  readonly audited?: (end: AuditEnd) => void
  /** Matrix is followed while this says yes; always unless given. */
  readonly mayFollow?: () => boolean
  /** What the city thinks of its source, at each look at the clock. */
  readonly judged?: (verdict: SourceVerdict) => void
}

// The finest time that anybody sees: a throttle window may end this much late.
const tickMs = 50
// The homeserver's own limit on presence is one in ten seconds.
const probeEveryMs = 10_500

/** What the speech sees of the city. */
export const viewOfCity = (city: City, known: Known, clock: Clock): CityView => ({
  isKnown: () => known.synced && known.mapped && !known.learning,
  sightings: () => known.sightings,
  slugs: () => mappedSlugs(city),
  valueOf: (slug: RoomSlug) => valueOf(city, slug),
  source: () => sourceOf(city, momentOf(clock)),
  wallMs: () => clock.wallMs(),
  inheritBlindness: (last) => inheritBlindness(city, last),
})

const momentOf = (clock: Clock): Moment => ({ wallMs: clock.wallMs(), monotonicMs: clock.monotonicMs() })

/** Runs until the signal; rejects when Matrix can never be followed (the token is another user's). */
export async function aggregate(options: AggregateOptions): Promise<void> {
  const loop: Loop = {
    ...options,
    swapped: undefined,
    lost: new Set(),
    turns: createTurns(options.mayFollow?.() !== false),
    audits: createPendingAudits(),
    shownAgain: new Map(),
    probedAtMs: Number.NEGATIVE_INFINITY,
    doubted: false,
  }
  const cancel = startTicking(loop)
  try {
    while (!options.signal.aborted) await followInTurn(loop)
  } finally {
    cancel()
  }
}

/** Follows Matrix for one turn of leading; who always may has one turn, which ends with the process. */
async function followInTurn(loop: Loop): Promise<void> {
  const { signal, source, known } = loop
  await loop.turns.begun(signal)
  const turn = AbortSignal.any([signal, loop.turns.end()])
  await Promise.all([followMatrix(loop, turn), followMap(loop, turn), followFindings(loop, turn)])
  if (signal.aborted) return
  // What is known grows old from now on: the next turn begins with everything anew.
  known.synced = false
  source.startOver()
}

type Loop = AggregateOptions & {
  /** While a replacement takes the place of the city, piece by piece: when it is done. */
  swapped: Promise<undefined> | undefined
  /** Rooms that were found to be lost while a response was learned. */
  readonly lost: Set<string>
  readonly turns: Turns
  readonly audits: PendingAudits
  /** Rooms that the homeserver shows again, and since when. */
  readonly shownAgain: Map<string, number>
  probedAtMs: number
  doubted: boolean
}

async function followMatrix(loop: Loop, turn: AbortSignal): Promise<void> {
  for await (const batch of loop.source.batches(turn)) await batch.run(() => takeBatch(loop, batch))
}

type Batch = SyncSource extends { batches(signal: AbortSignal): AsyncIterable<infer B> } ? B : never

async function takeBatch(loop: Loop, batch: Batch): Promise<void> {
  const { city, known } = loop
  const at = batch.receivedAt
  known.learning = true
  if (batch.typingSuspect) clearTyping(city, at)
  if (batch.initial) await takeInitial(loop, batch)
  else
    for await (const facts of batch.slices) {
      heedRooms(loop, facts)
      learn(city, facts, at)
    }
  syncSucceeded(city, batch.asOf)
  await compareLists(loop, batch.requestedAt.monotonicMs, at)
  known.learning = false
  // That they were lost was found out after this response was made.
  for (const roomId of loop.lost) learnLost(loop, roomId, momentOf(loop.clock))
  loop.lost.clear()
  known.synced = true
  tell(loop, batch.traceparent)
}

async function takeInitial(loop: Loop, { lazy, slices, requestedAt, receivedAt: at }: Batch): Promise<void> {
  const { city, audits, rooms } = loop
  const replacement = startReplacement(city, lazy)
  for await (const facts of slices) {
    heedRooms(loop, facts)
    learnInto(replacement, facts, at)
  }
  await swap(loop, takeReplacement(city, replacement, at))
  // Lists from before it say nothing that it does not know better, and of a room that waits for its list much less.
  audits.forEach(() => loop.audited?.('replaced'))
  audits.clear()
  endBlindness(loop, requestedAt.monotonicMs, at)
  rooms.wantMembers(unlistedRooms(city))
}

/** Beats go on between the pieces; whoever has something to tell the city waits until it is whole. */
async function swap(loop: Loop, pieces: Pieces<void>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>()
  loop.swapped = promise
  await inPieces(loop, pieces)
  loop.swapped = undefined
  resolve(undefined)
}

async function inPieces<T>({ clock }: Loop, pieces: Pieces<T>): Promise<T> {
  for (;;) {
    const step = pieces.next()
    if (step.done === true) return step.value
    await nextTurn(clock)
  }
}

const nextTurn = (clock: Clock): Promise<void> =>
  new Promise((resolve) => {
    clock.after(0, resolve)
  })

/** What concerns the map rather than the counts. */
function heedRooms({ rooms }: Loop, facts: readonly Fact[]): void {
  for (const fact of facts) {
    if (fact.kind === 'tombstone') rooms.tombstone(fact.roomId, fact.replacement, fact.viaServer)
    if (fact.kind === 'alias-changed' || fact.kind === 'self-left') rooms.refreshSoon()
  }
}

async function followMap(loop: Loop, turn: AbortSignal): Promise<void> {
  for await (const rooms of loop.rooms.updates(turn)) {
    if (loop.swapped !== undefined) await loop.swapped
    mapRooms(loop.city, rooms, momentOf(loop.clock))
    loop.known.mapped = true
    tell(loop, undefined)
  }
}

async function followFindings(loop: Loop, turn: AbortSignal): Promise<void> {
  for await (const finding of loop.rooms.findings(turn)) {
    if (loop.swapped !== undefined) await loop.swapped
    const at = momentOf(loop.clock)
    if (finding.kind === 'lost') learnLost(loop, finding.roomId, at)
    else if (finding.kind === 'blind') heedBlindness(loop, finding.roomId, finding.isBlind, at)
    // The list of a room that waits for one is taken at once; any other is an audit.
    else if (!(await takeList(loop, finding, at))) {
      const kept = keepAudit(loop.audits, { ...finding, answeredAt: at })
      if (kept !== 'kept') loop.audited?.(kept)
    }
    tell(loop, undefined)
  }
}

async function takeList(loop: Loop, { roomId, userIds, askedAt }: MembersFinding, at: Moment): Promise<boolean> {
  const pieces = takeMembers(loop.city, roomId, userIds, { at, askedAt })
  for (;;) {
    const step = pieces.next()
    if (step.done === true) return step.value
    await nextTurn(loop.clock)
    if (loop.swapped !== undefined) await loop.swapped
  }
}

/** A room that is shown again may have changed meanwhile without a word: it is marked until all is learned anew. */
function heedBlindness({ city, source, shownAgain }: Loop, roomId: string, isBlind: boolean, at: Moment): void {
  if (isBlind) {
    shownAgain.delete(roomId)
    noteBlindness(city, roomId, true, at)
  } else if (!shownAgain.has(roomId)) {
    // Told again until the city has learned everything anew, which one question for everything does.
    shownAgain.set(roomId, at.monotonicMs)
    source.startOver()
  }
}

function endBlindness({ city, shownAgain }: Loop, requestedAtMs: number, at: Moment): void {
  for (const [roomId, sinceMs] of shownAgain) {
    if (requestedAtMs < sinceMs) continue
    shownAgain.delete(roomId)
    noteBlindness(city, roomId, false, at)
  }
}

/** The lists of members that this response has caught up with: what still differs is drift. */
async function compareLists(loop: Loop, requestedAtMs: number, at: Moment): Promise<void> {
  const { city, audits, drift, audited } = loop
  for (const { roomId, userIds, askedAt } of takeCaughtUp(audits, requestedAtMs)) {
    const { added, removed, end } = await inPieces(loop, compareMembers(city, roomId, userIds, at, askedAt))
    audited?.(end)
    if (added + removed > 0) drift(added, removed)
  }
}

/** Lost without a word of the sync: to the city it is as if it had said so, once the response that is being learned is whole. */
function learnLost({ city, known, lost }: Loop, roomId: string, at: Moment): void {
  if (known.learning) lost.add(roomId)
  else learn(city, [{ kind: 'self-left', roomId }], at)
}

/** Offers what changed and lets the voices speak. Not in the middle of a response. */
function tell(loop: Loop, traceparent: string | undefined): void {
  if (loop.known.learning) return
  const nowMs = loop.clock.monotonicMs()
  const changed = takeChanged(loop.city)
  if (changed.size > 0) loop.speech.changed(changed, traceparent, nowMs)
  loop.tellUsers?.()
  for (const voice of loop.voices) voice.tick()
}

function startTicking(loop: Loop): Cancel {
  let cancel: Cancel
  const tick = (): void => {
    const { city, clock } = loop
    loop.turns.set(loop.mayFollow?.() !== false)
    const at = momentOf(clock)
    loop.known.sightings = loop.rooms.sightings()
    const dueAtMs = nextDueAtMs(city)
    loop.judged?.(sourceOf(city, at))
    if (dueAtMs !== undefined && dueAtMs <= at.monotonicMs && loop.swapped === undefined) advance(city, at)
    if (wantsPresenceProbe(city, at)) void probe(loop)
    if (loop.known.learning) for (const voice of loop.voices) voice.tick()
    else tell(loop, undefined)
    cancel = clock.after(tickMs, tick)
  }
  cancel = loop.clock.after(tickMs, tick)
  return () => cancel()
}

async function probe(loop: Loop): Promise<void> {
  const nowMs = loop.clock.monotonicMs()
  if (nowMs - loop.probedAtMs < probeEveryMs) return
  loop.probedAtMs = nowMs
  const works = await loop.probePresence(loop.signal)
  if (loop.swapped !== undefined) await loop.swapped
  // What a poll says of us may undo the first half of a probe before the second: a city that is believed gets another one.
  const isFirstNo = works === false && !loop.doubted && !isPresenceHeld(loop.city)
  loop.doubted = isFirstNo
  if (works !== undefined && !isFirstNo) presenceProbed(loop.city, works, momentOf(loop.clock))
}
