// One room's timeline and state in one answer, with the very steps by which Synapse makes them: its quirks with small limits,
// blocked timelines and long gaps come from these steps, and a reader of /sync meets all of them.
//
//   newest limit+1 events of the window --filter--> enough, or nothing left to load?  yes -> that is the timeline
//                                                     no  -> load further back, five times at most, filtering each load
//   state: what changed between the window's start and the timeline's start, only where the timeline is `limited`
import { blocksAll, passes, type SyncFilter } from './filter.ts'
import { stateKey, type RoomEvent } from './world.ts'

export type Window = {
  /** All events of the room that the reader may see, oldest first. */
  readonly events: readonly RoomEvent[]
  /** Told already; undefined where the room is new to the reader. */
  readonly since: number | undefined
}

export type Timeline = { readonly events: readonly RoomEvent[]; readonly limited: boolean }

// Synapse's own numbers: each load is twice the limit and at least ten events, and it loads five times.
const loadFactor = 2
const loadMin = 10
const loadsMax = 5

export function timelineOf(window: Window, filter: SyncFilter['timeline']): Timeline {
  const keep = (events: readonly RoomEvent[]): RoomEvent[] => events.filter((event) => passes(filter, event))
  const inWindow = window.events.filter(({ position }) => position > (window.since ?? 0))
  // A room that is new is always loaded from its end; a known one begins with the newest events since.
  const newest = window.since === undefined ? [] : newestOf(inWindow, filter.limit + 1)
  const mayLackSome = window.since === undefined || filter.limit < newest.length
  if (!mayLackSome || blocksAll(filter)) return { events: keep(newest), limited: false }
  return loadFurther(inWindow.slice(0, inWindow.length - newest.length), keep(newest), filter.limit, keep)
}

const newestOf = (events: readonly RoomEvent[], count: number): readonly RoomEvent[] =>
  count > 0 ? events.slice(-count) : []

function loadFurther(
  older: readonly RoomEvent[],
  loaded: readonly RoomEvent[],
  limit: number,
  keep: (events: readonly RoomEvent[]) => RoomEvent[],
): Timeline {
  const loadCount = Math.max(limit * loadFactor, loadMin) + 1
  let events = loaded
  let rest = older
  let limited = true
  for (let load = 0; load < loadsMax && limited && events.length < limit; load++) {
    const next = newestOf(rest, loadCount)
    rest = rest.slice(0, rest.length - next.length)
    events = [...keep(next), ...events]
    limited = next.length === loadCount
  }
  if (events.length <= limit) return { events, limited }
  // With a limit of 0 this slice takes everything, as its like does in Python: so one event comes although none was asked for.
  return { events: events.slice(limit === 0 ? 0 : -limit), limited: true }
}

/** The newest event of each state key at or before a position. */
export function stateAt(events: readonly RoomEvent[], position: number): Map<string, RoomEvent> {
  const state = new Map<string, RoomEvent>()
  for (const event of events)
    if (event.state_key !== undefined && event.position <= position)
      state.set(stateKey(event.type, event.state_key), event)
  return state
}

/** The state that lies before the timeline: all of it, or what a reader at `since` does not know. */
export function stateBefore(
  timeline: Timeline,
  window: Window,
  options: { readonly whole: boolean; readonly filter: SyncFilter['state']; readonly me: string },
): readonly RoomEvent[] {
  if (!options.whole && !timeline.limited) return []
  const end = timeline.events[0]?.position ?? Number.MAX_SAFE_INTEGER
  const known = options.whole ? new Map<string, RoomEvent>() : stateAt(window.events, window.since ?? 0)
  const before = [...stateAt(window.events, end - 1)].filter(([key, event]) => known.get(key) !== event)
  const told = before.map(([, event]) => event).filter((event) => passes(options.filter, event))
  return options.whole && options.filter.lazyLoadMembers ? withoutLazyMembers(told, timeline, options.me) : told
}

// Heroes: whom a client names a nameless room after.
const heroesMax = 5

/** Lazy loading: only the reader, those who speak in the timeline, and the heroes of a room without name and alias. */
function withoutLazyMembers(state: readonly RoomEvent[], timeline: Timeline, me: string): readonly RoomEvent[] {
  const isNamed = state.some(({ type }) => type === 'm.room.name' || type === 'm.room.canonical_alias')
  const others = state.filter(({ type, state_key }) => type === 'm.room.member' && state_key !== me)
  const heroes = isNamed ? [] : others.slice(0, heroesMax).map(({ state_key }) => state_key ?? '')
  const needed = new Set([me, ...heroes, ...timeline.events.map(({ sender }) => sender)])
  return state.filter(({ type, state_key }) => type !== 'm.room.member' || needed.has(state_key ?? ''))
}
