// What the page says, as whole phrases: names out of slugs, counts with the right plural, and every trouble in a sentence that
// says what still holds.
import type { GlobalPresence, PresenceStaleReason, PresenceStopReason, RoomPresenceUI } from './global-presence.ts'

/** `coffee-corner_2` -> `Coffee corner 2`. */
export function roomName(slug: string): string {
  const words = slug.split(/[-_]+/).filter((word) => word !== '')
  const name = words.length === 0 ? slug : words.join(' ')
  return name.charAt(0).toUpperCase() + name.slice(1)
}

const numberWords = (count: number): string => count.toLocaleString('en')

/** The number on a card; a room of which no more is told says so. */
export const countWords = ({ onlineCount, below }: RoomPresenceUI): string =>
  below === undefined ? numberWords(onlineCount) : `fewer than ${numberWords(below)}`

export const onlineWords = (count: number): string => `${numberWords(count)} online`

export const roomsWords = (count: number): string => `${numberWords(count)} ${count === 1 ? 'room' : 'rooms'}`

export const typingWords = (count: number): string =>
  count === 1 ? '1 person is typing' : `${numberWords(count)} people are typing`

export type NamedRoom = { readonly slug: string; readonly name: string; readonly room: RoomPresenceUI }

/** All rooms by name: an order that holds still while the counts move. */
export function namedRooms(presenceBySlug: GlobalPresence['presenceBySlug']): NamedRoom[] {
  const rooms: NamedRoom[] = []
  for (const [slug, room] of Object.entries(presenceBySlug)) if (room) rooms.push({ slug, name: roomName(slug), room })
  return rooms.sort((a, b) => compare(a.name, b.name) || compare(a.slug, b.slug))
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** The room with most people; none while nobody is anywhere. Of two equals the first by name. */
export function busiestRoom(rooms: readonly NamedRoom[]): NamedRoom | undefined {
  let busiest: NamedRoom | undefined
  for (const entry of rooms) if (entry.room.onlineCount > (busiest?.room.onlineCount ?? 0)) busiest = entry
  return busiest
}

/** The whole city in one line. Never a sum of people: one person may be in several rooms. */
export function citySummary(rooms: readonly NamedRoom[]): string[] {
  const busiest = busiestRoom(rooms)
  // Typing is a matter of seconds: of a room that is only remembered it is not said.
  const typingIn = rooms.filter(({ room }) => room.typingCount > 0 && !room.stale).length
  return [
    roomsWords(rooms.length),
    busiest === undefined ? nobodyWords(rooms) : `busiest: ${busiest.name}, ${onlineWords(busiest.room.onlineCount)}`,
    ...(typingIn > 0 ? [`typing in ${roomsWords(typingIn)}`] : []),
  ]
}

/** Where no count is told, nobody is a claim that nobody can make. */
const nobodyWords = (rooms: readonly NamedRoom[]): string =>
  rooms.some(({ room }) => room.below !== undefined) ? 'few online' : 'nobody online'

export type Notice = { readonly tone: 'stale' | 'down' | 'over'; readonly title: string; readonly text: string }

const staleTexts: Record<Exclude<PresenceStaleReason, 'link'>, string> = {
  'no-beat': 'The service that counts is silent.',
  incomplete: 'Not every room has been counted yet.',
  source: 'Matrix is not telling who is online.',
}

const stopNotices: Record<PresenceStopReason, Notice> = {
  'session-ended': {
    tone: 'over',
    title: 'Your session has ended',
    text: 'Open the city again from where you came from.',
  },
  refused: { tone: 'over', title: 'The city turned this page away', text: 'Reload the page to try again.' },
  unusable: {
    tone: 'over',
    title: 'This link cannot be used',
    text: 'The token in it is damaged. Open the city again from where you came from.',
  },
}

/** What stands in the banner, or undefined when all is well (or nothing is known yet). `clock` is the time of day to name. */
export function noticeOf(presence: GlobalPresence, clock: string | undefined): Notice | undefined {
  if (presence.stopReason !== undefined) return stopNotices[presence.stopReason]
  const shown = lastKnown(presence.loaded, clock)
  if (presence.status === 'down')
    return { tone: 'down', title: 'Connection lost', text: `Trying to reach the city again. ${shown}`.trim() }
  const { staleReason } = presence
  if (staleReason === undefined || staleReason === 'link') return undefined
  return { tone: 'stale', title: 'Numbers may be out of date', text: `${staleTexts[staleReason]} ${shown}`.trim() }
}

const lastKnown = (loaded: boolean, clock: string | undefined): string => {
  if (!loaded) return ''
  return clock === undefined ? 'You see the last known numbers.' : `You see the city as of ${clock}.`
}

const linkWordsByStatus: Record<GlobalPresence['status'], string> = {
  connecting: 'Connecting',
  live: 'Live',
  down: 'Reconnecting',
  stopped: 'Ended',
}

export const linkWords = ({ status, stale }: GlobalPresence): string =>
  status === 'live' && stale ? 'Last known' : linkWordsByStatus[status]

/** What a screen reader is told now and then: the line of the header, in words that can be listened to. */
export const spokenSummary = (presence: GlobalPresence): string =>
  presence.loaded && !presence.stale ? `${citySummary(namedRooms(presence.presenceBySlug)).join('; ')}.` : ''
