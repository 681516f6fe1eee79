// What Synapse itself says about every room, asked person by person. Slow and simple: the twin that the counts are held
// against.
import type { City } from './city-fixture.ts'
import type { RoomCounts } from './viewer.ts'

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
