// Small cities for tests: options, moments, and facts in few words.
import { createCity, learn, mapRooms, syncSucceeded, takeChanged, valueOf } from '../core/city.ts'
import type { City, CityOptions } from '../core/city.ts'
import type { Moment } from '../core/moment.ts'
import type { Fact, PresenceWord } from '../core/sync-facts.ts'

export const daemonUserId = '@daemon:test.local'

export const cityOptions: CityOptions = {
  daemonUserId,
  homeServer: 'test.local',
  activeWindowMs: 300_000,
  offlineGraceMs: 0,
  staleAfterMs: 90_000,
  typingMaxMs: 130_000,
  outsidersMax: 100,
  userEvents: false,
  remoteUsers: false,
}

// The clocks are apart on purpose: a stamp taken from the wrong one shows.
export const at = (ms: number): Moment => ({ wallMs: 1_800_000_000_000 + ms, monotonicMs: ms })

export const user = (name: string | number): string => `@u${name}:test.local`
export const follow = (roomId: string): Fact => ({ kind: 'self-joined', roomId })
export const lose = (roomId: string): Fact => ({ kind: 'self-left', roomId })
export const come = (roomId: string, userId: string, originTs?: number): Fact => ({
  kind: 'joined',
  roomId,
  userId,
  ...(originTs !== undefined && { originTs }),
})
export const go = (roomId: string, userId: string, originTs?: number): Fact => ({
  kind: 'left',
  roomId,
  userId,
  ...(originTs !== undefined && { originTs }),
})
/** The same, as the state beside a whole timeline says it. */
export const old = (fact: Fact): Fact =>
  fact.kind === 'joined' || fact.kind === 'left' ? { ...fact, mayBeOld: true } : fact
/** The same, as the timeline says it. */
export const news = (fact: Fact): Fact =>
  fact.kind === 'joined' || fact.kind === 'left' ? { ...fact, isNews: true } : fact
export const is = (userId: string, state: PresenceWord, lastActiveAgoMs?: number): Fact => ({
  kind: 'presence',
  userId,
  state,
  ...(lastActiveAgoMs !== undefined && { lastActiveAgoMs }),
})
export const type = (roomId: string, ...userIds: string[]): Fact => ({ kind: 'typing', roomId, userIds })
export const write = (roomId: string, originTs?: number): Fact => ({
  kind: 'activity',
  roomId,
  ...(originTs !== undefined && { originTs }),
})

/** One whole response. */
export function respond(city: City, ms: number, ...facts: Fact[]): void {
  learn(city, facts, at(ms))
  syncSucceeded(city, at(ms))
}

/** A city with one room `!r`, slug `r`, and so many people in it who are all online. */
export function cityOf(people: number, options: Partial<CityOptions> = {}): City {
  const city = createCity({ ...cityOptions, ...options })
  mapRooms(city, [{ slug: 'r', roomId: '!r', alias: null }], at(0))
  const users = Array.from({ length: people }, (_, index) => user(index))
  respond(
    city,
    1,
    follow('!r'),
    ...users.map((userId) => come('!r', userId)),
    ...users.map((userId) => is(userId, 'online')),
  )
  takeChanged(city)
  return city
}

export function presenceIn(city: City, slug: string) {
  const value = valueOf(city, slug)
  if (value.kind !== 'known') throw new Error(`${slug} is ${value.kind}`)
  return value.presence
}
export const onlineOf = (city: City, slug: string): number => presenceIn(city, slug).online_count
