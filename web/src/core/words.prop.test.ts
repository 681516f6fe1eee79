// The page's phrases: right names, right plurals, and no word for a number that is not known.
import { isRoomSlug } from '@citypresence/wire/subjects'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { GlobalPresence, RoomPresenceUI } from './global-presence.ts'
import { createPresence } from './presence-view.ts'
import {
  busiestRoom,
  citySummary,
  countWords,
  linkWords,
  namedRooms,
  noticeOf,
  onlineWords,
  roomName,
  roomsWords,
  spokenSummary,
  typingWords,
} from './words.ts'

const slug = fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,62}$/)
const room: fc.Arbitrary<RoomPresenceUI> = fc.record({
  onlineCount: fc.nat(50),
  typingCount: fc.nat(3),
  active: fc.boolean(),
  stale: fc.boolean(),
})
const city = fc.dictionary(slug, room, { maxKeys: 12, noNullPrototype: false })

it('[B15] a slug becomes a name with the same letters', () => {
  expect(['general', 'water-works', 'night_shift-2', '3d-lab'].map(roomName)).toEqual([
    'General',
    'Water works',
    'Night shift 2',
    '3d lab',
  ])
  fc.assert(
    fc.property(slug.filter(isRoomSlug), (text) => {
      const letters = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, '')
      expect(letters(roomName(text))).toBe(letters(text))
      expect(roomName(text)).toMatch(/^[A-Z0-9]/)
    }),
  )
})

it('[B15] counts have the right plural', () => {
  expect([0, 1, 2, 1234].map(onlineWords)).toEqual(['0 online', '1 online', '2 online', '1,234 online'])
  const told = { onlineCount: 3, typingCount: 0, active: false, stale: false }
  expect([told, { ...told, onlineCount: 0, below: 3 }].map(countWords)).toEqual(['3', 'fewer than 3'])
  expect([0, 1, 2].map(roomsWords)).toEqual(['0 rooms', '1 room', '2 rooms'])
  expect([1, 2].map(typingWords)).toEqual(['1 person is typing', '2 people are typing'])
})

it('[B16] rooms stand by name, so that they hold still while counts move', () => {
  fc.assert(
    fc.property(city, fc.func(room), (rooms, changed) => {
      const order = namedRooms(rooms).map((entry) => entry.slug)
      const later = Object.fromEntries(
        Object.keys(rooms)
          .reverse()
          .map((name) => [name, changed(name)]),
      )
      expect(namedRooms(later).map((entry) => entry.slug)).toEqual(order)
      expect([...order].sort()).toEqual(Object.keys(rooms).sort())
    }),
  )
})

it('[B16] the busiest room is one with most people, and none while nobody is online', () => {
  fc.assert(
    fc.property(city, (rooms) => {
      const named = namedRooms(rooms)
      const most = Math.max(0, ...named.map((entry) => entry.room.onlineCount))
      expect(busiestRoom(named)?.room.onlineCount).toBe(most === 0 ? undefined : most)
    }),
  )
})

it('[B16] the headline never adds people up: one person may be in several rooms', () => {
  const at = (onlineCount: number, typingCount = 0, stale = false): RoomPresenceUI => ({
    onlineCount,
    typingCount,
    active: false,
    stale,
  })
  const summary = (rooms: Record<string, RoomPresenceUI>): string => citySummary(namedRooms(rooms)).join(' · ')
  expect(summary({ energy: at(5, 1), general: at(3) })).toBe('2 rooms · busiest: Energy, 5 online · typing in 1 room')
  expect(summary({ energy: at(0) })).toBe('1 room · nobody online')
  expect(summary({ energy: at(2, 1, true) })).toBe('1 room · busiest: Energy, 2 online')
})

const presence = (change: Partial<GlobalPresence>): GlobalPresence => ({ ...createPresence(), ...change })

it('[B17] every trouble has a sentence, and no trouble has none', () => {
  expect(noticeOf(presence({}), undefined)).toBeUndefined()
  expect(noticeOf(presence({ status: 'live', loaded: true }), undefined)).toBeUndefined()
  for (const staleReason of ['no-beat', 'incomplete', 'source'] as const) {
    const notice = noticeOf(presence({ status: 'live', loaded: true, stale: true, staleReason }), '14:32')
    expect(notice).toMatchObject({
      tone: 'stale',
      text: expect.stringMatching(/^[A-Z].*\. You see the city as of 14:32\.$/) as string,
    })
  }
  const lost = presence({ status: 'down', loaded: true, stale: true, staleReason: 'link' })
  expect(noticeOf(lost, '14:32')).toMatchObject({ tone: 'down', title: 'Connection lost' })
  expect(noticeOf(presence({ status: 'down' }), undefined)?.text).toBe('Trying to reach the city again.')
  for (const stopReason of ['session-ended', 'refused', 'unusable'] as const)
    expect(noticeOf(presence({ status: 'stopped', stopReason }), undefined)).toMatchObject({ tone: 'over' })
})

it('[B17] the link has a word for each state; stale data is never called live', () => {
  const words = (['connecting', 'live', 'down', 'stopped'] as const).map((status) => linkWords(presence({ status })))
  expect(words).toEqual(['Connecting', 'Live', 'Reconnecting', 'Ended'])
  expect(linkWords(presence({ status: 'live', stale: true }))).toBe('Last known')
})

it('[B17] a screen reader hears a summary of what is known, and nothing of what is not', () => {
  const presenceBySlug = { energy: { onlineCount: 1, typingCount: 0, active: false, stale: false } }
  expect(spokenSummary(presence({ loaded: true, presenceBySlug }))).toBe('1 room; busiest: Energy, 1 online.')
  expect(spokenSummary(presence({ loaded: true, stale: true, presenceBySlug }))).toBe('')
  expect(spokenSummary(presence({ presenceBySlug }))).toBe('')
})

it('[B16] where no count is told the headline says few, never nobody', () => {
  const room = { onlineCount: 0, typingCount: 0, active: false, stale: false }
  expect(citySummary(namedRooms({ a: room }))).toEqual(['1 room', 'nobody online'])
  expect(citySummary(namedRooms({ a: room, b: { ...room, below: 3 } }))).toEqual(['2 rooms', 'few online'])
})
