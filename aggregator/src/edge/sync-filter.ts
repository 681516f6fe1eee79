// What the daemon asks /sync to send: who is in the rooms, who types, who is online, and that something was said. Never what
// was said: `event_fields` keeps the bodies of messages at the server.
//
// m.room.member stands in `state` and in `timeline`, because a server that may not show a join in the timeline never shows it
// at all, and without a join it does not send the newcomer's presence.

/** `lazy`: an initial sync without the members who wrote nothing lately, for a city whose lists are too large for one answer. */
export type SyncFilters = Readonly<Record<'initial' | 'lazy' | 'increment', ReturnType<typeof filterOf>>>

const stateTypes = ['m.room.member', 'm.room.tombstone', 'm.room.canonical_alias']
const messageTypes = ['m.room.message', 'm.room.encrypted']
const eventFields = [
  'type',
  'event_id',
  'sender',
  'state_key',
  'origin_server_ts',
  'content.membership',
  'content.replacement_room',
  'content.alias',
  // On Synapse these come whole whatever stands here; other servers follow the specification to the letter.
  'content.user_ids',
  'content.presence',
  'content.last_active_ago',
  'content.currently_active',
]

/** The newest message is all that an initial sync has to tell; five, because joins stand between the messages. */
const initialTimelineMax = 5
/**
 * A room whose last ~10 x limit events match no type is left out of an answer together with the leave before them. With
 * messages among the types that is rare at 50; without them every conversation is such a run: 50 lost a leave after some 500
 * messages, 100 did not after 660, and the audit of members finds what a longer gap hides.
 */
const incrementTimelineMax = { withMessages: 50, withoutMessages: 100 }

/** Several filters, because a changed limit is harmless between a sync and the next, and saves nine tenths of the first one. */
export function syncFilters({ activity }: { readonly activity: boolean }): SyncFilters {
  const increment = activity ? incrementTimelineMax.withMessages : incrementTimelineMax.withoutMessages
  const types = activity ? [...stateTypes, ...messageTypes] : stateTypes
  return {
    initial: filterOf(types, initialTimelineMax),
    lazy: filterOf(types, initialTimelineMax, { lazy_load_members: true }),
    // Never lazy: each change of who is in a room has to come.
    increment: filterOf(types, increment),
  }
}

const filterOf = (timelineTypes: readonly string[], limit: number, members: object = {}) => ({
  event_fields: eventFields,
  presence: { types: ['m.presence'] },
  account_data: { types: [] },
  room: {
    account_data: { types: [] },
    ephemeral: { types: ['m.typing'] },
    state: { types: stateTypes, ...members },
    timeline: { types: timelineTypes, limit },
  },
})
