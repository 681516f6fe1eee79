// The floor: what lies below it looks the same whoever is there, and what lies above it is untouched.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { sameView } from '@citypresence/wire/board'
import { anyView } from '@citypresence/wire/testing/any-message'
import { aboveFloor } from './privacy-floor.ts'

const anyFloor = fc.integer({ min: 0, max: 20 })
const fewPeople = fc.integer({ min: 0, max: 30 })

it('[G36] of a room below the floor nothing is told but that, the same for nobody and for one', () => {
  fc.assert(
    fc.property(anyView(), fewPeople, anyFloor, (room, online, floor) => {
      const view = { ...room, online_count: online, removed: false }
      const shown = aboveFloor(view, floor)
      if (floor <= 1 || online >= floor) {
        expect(shown).toBe(view)
        return
      }
      expect(shown.online_count).toBe(0)
      const empty = {
        room_slug: room.room_slug,
        online_count: 0,
        typing_count: 0,
        ...(room.stale === true && { stale: true }),
      }
      expect(sameView(shown, aboveFloor(empty, floor))).toBe(true)
      expect(shown.below).toBe(floor)
    }),
  )
})

it('[G36] no count from 1 up to the floor is ever shown, and a floor of 0 or 1 hides nothing', () => {
  fc.assert(
    fc.property(anyView(), fewPeople, anyFloor, (room, online, floor) => {
      const { online_count: shown, typing_count: typing } = aboveFloor({ ...room, online_count: online }, floor)
      if (room.removed !== true && floor > 1) expect(shown === 0 ? typing === 0 : shown >= floor).toBe(true)
    }),
  )
})
