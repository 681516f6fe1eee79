// From the answer of /sync to facts: what the homeserver said, one short sentence each.
//
//   rooms.join[id]   state (or state_after) -> timeline      membership, tombstone, alias      \
//   rooms.leave[id]                                          the daemon is out                  >  facts, in this order:
//   rooms.join[id]   timeline, ephemeral                     messages, typing                  /   membership, life, presence
//   presence                                                 who is online
//
// Every event is checked by itself: a bad one is counted and passed over, because one broken event of one foreign server must
// not hide a city. Only an answer without a next_batch is refused whole, since nobody could go on from it.
import { accept, refuse, type Decoded } from '@citypresence/wire/decode'
import { foldRoom } from './room-facts.ts'
import { isRecord, isRoomId, isUserId, itemsOf, recordAt, type Json, type Tally } from './sync-json.ts'

export type PresenceWord = 'online' | 'unavailable' | 'busy' | 'offline'

export type Fact =
  /**
   * Never told of the daemon itself. `originTs`: when the origin server says it happened. `isNews`: it stands in the timeline or in
   * `state_after`. `mayBeOld`: it stands in `state`, and may be older than what was heard (see room-facts).
   */
  | ({ readonly kind: 'joined' | 'left'; readonly roomId: string; readonly userId: string } & MembershipWhen)
  /** The room stands under rooms.join: the daemon observes it. */
  | { readonly kind: 'self-joined'; readonly roomId: string }
  /** The room stands under rooms.leave: kicked, banned, purged. */
  | { readonly kind: 'self-left'; readonly roomId: string }
  | {
      readonly kind: 'presence'
      readonly userId: string
      readonly state: PresenceWord
      readonly lastActiveAgoMs?: number
    }
  /** The whole list of who types in the room, not a change of it. */
  | { readonly kind: 'typing'; readonly roomId: string; readonly userIds: readonly string[] }
  /** Somebody wrote; the newest message of the answer stands for all. */
  | { readonly kind: 'activity'; readonly roomId: string; readonly originTs?: number }
  | { readonly kind: 'tombstone'; readonly roomId: string; readonly replacement: string; readonly viaServer: string }
  | { readonly kind: 'alias-changed'; readonly roomId: string }

type MembershipWhen = { readonly originTs?: number; readonly isNews?: true; readonly mayBeOld?: true }

export type SyncFacts = {
  readonly nextBatch: string
  readonly facts: Fact[]
  /** Events that were passed over because they lack what such an event must have. */
  readonly malformed: number
  /** Presence events whose state is none we know; they are in the facts, as the option says. */
  readonly unknownStates: number
}

export type SyncFactsOptions = {
  readonly daemonUserId: string
  /** Whether a presence state nobody knows yet counts as online; the list of states is open in practice. Default true. */
  readonly unknownStateCounts?: boolean
}

// Tokens seen are below 100 characters; a longer one than this would not fit into a request line.
const nextBatchLengthMax = 4_096

export function factsOf(response: unknown, options: SyncFactsOptions): Decoded<SyncFacts> {
  if (!isRecord(response)) return refuse('', 'an object', response)
  const nextBatch = response['next_batch']
  if (typeof nextBatch !== 'string' || nextBatch === '' || nextBatch.length > nextBatchLengthMax)
    return refuse('next_batch', 'a token', nextBatch)
  const tally: Tally = { malformed: 0, unknownStates: 0 }
  const facts: Fact[] = []
  addRooms(facts, recordAt(response, 'rooms', tally), options, tally)
  addPresence(facts, recordAt(response, 'presence', tally), options, tally)
  return accept({ nextBatch, facts, ...tally })
}

/** All membership first, so that what follows is about people whose rooms are known. */
function addRooms(facts: Fact[], rooms: Json, options: SyncFactsOptions, tally: Tally): void {
  const life: Fact[] = []
  for (const [roomId, room] of roomsOf(rooms, 'join', tally))
    foldRoom(roomId, room, options.daemonUserId, facts, life, tally)
  for (const [roomId] of roomsOf(rooms, 'leave', tally)) facts.push({ kind: 'self-left', roomId })
  for (const fact of life) facts.push(fact)
}

function* roomsOf(rooms: Json, key: string, tally: Tally): Generator<readonly [string, Json]> {
  for (const [roomId, room] of Object.entries(recordAt(rooms, key, tally)))
    if (isRoomId(roomId) && isRecord(room)) yield [roomId, room]
    else tally.malformed++
}

function addPresence(facts: Fact[], presence: Json, options: SyncFactsOptions, tally: Tally): void {
  for (const event of itemsOf(presence, 'events', tally)) {
    if (event['type'] !== 'm.presence') continue
    const fact = presenceFact(event, options, tally)
    if (fact === undefined) tally.malformed++
    // The homeserver always tells the syncing account about itself.
    else if (fact.userId !== options.daemonUserId) facts.push(fact)
  }
}

function presenceFact(event: Json, options: SyncFactsOptions, tally: Tally): (Fact & { kind: 'presence' }) | undefined {
  const { sender: userId, content } = event
  if (!isUserId(userId) || !isRecord(content) || typeof content['presence'] !== 'string') return undefined
  const ago = content['last_active_ago']
  return {
    kind: 'presence',
    userId,
    state: wordOf(content['presence'], options, tally),
    // Absent means unknown, not now.
    ...(typeof ago === 'number' &&
      ago >= 0 &&
      Number.isSafeInteger(Math.trunc(ago)) && { lastActiveAgoMs: Math.trunc(ago) }),
  }
}

// `busy` by its unstable name is what servers send today.
const words = new Map<string, PresenceWord>([
  ['online', 'online'],
  ['unavailable', 'unavailable'],
  ['offline', 'offline'],
  ['busy', 'busy'],
  ['org.matrix.msc3026.busy', 'busy'],
])

function wordOf(state: string, options: SyncFactsOptions, tally: Tally): PresenceWord {
  const word = words.get(state)
  if (word !== undefined) return word
  tally.unknownStates++
  return (options.unknownStateCounts ?? true) ? 'online' : 'offline'
}
