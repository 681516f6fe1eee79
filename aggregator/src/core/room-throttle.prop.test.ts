// The throttle against a dumb twin that keeps every offer and every publish, and looks through them all each time.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { RoomPresence } from '@citypresence/wire/room-presence'
import {
  createThrottle,
  forgetPublished,
  forgetRoom,
  nextDueAtMs,
  offer,
  saysTheSame,
  takeDue,
  type Throttle,
} from './room-throttle.ts'

const windowMs = 3_000
const room = (slug: string, online: number, more: Partial<RoomPresence> = {}): RoomPresence => ({
  type: 'room.presence',
  room_slug: slug,
  matrix_room_id: `!${slug}`,
  matrix_room_alias: null,
  online_count: online,
  typing_count: more.typing_users?.length ?? 0,
  typing_users: [],
  last_event_ts: 0,
  ...more,
})
const take = (throttle: Throttle, nowMs: number) => takeDue(throttle, nowMs, 1_000)

type Move =
  | { readonly kind: 'offer'; readonly room: RoomPresence }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'take'; readonly max: number }

const offers = fc.record({
  slug: fc.constantFrom('a', 'b', 'c'),
  online: fc.nat(2),
  typing: fc.subarray(['@x:t', '@y:t']),
  stale: fc.boolean(),
  active: fc.boolean(),
})
const anyMove: fc.Arbitrary<Move> = fc.oneof(
  offers.map(({ slug, online, typing, stale, active }) => ({
    kind: 'offer' as const,
    room: room(slug, online, { typing_users: typing, ...(stale && { stale }), ...(active && { active }) }),
  })),
  fc.record({ kind: fc.constant('pass' as const), ms: fc.constantFrom(0, 1, 50, 1_000, 2_999, 3_000, 9_000) }),
  fc.record({ kind: fc.constant('take' as const), max: fc.constantFrom(1, 2, 1_000) }),
)
const moves = fc.array(anyMove, { maxLength: 60, size: 'max' })

type Publish = { readonly room: RoomPresence; readonly atMs: number }
type History = { readonly offers: RoomPresence[]; readonly published: Publish[]; nowMs: number }

function run(all: readonly Move[]): { throttle: Throttle; history: History } {
  const throttle = createThrottle(windowMs)
  const history: History = { offers: [], published: [], nowMs: 0 }
  for (const move of all) {
    if (move.kind === 'offer') {
      history.offers.push(move.room)
      offer(throttle, move.room, history.nowMs)
    } else if (move.kind === 'pass') history.nowMs += move.ms
    else
      for (const value of takeDue(throttle, history.nowMs, move.max))
        history.published.push({ room: value, atMs: history.nowMs })
  }
  return { throttle, history }
}

const isExempt = (before: RoomPresence, after: RoomPresence): boolean =>
  (before.stale ?? false) !== (after.stale ?? false)

describe('the throttle', () => {
  it('[T1] at most one publish a room and window, but for what became stale or lives again', () => {
    fc.assert(
      fc.property(moves, (all) => {
        const { published } = run(all).history
        for (const slug of ['a', 'b', 'c']) {
          const own = published.filter((one) => one.room.room_slug === slug)
          for (const [index, { room: value, atMs }] of own.entries()) {
            const before = own[index - 1]
            // The first word of an epoch opens no window.
            if (before === undefined || index === 1 || isExempt(before.room, value)) continue
            expect(atMs - before.atMs).toBeGreaterThanOrEqual(windowMs)
          }
        }
      }),
    )
  })

  it('[T2] the last offer always gets out, and never an older one after it', () => {
    fc.assert(
      fc.property(moves, (all) => {
        const { throttle, history } = run(all)
        for (const value of take(throttle, history.nowMs + windowMs))
          history.published.push({ room: value, atMs: history.nowMs + windowMs })
        expect(nextDueAtMs(throttle)).toBeUndefined()
        for (const slug of ['a', 'b', 'c']) {
          const lastOffer = history.offers.findLast((one) => one.room_slug === slug)
          const lastPublish = history.published.findLast((one) => one.room.room_slug === slug)?.room
          if (lastOffer === undefined) expect(lastPublish).toBeUndefined()
          else expect(lastPublish !== undefined && saysTheSame(lastOffer, lastPublish)).toBe(true)
        }
      }),
    )
  })

  it('[T3] nothing is published that says what was said before', () => {
    fc.assert(
      fc.property(moves, (all) => {
        const { published } = run(all).history
        for (const [index, one] of published.entries()) {
          const before = published
            .slice(0, index)
            .findLast(({ room: { room_slug: slug } }) => slug === one.room.room_slug)
          if (before !== undefined) expect(saysTheSame(before.room, one.room)).toBe(false)
        }
      }),
    )
  })

  it('[T4] the first change after a quiet window goes at once; there and back inside a window says nothing', () => {
    const throttle = createThrottle(windowMs)
    offer(throttle, room('a', 1), 0)
    expect(take(throttle, 0)).toEqual([room('a', 1)])
    offer(throttle, room('a', 2), 1_000)
    offer(throttle, room('a', 1), 2_000)
    expect(nextDueAtMs(throttle)).toBeUndefined()
    expect(take(throttle, 9_000)).toEqual([])
    offer(throttle, room('a', 3), 9_001)
    expect(take(throttle, 9_001)).toEqual([room('a', 3)])
  })

  it('[T5] what becomes stale, lives again, or is removed does not wait; nor does anything in a new epoch, nor the change after it', () => {
    const throttle = createThrottle(windowMs)
    const say = (value: RoomPresence) => {
      offer(throttle, value, 10)
      return take(throttle, 10)
    }
    expect(say(room('a', 1))).toHaveLength(1)
    // A change right after a takeover does not wait; the next one does.
    expect(say(room('a', 2))).toHaveLength(1)
    expect(say(room('a', 3))).toHaveLength(0)
    expect(say(room('a', 2, { stale: true }))).toHaveLength(1)
    expect(say(room('a', 2))).toHaveLength(1)
    expect(say(room('a', 0, { removed: true }))).toHaveLength(1)
    forgetPublished(throttle)
    expect(say(room('a', 2))).toHaveLength(1)
  })

  it('[T6] what decides is count, typing set, active, stale, removed and the room itself; not when or for how long', () => {
    const base = room('a', 2, { typing_users: ['@x:t'] })
    expect(saysTheSame(base, { ...base, last_event_ts: 99, last_activity_ts: 5 })).toBe(true)
    expect(saysTheSame(base, { ...base, active: false, stale: false, removed: false })).toBe(true)
    for (const other of [
      { online_count: 3 },
      { typing_users: ['@y:t'] },
      { active: true },
      { stale: true },
      { blind: true },
      { removed: true },
      { matrix_room_id: '!other' },
      { matrix_room_alias: '#a:t' },
    ])
      expect(saysTheSame(base, { ...base, ...other })).toBe(false)
  })

  it('[T7] a removed room takes no memory, and what is left over by a full batch goes first in the next', () => {
    const throttle = createThrottle(windowMs)
    for (const slug of ['a', 'b', 'c']) offer(throttle, room(slug, 1), 0)
    expect(takeDue(throttle, 0, 2).map(({ room_slug: slug }) => slug)).toEqual(['a', 'b'])
    offer(throttle, room('d', 1), 0)
    expect(takeDue(throttle, 0, 2).map(({ room_slug: slug }) => slug)).toEqual(['c', 'd'])
    for (const slug of ['a', 'b', 'c', 'd']) forgetRoom(throttle, slug)
    expect([throttle.published.size, throttle.waiting.size]).toEqual([0, 0])
  })
})
