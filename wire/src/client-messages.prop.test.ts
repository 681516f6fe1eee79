// What a browser is told: counts, never names; and what it does after each close.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { clientMessage, closeCodes, comeBackAfter, viewOf, type RoomView } from './client-messages.ts'
import { anyRoomPresence } from './testing/any-message.ts'

describe('the view of a room', () => {
  it('[W15] holds no key but the counted and the flags, so no id can leave', () => {
    const allowed = ['room_slug', 'online_count', 'typing_count', 'active', 'stale', 'removed', 'below']
    fc.assert(
      fc.property(anyRoomPresence, (room) => {
        for (const [key, value] of Object.entries(viewOf(room))) {
          expect(allowed).toContain(key)
          if (key !== 'room_slug') expect(['number', 'boolean']).toContain(typeof value)
        }
      }),
    )
  })

  it('[W15] of a room full of marked ids has none of the marks in its text, in no browser message either', () => {
    const mark = 'LEAK'
    const marked = anyRoomPresence.map((room) => ({
      ...room,
      matrix_room_id: `!${mark}${room.matrix_room_id}`,
      matrix_room_alias: `#${mark}`,
      typing_users: [...room.typing_users, ''].map((user) => `@${mark}${user}`),
      [`x_${mark}`]: mark,
    }))
    fc.assert(
      fc.property(marked, (room) => {
        expect(JSON.stringify(viewOf(room))).not.toContain(mark)
        const snapshot = clientMessage.decode({ type: 'snapshot', rooms: [room] })
        const update = clientMessage.decode({ ...room, type: 'room.presence' })
        expect(snapshot.ok && update.ok).toBe(true)
        expect(JSON.stringify([snapshot, update])).not.toContain(mark)
      }),
    )
  })

  it('[W16] tells the same counts and flags as the event, a flag that says nothing left out', () => {
    fc.assert(
      fc.property(anyRoomPresence, (room) => {
        const view: RoomView = viewOf(room)
        const { room_slug, online_count, typing_count } = room
        expect(view).toMatchObject({ room_slug, online_count, typing_count })
        for (const key of ['active', 'stale', 'removed'] as const) {
          expect(view[key] ?? false).toBe(room[key] ?? false)
          expect(Object.hasOwn(view, key)).toBe(room[key] === true)
        }
        expect(clientMessage.decode({ type: 'room.presence', ...view }).ok).toBe(true)
      }),
    )
  })
})

describe('a close code', () => {
  const codes = Object.values(closeCodes)

  it('[W17] is given once, has a reason that fits a close frame, and is one a server may send', () => {
    expect(new Set(codes.map(({ code }) => code)).size).toBe(codes.length)
    expect(new Set(codes.map(({ reason }) => reason)).size).toBe(codes.length)
    for (const { code, reason } of codes) {
      expect((code >= 1000 && code <= 1014) || (code >= 4000 && code <= 4999)).toBe(true)
      expect([1004, 1005, 1006]).not.toContain(code)
      // 125 bytes are a control frame, two of them the code.
      expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(123)
      expect(reason).not.toBe('')
    }
  })

  it('[W17] has its duty, written here once more', () => {
    const duties = Object.fromEntries(codes.map(({ code, comeBack }) => [code, comeBack]))
    expect(duties).toEqual({
      1002: 'later',
      1008: 'never',
      1009: 'never',
      1012: 'soon',
      1013: 'later',
      4401: 'new-token',
      4403: 'never',
      4408: 'soon',
      4429: 'later',
    })
    for (const { code, comeBack } of codes) expect(comeBackAfter(code)).toBe(comeBack)
  })

  it('[W17] that is not listed is an accident of the way: come back soon', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1, max: 5000 }), (code) => {
        const listed = codes.some((entry) => entry.code === code)
        if (!listed) expect(comeBackAfter(code)).toBe('soon')
      }),
    )
  })
})
