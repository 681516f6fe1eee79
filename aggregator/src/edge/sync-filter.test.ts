import { expect, it } from 'vitest'
import { syncFilters } from './sync-filter.ts'

/** Every value that stands under a key of this name, at any depth. */
function under(json: unknown, name: string): unknown[] {
  if (typeof json !== 'object' || json === null) return []
  return Object.entries(json as Record<string, unknown>).flatMap(([key, value]) =>
    key === name ? [value] : under(value, name),
  )
}

const filters = [true, false].flatMap((activity) =>
  Object.entries(syncFilters({ activity })).map(([name, filter]) => ({ name, activity, filter })),
)

it.each(filters)('[N7] the filter $name, activity $activity: every limit is a whole number above 0', ({ filter }) => {
  const limits = under(filter, 'limit') as number[]
  expect(limits.length).toBeGreaterThan(0)
  expect(limits.filter((limit) => !Number.isInteger(limit) || limit <= 0)).toEqual([])
})

it.each(filters)(
  '[N7] the filter $name, activity $activity: members stand in state and in timeline, messages where they are wanted only',
  ({ filter, activity }) => {
    const { state, timeline, ephemeral } = filter.room
    expect(state.types).toContain('m.room.member')
    expect(timeline.types).toContain('m.room.member')
    expect(timeline.types.includes('m.room.message')).toBe(activity)
    expect(timeline.types.includes('m.room.encrypted')).toBe(activity)
    expect(state.types).not.toContain('m.room.message')
    expect([ephemeral.types, filter.presence.types]).toEqual([['m.typing'], ['m.presence']])
    // Nothing is left out by room or by sender: what a filter hides now is never told later.
    for (const key of ['rooms', 'not_rooms', 'senders', 'not_senders', 'not_types'])
      expect(under(filter, key)).toEqual([])
  },
)
