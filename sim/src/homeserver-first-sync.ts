// The first /sync of a large city, as bytes, with its truth beside it: what a reader has to learn from it.
//
// Two sizes of the same city: as our filter asks for it (fields cut down), and whole, as from a server that knows no
// event_fields. Everything is counted, nothing random: the same shape gives the same bytes.

export type CityShape = {
  rooms: number
  membersPerRoom: number
  /** How many different people there are; everybody lives in about rooms x members / people rooms. */
  people?: number
  /** How many people on the next room begins; people / rooms spreads all of them evenly. */
  stride?: number
  /** Whole events, without `event_fields`. */
  whole?: boolean
  nextBatch?: string
  /** The reader: a member of every room, offline, as he always says. */
  daemonUserId?: string
}

export type FirstSync = {
  readonly bytes: Uint8Array
  readonly nextBatch: string
  readonly roomIds: readonly string[]
  membersOf(room: number): readonly string[]
  /** Members who are online or unavailable; a first sync does not list the others. */
  onlineOf(room: number): readonly string[]
}

const startedMs = 1_790_000_000_000

export function firstSync(shape: CityShape): FirstSync {
  const {
    rooms,
    membersPerRoom,
    people = membersPerRoom * 20,
    stride = 7,
    nextBatch = 's1_1_0_1_0_0_0_1_0_0_0',
  } = shape
  const daemon = shape.daemonUserId ?? '@presence_daemon:test.local'
  if (membersPerRoom > people) throw new Error('a room cannot hold more people than there are')
  const userId = (person: number): string => `@resident_${String(person).padStart(6, '0')}:test.local`
  const roomId = (room: number): string => `!${String(room).padStart(43, '0')}`
  // The usual stride of 7 is prime to most numbers of people, so that neighbouring rooms share some of them and not all.
  const personIn = (room: number, place: number): number => (room * stride + place) % people
  const personsOf = (room: number): number[] =>
    Array.from({ length: membersPerRoom }, (_, place) => personIn(room, place))
  const present = Array.from({ length: people }, (_, person) => person).filter(isPresent)
  const event = shape.whole === true ? wholeMember : leanMember
  const joined = Array.from({ length: rooms }, (_, room) => {
    const members = [daemon, ...personsOf(room).map(userId)].map((member, place) =>
      event(member, room * membersPerRoom + place),
    )
    return Buffer.from(`${room === 0 ? '' : ','}"${roomId(room)}":${roomJson(members)}`)
  })
  const presence = present.map((person) => presenceJson(userId(person), person)).join(',')
  const head = `{"next_batch":"${nextBatch}","presence":{"events":[${presence}]},"device_one_time_keys_count":{"signed_curve25519":0},"rooms":{"join":{`
  return {
    bytes: Buffer.concat([Buffer.from(head), ...joined, Buffer.from('}}}')]),
    nextBatch,
    roomIds: Array.from({ length: rooms }, (_, room) => roomId(room)),
    membersOf: (room) => personsOf(room).map(userId),
    onlineOf: (room) => personsOf(room).filter(isPresent).map(userId),
  }
}

/** Of three people one is online, one is away, and one is offline. */
const isPresent = (person: number): boolean => person % 3 !== 2

const presenceJson = (userId: string, person: number): string => {
  const content = person % 3 === 0 ? `"online","last_active_ago":${person},"currently_active":true` : '"unavailable"'
  return `{"type":"m.presence","sender":"${userId}","content":{"presence":${content}}}`
}

const leanMember = (userId: string, number: number): string =>
  `{"type":"m.room.member","event_id":"$${eventId(number)}","sender":"${userId}","state_key":"${userId}","origin_server_ts":${startedMs + number},"content":{"membership":"join"}}`

const wholeMember = (userId: string, number: number): string =>
  `{"type":"m.room.member","event_id":"$${eventId(number)}","sender":"${userId}","state_key":"${userId}","origin_server_ts":${startedMs + number},"content":{"membership":"join","displayname":"${userId.slice(1, 16)}","avatar_url":"mxc://test.local/${eventId(number)}"},"unsigned":{"age":${number}}}`

const eventId = (number: number): string => String(number).padStart(43, 'e')

const roomJson = (members: readonly string[]): string =>
  `{"timeline":{"events":[],"prev_batch":"s1_1_0_1_0_0_0_1_0_0_0","limited":true},"state":{"events":[${members.join(',')}]},"account_data":{"events":[]},"ephemeral":{"events":[]},"unread_notifications":{"notification_count":0,"highlight_count":0},"summary":{}}`
