// What Synapse itself says about every room, asked person by person. Slow and simple: the twin that the counts are held
// against.
import type { City } from './city-fixture.ts'
import type { RoomCard, RoomCounts } from './viewer.ts'

/** Online counts as they have to be. Typing is taken as zero: ask when nobody types. */
export async function truthOf(city: City): Promise<Map<string, RoomCounts>> {
  const mayor = city.clientOf('mayor')
  const online = new Set<string>()
  for (const { userId } of [...city.residents, city.mayor]) {
    const { presence } = await mayor.presenceOf(userId)
    if (presence !== 'offline') online.add(userId)
  }
  const rooms = new Map<string, RoomCounts>()
  for (const { slug, roomId } of city.rooms) {
    const members = await mayor.joinedMembers(roomId)
    rooms.set(slug, { online: members.filter((member) => online.has(member)).length, typing: 0 })
  }
  return rooms
}

// ACTIVE_WINDOW_MS of a city that was not told otherwise.
const activeWindowMs = 300_000
// The newest events of a room are enough to find one that makes it active; two hundred acts over some rooms leave fewer in each.
const eventsMax = 500

/** The same with what a card shows beside the counts: whether somebody else than the daemon wrote or came in lately. */
export async function cardsOf(city: City): Promise<Map<string, RoomCard>> {
  const cards = new Map<string, RoomCard>()
  for (const [slug, counts] of await truthOf(city))
    cards.set(slug, { ...counts, active: await isActive(city, city.roomOf(slug).roomId), stale: false })
  return cards
}

type TimelineEvent = {
  readonly type: string
  readonly sender: string
  readonly state_key?: string
  readonly origin_server_ts: number
  readonly content: { readonly membership?: string }
  readonly unsigned?: { readonly prev_content?: { readonly membership?: string } }
}

async function isActive(city: City, roomId: string): Promise<boolean> {
  const filter = encodeURIComponent(JSON.stringify({ types: ['m.room.message', 'm.room.encrypted', 'm.room.member'] }))
  const path = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/messages?dir=b&limit=${eventsMax}&filter=${filter}`
  const { chunk } = await city.clientOf('mayor').call<{ chunk: readonly TimelineEvent[] }>({ method: 'GET', path })
  const since = Date.now() - activeWindowMs
  return chunk.some((event) => event.origin_server_ts > since && isLife(event, city.daemon.userId))
}

/** Words, and comings in of who was not there. */
function isLife({ type, sender, state_key: who, content, unsigned }: TimelineEvent, daemonUserId: string): boolean {
  if (type !== 'm.room.member') return sender !== daemonUserId
  return who !== daemonUserId && content.membership === 'join' && unsigned?.prev_content?.membership !== 'join'
}
