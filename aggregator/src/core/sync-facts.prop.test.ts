// Whatever comes over the wire, decoding ends with a value: arbitrary JSON, and true answers with one place broken.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { factsOf } from './sync-facts.ts'

const options = { daemonUserId: '@daemon:test.local' }

const answer = {
  next_batch: 's72_1_0',
  presence: {
    events: [{ type: 'm.presence', sender: '@a:test.local', content: { presence: 'online', last_active_ago: 4 } }],
  },
  rooms: {
    join: {
      '!room:test.local': {
        state: {
          events: [
            {
              type: 'm.room.member',
              state_key: '@a:test.local',
              sender: '@a:test.local',
              content: { membership: 'join' },
            },
          ],
        },
        timeline: {
          limited: true,
          events: [
            { type: 'm.room.message', sender: '@a:test.local', origin_server_ts: 5 },
            {
              type: 'm.room.tombstone',
              state_key: '',
              sender: '@a:test.local',
              content: { replacement_room: '!next' },
            },
          ],
        },
        ephemeral: { events: [{ type: 'm.typing', content: { user_ids: ['@a:test.local'] } }] },
      },
    },
    leave: { '!gone:test.local': { timeline: { events: [] } } },
  },
}

/** The same JSON with the value at one place, chosen by number, replaced or (undefined) taken out. */
function brokenAt(json: unknown, place: { left: number }, by: unknown): unknown {
  if (place.left-- === 0) return by
  if (Array.isArray(json))
    return json.map((item: unknown) => brokenAt(item, place, by)).filter((item) => item !== undefined)
  if (typeof json !== 'object' || json === null) return json
  return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, brokenAt(value, place, by)]))
}

const anything = fc.oneof(fc.jsonValue(), fc.constant(undefined))

it('[M12] arbitrary JSON never makes decoding throw', () => {
  fc.assert(
    fc.property(anything, (response) => {
      factsOf(response, options)
    }),
  )
})

it('[M12] a true answer with one broken place decodes, and every fact of it is well formed', () => {
  fc.assert(
    fc.property(fc.nat({ max: 60 }), anything, (place, by) => {
      const decoded = factsOf(brokenAt(answer, { left: place }, by), options)
      if (!decoded.ok) return
      for (const fact of decoded.value.facts) {
        if ('roomId' in fact) expect(fact.roomId).toMatch(/^!./)
        if ('userId' in fact) expect(fact.userId).toMatch(/^@.*:./s)
        if (fact.kind === 'typing') for (const userId of fact.userIds) expect(userId).toMatch(/^@.*:./s)
      }
    }),
    { numRuns: 1000 },
  )
})
