// The facts of one room of a /sync answer.
//
// Without `state_after` the truth is `state` followed by the state events of `timeline`: either list alone loses joins, because
// a server may give the last change in the timeline and the ones before it in the state. With `state_after` that list alone
// holds, and the timeline is read for messages only.
//
// Two people who write at the same moment fork a room, and then `state` is what held before the first event of the timeline on
// *its* branch: a Synapse tells of a join in one answer and in the next one, as state, of the leave before it. So membership
// that is news is marked, and what may be old gives way to news that are younger (room-life). May be old is only what somebody
// did themselves, whose stamp is of their own server's clock as those of their other comings and goings are, and only beside a
// whole timeline: the state of a cut one is all that is ever said of what was cut. (News of a kick bear another server's clock;
// where it is ahead, an audit finds who came back.)
import { isRecord, isRoomId, isUserId, itemsOf, serverOf, stampOf, type Json, type Tally } from './sync-json.ts'
import type { Fact } from './sync-facts.ts'

type Room = { readonly roomId: string; readonly daemonUserId: string }

/** Appends to `membership` what changes who is where, to `life` what happens there. */
export function foldRoom(
  roomId: string,
  json: Json,
  daemonUserId: string,
  membership: Fact[],
  life: Fact[],
  tally: Tally,
): void {
  const room = { roomId, daemonUserId }
  membership.push({ kind: 'self-joined', roomId })
  for (const { events, age } of stateOf(json, tally))
    for (const event of events) addState(room, event, age, { membership, life, tally })
  addActivity(room, eventsIn(json, 'timeline', tally), life)
  for (const event of eventsIn(json, 'ephemeral', tally))
    if (event['type'] === 'm.typing') addTyping(room, event, life, tally)
}

const stateAfterKeys = ['state_after', 'org.matrix.msc4222.state_after'] as const

type Age = 'news' | 'state' | 'state of a cut timeline'
type StateList = { readonly events: readonly Json[]; readonly age: Age }

function stateOf(json: Json, tally: Tally): readonly StateList[] {
  const after = stateAfterKeys.find((key) => isRecord(json[key]))
  if (after !== undefined) return [{ events: eventsIn(json, after, tally), age: 'news' }]
  // The timeline's list is counted for its broken events where it is read for activity.
  const timeline = eventsIn(json, 'timeline', { malformed: 0, unknownStates: 0 })
  return [
    { events: eventsIn(json, 'state', tally), age: isCut(json) ? 'state of a cut timeline' : 'state' },
    { events: timeline.filter((event) => typeof event['state_key'] === 'string'), age: 'news' },
  ]
}

const isCut = ({ timeline }: Json): boolean => isRecord(timeline) && timeline['limited'] === true

/** Takes `{ events: [...] }` at a key apart. */
function eventsIn(json: Json, key: string, tally: Tally): readonly Json[] {
  const list = json[key]
  if (list === undefined || list === null) return []
  if (isRecord(list)) return [...itemsOf(list, 'events', tally)]
  tally.malformed++
  return []
}

type Lists = { readonly membership: Fact[]; readonly life: Fact[]; readonly tally: Tally }

function addState(room: Room, event: Json, age: Age, { membership, life, tally }: Lists): void {
  switch (event['type']) {
    case 'm.room.member':
      addMember(room, event, age, membership, tally)
      return
    case 'm.room.tombstone':
      addTombstone(room, event, life, tally)
      return
    case 'm.room.canonical_alias':
      // Comes without content where the alias was taken away.
      life.push({ kind: 'alias-changed', roomId: room.roomId })
  }
}

function addMember({ roomId, daemonUserId }: Room, event: Json, age: Age, membership: Fact[], tally: Tally): void {
  const userId = event['state_key']
  const content = event['content']
  const word = isRecord(content) ? content['membership'] : undefined
  if (!isUserId(userId) || typeof word !== 'string') tally.malformed++
  else if (userId !== daemonUserId)
    // leave, ban, and also invite and knock: none of them is in the room.
    membership.push({
      kind: word === 'join' ? 'joined' : 'left',
      roomId,
      userId,
      ...originOf(event),
      ...(age === 'news' && { isNews: true }),
      ...(age === 'state' && event['sender'] === userId && { mayBeOld: true }),
    })
}

function addTombstone({ roomId }: Room, event: Json, life: Fact[], tally: Tally): void {
  const { content, sender } = event
  const replacement = isRecord(content) ? content['replacement_room'] : undefined
  if (!isRoomId(replacement) || !isUserId(sender)) tally.malformed++
  else life.push({ kind: 'tombstone', roomId, replacement, viaServer: serverOf(sender) })
}

const messageTypes: readonly unknown[] = ['m.room.message', 'm.room.encrypted']

function addActivity({ roomId, daemonUserId }: Room, timeline: readonly Json[], life: Fact[]): void {
  const messages = timeline.filter(({ type, sender }) => messageTypes.includes(type) && sender !== daemonUserId)
  const newest = messages.map(({ origin_server_ts: ts }) => stampOf(ts))
  if (newest.length === 0) return
  // A message without a stamp counts as written when it was received.
  const unstamped = newest.includes(undefined)
  life.push({ kind: 'activity', roomId, ...(!unstamped && { originTs: newestOf(newest) }) })
}

/** Not Math.max with a spread: a list may be longer than a call may have arguments. */
const newestOf = (stamps: readonly (number | undefined)[]): number =>
  stamps.reduce<number>((newest, stamp) => Math.max(newest, stamp ?? newest), -Number.MAX_SAFE_INTEGER)

function originOf(event: Json): { originTs?: number } {
  const originTs = stampOf(event['origin_server_ts'])
  return originTs === undefined ? {} : { originTs }
}

function addTyping({ roomId, daemonUserId }: Room, event: Json, life: Fact[], tally: Tally): void {
  const content = event['content']
  const listed = isRecord(content) ? content['user_ids'] : undefined
  if (!Array.isArray(listed)) {
    tally.malformed++
    return
  }
  const userIds = (listed as readonly unknown[]).filter(isUserId)
  tally.malformed += listed.length - userIds.length
  life.push({ kind: 'typing', roomId, userIds: [...new Set(userIds)].filter((userId) => userId !== daemonUserId) })
}
