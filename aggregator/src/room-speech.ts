// What the leader says about rooms: at a takeover everything, then what changes, and a beat at least once a second.
//
//   begin -> beats "complete: false" -> stored rooms read, one full sync done, a good map -> every known room once,
//   unknown ones stale with their last stored value, rooms no longer on the map removed -> beats "complete: true"
import type { Beat } from '@citypresence/wire/beat'
import { decodeJson } from '@citypresence/wire/decode'
import type { Epoch } from '@citypresence/wire/epoch'
import { roomPresence, type RoomPresence } from '@citypresence/wire/room-presence'
import type { RoomSlug, Subjects } from '@citypresence/wire/subjects'
import { heldAfter, removedRoom, roomsPerBatchMax, toMessages, type OutMessage } from './core/batch.ts'
import type { RoomValue } from './core/city-rooms.ts'
import {
  createThrottle,
  forgetPublished,
  forgetRoom,
  nextDueAtMs,
  offer,
  takeDue,
  takeWaiting,
} from './core/room-throttle.ts'
import { roomsPerPiece, visit, type Pieces } from './core/pieces.ts'
import type { Speech } from './voice.ts'

/** What the speech asks about the city. */
export interface CityView {
  /** One full sync was learned, and there was a good map. */
  isKnown(): boolean
  /** How often in a row the map of now was seen. */
  sightings(): number
  slugs(): readonly RoomSlug[]
  valueOf(slug: RoomSlug): RoomValue
  source(): { readonly source: 'live' | 'stale'; readonly sourceAgeMs: number }
  wallMs(): number
  /** The stream holds this room as one that the homeserver keeps out of presence. */
  inheritBlindness(last: RoomPresence): void
}

export type RoomSpeech = Speech & {
  /** These may have another value now; the trace of what changed them. */
  changed(slugs: Iterable<RoomSlug>, traceparent: string | undefined, nowMs: number): void
  isComplete(): boolean
}

// The gateways call five missed beats a silence.
const beatEveryMs = 1_000
// After a takeover gateways come back one by one, and each waits for two words: for that long they come more often.
const gatherMs = 3_000
const gatherBeatEveryMs = 250

export function createRoomSpeech(city: CityView, subjects: Subjects, throttleMs: number): RoomSpeech {
  const throttle = createThrottle(throttleMs)
  const traces = new Map<string, string>()
  let epoch: Epoch | undefined
  let stored: Map<string, RoomPresence> | undefined
  /** The takeover that is under way, from its first piece to its last. */
  let taking: Pieces<void> | undefined
  let takenOver = false
  let complete = false
  let held = new Set<string>()
  let sending:
    | {
        readonly held: Set<string>
        readonly rooms: readonly RoomPresence[]
        readonly beat: Beat
        readonly atMs: number
      }
    | undefined
  let beatAtMs = Number.NEGATIVE_INFINITY
  let begunAtMs: number | undefined
  let beatSource: Beat['source'] | undefined

  const offerSlug = (slug: RoomSlug, nowMs: number): void => {
    const value = city.valueOf(slug)
    if (value.kind !== 'unobserved') offer(throttle, value.presence, nowMs)
  }

  /** A map without most of the rooms that the stream holds would remove them for everybody: it has to be seen twice. */
  const isBelieved = (before: ReadonlyMap<string, RoomPresence>): boolean => {
    const rooms = [...before.values()].filter(({ removed }) => removed !== true)
    if (rooms.length === 0) return true
    const mapped = new Set<string>(city.slugs())
    const kept = rooms.filter(({ room_slug: slug }) => mapped.has(slug)).length
    // No room at all is no map, however often it is seen.
    return mapped.size > 0 && (kept * 2 >= rooms.length || city.sightings() >= 2)
  }

  /** In pieces; what changes between two of them is offered by itself, and what is offered later is as it is then. */
  function* takeOver(before: ReadonlyMap<string, RoomPresence>, nowMs: number): Pieces<void> {
    yield* visit(city.slugs(), roomsPerPiece, (slug) => {
      const last = before.get(slug)
      // No sync says that a room is kept out of presence, it looks empty: until it was looked at, the stream knows more.
      if (last?.blind === true && last.removed !== true) city.inheritBlindness(last)
      // Never seen since this process began: the last known count, marked, is more than nothing and less than a claim.
      if (city.valueOf(slug).kind === 'unobserved' && last !== undefined && last.removed !== true)
        offer(throttle, { ...last, typing_count: 0, typing_users: [], active: false, stale: true }, nowMs)
      else offerSlug(slug, nowMs)
    })
    const mapped = new Set<string>(city.slugs())
    for (const [slug, last] of before)
      if (!mapped.has(slug) && last.removed !== true) offer(throttle, removedRoom(last, city.wallMs()), nowMs)
    // The batch of a large city has a turn of its own.
    if (mapped.size > roomsPerPiece) yield
  }

  const goOnTakingOver = (nowMs: number): void => {
    if (takenOver || stored === undefined || !city.isKnown()) return
    taking ??= isBelieved(stored) ? takeOver(stored, nowMs) : undefined
    if (taking?.next().done !== true) return
    taking = undefined
    takenOver = true
  }

  return {
    begin(next) {
      epoch = next
      // What a standby heard of caused nothing that is said now.
      traces.clear()
      forgetPublished(throttle)
      stored = undefined
      taking = undefined
      takenOver = false
      complete = false
      held = new Set()
      sending = undefined
      beatAtMs = Number.NEGATIVE_INFINITY
      begunAtMs = undefined
    },

    takeStored(messages) {
      stored = new Map()
      for (const { body } of messages) {
        // What does not decode belongs to no room we could name; a mapped one is published anew anyway.
        const decoded = decodeJson(roomPresence, body)
        if (decoded.ok) stored.set(decoded.value.room_slug, decoded.value)
      }
    },

    next(nowMs): readonly OutMessage[] {
      if (epoch === undefined) return []
      begunAtMs ??= nowMs
      const everyMs = nowMs - begunAtMs < gatherMs ? gatherBeatEveryMs : beatEveryMs
      goOnTakingOver(nowMs)
      const { source, sourceAgeMs } = city.source()
      // Whoever is told that the source lives again must not see what was true before it fell silent: windows wait for nobody then.
      const revives = beatSource === 'stale' && source === 'live'
      const take = revives ? takeWaiting : takeDue
      const rooms = takenOver ? take(throttle, nowMs, roomsPerBatchMax) : []
      const left = nextDueAtMs(throttle)
      const isWhole = takenOver && (complete || left === undefined || left > nowMs)
      const isDue = rooms.length > 0 || nowMs - beatAtMs >= everyMs || source !== beatSource || isWhole !== complete
      if (!isDue) return []
      const after = heldAfter(held, rooms)
      const beat: Beat = {
        complete: isWhole,
        rooms: after.size,
        source: revives && left !== undefined ? 'stale' : source,
        source_age_ms: Math.max(0, Math.trunc(sourceAgeMs)),
      }
      sending = { held: after, rooms, beat, atMs: nowMs }
      return toMessages(rooms, beat, { epoch, subjects, traceOf: (slug) => traces.get(slug) })
    },

    said(nowMs) {
      if (sending === undefined) return
      held = sending.held
      complete = sending.beat.complete
      beatSource = sending.beat.source
      // One that was long under way proves nothing to who hears it now: the next follows at once.
      beatAtMs = nowMs - sending.atMs >= beatEveryMs ? Number.NEGATIVE_INFINITY : nowMs
      for (const { room_slug: slug, removed } of sending.rooms) {
        traces.delete(slug)
        if (removed === true) forgetRoom(throttle, slug)
      }
      sending = undefined
    },

    changed(slugs, traceparent, nowMs) {
      for (const slug of slugs) {
        // The newest cause alone: an unsampled one must not go out under the trace of the one before. Who does not lead says nothing.
        if (traceparent === undefined || epoch === undefined) traces.delete(slug)
        else traces.set(slug, traceparent)
        if (takenOver || taking !== undefined) offerSlug(slug, nowMs)
      }
    },

    isComplete: () => complete,

    // While a response is being learned nothing can be got ready.
    isBusy: () => taking !== undefined && city.isKnown(),
  }
}
