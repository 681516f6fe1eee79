import fc from 'fast-check'
import { expect, it } from 'vitest'
import { isRoomId, isUserId, itemsOf, recordAt, serverOf, stampOf, type Tally } from './sync-json.ts'

const freshTally = (): Tally => ({ malformed: 0, unknownStates: 0 })

it('[M12] a list gives its objects and counts the rest', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), (list) => {
      const tally = freshTally()
      const items = [...itemsOf({ events: list }, 'events', tally)]
      expect(items.length + tally.malformed).toBe(list.length)
    }),
  )
})

it('[M12] an absent container is empty, one of another kind is counted', () => {
  const tally = freshTally()
  expect([recordAt({}, 'rooms', tally), recordAt({ rooms: null }, 'rooms', tally)]).toEqual([{}, {}])
  expect(tally.malformed).toBe(0)
  expect([recordAt({ rooms: [] }, 'rooms', tally), ...itemsOf({ events: {} }, 'events', tally)]).toEqual([{}])
  expect(tally.malformed).toBe(2)
})

it('[M12] historical user ids pass, what has no server does not', () => {
  expect(['@john.doe:x', '@Ünïcödé /*>:x:8448', '@a\nb:x', '@:x'].filter(isUserId)).toHaveLength(4)
  expect(['a:x', '@a', '@a:', '', 5, null, `@${'a'.repeat(300)}:x`].filter(isUserId)).toEqual([])
  expect(serverOf('@a:x:8448')).toBe('x:8448')
})

it('[M12] a room id with or without a server part passes', () => {
  expect(['!abc', '!abc:test.local'].filter(isRoomId)).toHaveLength(2)
  expect(['!', '#abc', '', 5, `!${'a'.repeat(300)}`].filter(isRoomId)).toEqual([])
})

it('[M12] a stamp is a whole number or nothing', () => {
  expect([5, -5, 0.5, 2 ** 60, '5', null, Number.NaN].map(stampOf)).toEqual([5, -5, ...Array<undefined>(5)])
})
