// A sync filter: what of it changes an answer, read as leniently as Synapse reads it.
import type { RoomEvent } from './world.ts'

type EventFilter = {
  readonly types: readonly string[] | undefined
  readonly notTypes: readonly string[]
  readonly senders: readonly string[] | undefined
  readonly notSenders: readonly string[]
}

export type SyncFilter = {
  readonly eventFields: readonly string[] | undefined
  readonly presence: EventFilter
  readonly ephemeral: EventFilter
  readonly state: EventFilter & { readonly lazyLoadMembers: boolean }
  readonly timeline: EventFilter & { readonly limit: number }
  readonly rooms: readonly string[] | undefined
  readonly notRooms: readonly string[]
  readonly includeLeave: boolean
}

type Json = Readonly<Record<string, unknown>>

const inner = (value: unknown, key: string): Json => {
  const found = (value as Json | undefined)?.[key]
  return typeof found === 'object' && found !== null ? (found as Json) : {}
}
const words = (json: Json, key: string): readonly string[] | undefined =>
  Array.isArray(json[key]) ? (json[key] as readonly string[]) : undefined

const eventFilter = (json: Json): EventFilter => ({
  types: words(json, 'types'),
  notTypes: words(json, 'not_types') ?? [],
  senders: words(json, 'senders'),
  notSenders: words(json, 'not_senders') ?? [],
})

// Synapse's own default for a room without a limit.
const timelineLimitDefault = 10

/** The filter, or why a homeserver refuses it. */
export function readFilter(json: unknown): SyncFilter | 'limit is no number' {
  const room = inner(json, 'room')
  const limit = inner(room, 'timeline')['limit'] ?? timelineLimitDefault
  if (typeof limit !== 'number') return 'limit is no number'
  return {
    eventFields: words((json ?? {}) as Json, 'event_fields'),
    presence: eventFilter(inner(json, 'presence')),
    ephemeral: eventFilter(inner(room, 'ephemeral')),
    state: {
      ...eventFilter(inner(room, 'state')),
      lazyLoadMembers: inner(room, 'state')['lazy_load_members'] === true,
    },
    timeline: { ...eventFilter(inner(room, 'timeline')), limit },
    rooms: words(room, 'rooms'),
    notRooms: words(room, 'not_rooms') ?? [],
    includeLeave: room['include_leave'] === true,
  }
}

/** `m.room.*` stands for all that begin with `m.room.` */
function matches(pattern: string, text: string): boolean {
  return pattern.endsWith('*') ? text.startsWith(pattern.slice(0, -1)) : pattern === text
}

export function passes(filter: EventFilter, event: { type: string; sender?: string }): boolean {
  const { sender } = event
  if (filter.types !== undefined && !filter.types.some((type) => matches(type, event.type))) return false
  if (filter.notTypes.some((type) => matches(type, event.type))) return false
  if (sender === undefined) return true
  return (filter.senders === undefined || filter.senders.includes(sender)) && !filter.notSenders.includes(sender)
}

/** No event can ever pass: Synapse then does not even look, and a gap is not reported as one. */
export const blocksAll = (filter: EventFilter): boolean =>
  filter.types?.length === 0 || filter.notTypes.includes('*') || filter.senders?.length === 0

/** An event as it is sent: without our position, and cut down to the fields that were asked for. */
export function toWire(event: RoomEvent, eventFields: readonly string[] | undefined): Json {
  const whole: Json = Object.fromEntries(Object.entries(event).filter(([key]) => key !== 'position'))
  if (eventFields === undefined) return whole
  const cut: Record<string, unknown> = {}
  const content: Record<string, unknown> = {}
  for (const field of eventFields) {
    const key = field.startsWith('content.') ? field.slice('content.'.length) : undefined
    if (key !== undefined && Object.hasOwn(event.content, key)) content[key] = event.content[key]
    else if (key === undefined && Object.hasOwn(whole, field)) cut[field] = whole[field]
  }
  // Where no field of the content is left, the key itself is missing too.
  return Object.keys(content).length > 0 && cut['content'] === undefined ? { ...cut, content } : cut
}
