// The generated first sync is a first sync, and its truth is what it says.
import { expect, it } from 'vitest'
import { firstSync } from './homeserver-first-sync.ts'

type Event = { type: string; sender: string; state_key: string; content: Record<string, unknown> }
type Body = {
  next_batch: string
  presence: { events: Event[] }
  rooms: { join: Record<string, { state: { events: Event[] } }> }
}

it.each([{ whole: false }, { whole: true }])(
  '[D7] a generated city says in its bytes what it says beside them ($whole)',
  ({ whole }) => {
    const city = firstSync({ rooms: 30, membersPerRoom: 11, people: 50, whole })
    const body = JSON.parse(Buffer.from(city.bytes).toString()) as Body
    expect(body.next_batch).toBe(city.nextBatch)
    expect(Object.keys(body.rooms.join)).toEqual(city.roomIds)
    const present = new Set(body.presence.events.map(({ sender }) => sender))
    for (const [room, roomId] of city.roomIds.entries()) {
      const members = body.rooms.join[roomId]?.state.events.map(({ state_key }) => state_key) ?? []
      expect(members).toEqual(['@presence_daemon:test.local', ...city.membersOf(room)])
      expect(new Set(members).size).toBe(12)
      expect(city.onlineOf(room)).toEqual(members.filter((member) => present.has(member)))
    }
    expect(body.presence.events.map(({ content }) => content['presence'])).not.toContain('offline')
  },
)

it('[D7] the same shape gives the same bytes, and whole events weigh more', () => {
  const shape = { rooms: 20, membersPerRoom: 100 }
  expect(Buffer.from(firstSync(shape).bytes).equals(firstSync(shape).bytes)).toBe(true)
  expect(firstSync({ ...shape, whole: true }).bytes.length).toBeGreaterThan(firstSync(shape).bytes.length * 1.3)
  expect(() => firstSync({ rooms: 1, membersPerRoom: 3, people: 2 })).toThrow('more people than there are')
})
