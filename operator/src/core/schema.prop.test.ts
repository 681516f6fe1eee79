// The language of fields: what is built with it is OpenAPI that says the same as the type.
import fc from 'fast-check'
import { expect, expectTypeOf, it } from 'vitest'
import {
  choice,
  defaulted,
  listByKey,
  objectOf,
  optional,
  required,
  saying,
  text,
  whole,
  type Complete,
  type Written,
} from './schema.ts'

const room = objectOf('A room.', {
  slug: required(text('Its name.', { maxLength: 63 })),
  seats: defaulted(whole('Seats.', 1, 9), 4),
})
const house = objectOf('A house.', {
  rooms: required(listByKey('Its rooms.', 'slug', room, { maxItems: 8 })),
  door: defaulted(choice('Its door.', 'Open', 'Shut'), 'Shut'),
  garden: optional(objectOf('Its garden.', { trees: defaulted(whole('Trees.', 0, 9), 1) })),
})

it('[API5] the type as it comes back has what has a default, and the type as it is written may leave it out', () => {
  type House = Complete<typeof house>
  type WrittenHouse = Written<typeof house>
  expectTypeOf<House['door']>().toEqualTypeOf<'Open' | 'Shut'>()
  expectTypeOf<House['rooms'][number]['seats']>().toEqualTypeOf<number>()
  expectTypeOf<House['garden']>().toEqualTypeOf<{ readonly trees: number } | undefined>()
  expectTypeOf<{ rooms: { slug: string }[] }>().toExtend<WrittenHouse>()
  expectTypeOf<{ door: 'Open' }>().not.toExtend<WrittenHouse>()
  expect(house.openapi.required).toEqual(['rooms'])
  expect(house.openapi.properties?.['door']?.default).toBe('Shut')
})

it('[API5] a default of an object is whole, with the defaults of what is inside', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 9 }), fc.boolean(), (trees, isSaid) => {
      const garden = objectOf('A garden.', { trees: defaulted(whole('Trees.', 0, 9), trees) })
      const { openapi } = defaulted(garden, isSaid ? { trees: 7 } : {})
      expect(openapi.default).toEqual({ trees: isSaid ? 7 : trees })
    }),
  )
})

it('[API3] a sentence that shows the value is a good expression, whatever it says', () => {
  fc.assert(
    fc.property(fc.string(), (message) => {
      const { messageExpression = '' } = saying(message)
      expect(JSON.parse(messageExpression.replace(/ \+ self$/, ''))).toBe(`${message}, not `)
    }),
  )
})
