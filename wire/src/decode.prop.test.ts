// Properties of all decoders: what they take, what they refuse, and what they say about it.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  arrayOf,
  byType,
  decodeJson,
  describeDecodeError,
  flag,
  integer,
  matching,
  nameFound,
  nullable,
  object,
  oneOf,
  text,
} from './decode.ts'
import { anyText, grow, kinds, pathOf, placesIn, spoil } from './testing/any-message.ts'

const anyJson = fc.jsonValue({ maxDepth: 5 })

describe.each(kinds)('the $name', ({ decoder, valid }) => {
  it('[W1] decodes to itself, also after a trip through JSON', () => {
    fc.assert(
      fc.property(valid, (message) => {
        expect(decoder.decode(message)).toEqual({ ok: true, value: message })
        expect(decodeJson(decoder, JSON.stringify(message))).toEqual({ ok: true, value: message })
      }),
    )
  })

  it('[W2] any JSON is answered without throwing, with a value that decodes to itself or with a path', () => {
    fc.assert(
      fc.property(anyJson, (input) => {
        const decoded = decoder.decode(input)
        if (decoded.ok) expect(decoder.decode(decoded.value)).toEqual(decoded)
        else expect(decoded.error.path).not.toBe('')
      }),
    )
  })

  it('[W2] a valid message with any place replaced by any JSON, or taken out, is answered without throwing', () => {
    const spoiled = fc.tuple(valid, fc.nat(), fc.option(anyJson, { nil: undefined })).map(([message, choice, put]) => {
      const places = placesIn(message)
      const place = places[choice % Math.max(1, places.length)]
      return place === undefined ? message : spoil(message, place, put === undefined ? 'take-out' : { value: put })
    })
    fc.assert(
      fc.property(spoiled, (message) => {
        const decoded = decoder.decode(message)
        if (decoded.ok) expect(decoder.decode(decoded.value)).toEqual(decoded)
        else expect(describeDecodeError(decoded.error)).toMatch(/^\S.*: expected .+, found .+$/s)
      }),
    )
  })

  it('[W3] the error names the path of the one place that is wrong', () => {
    const wrong = fc.tuple(valid, fc.nat()).filter(([message]) => placesIn(message).length > 0)
    fc.assert(
      fc.property(wrong, ([message, choice]) => {
        const places = placesIn(message)
        const place = places[choice % places.length] ?? []
        // No contract holds a symbol, so this is wrong wherever it is put.
        const decoded = decoder.decode(spoil(message, place, { value: Symbol('wrong') }))
        expect(decoded.ok ? 'accepted' : decoded.error.path).toBe(pathOf(place))
      }),
    )
  })

  it('[W4] keys that nobody knows yet pass, and do not come through', () => {
    const extras = fc.dictionary(
      fc.string().map((key) => `x-${key}`),
      anyJson,
    )
    fc.assert(
      fc.property(valid, extras, (message, extra) => {
        expect(decoder.decode(grow(message, extra))).toEqual({ ok: true, value: message })
      }),
    )
  })
})

it('[W2] deep nesting, long numbers and names of Object.prototype are data like any other', () => {
  const nested = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
  const inputs = [
    nested,
    '1e400',
    '-0',
    '{"__proto__":{"type":"snapshot"}}',
    '{"type":"constructor"}',
    '{"type":"__proto__"}',
  ]
  for (const { decoder } of kinds) for (const input of inputs) expect(decodeJson(decoder, input).ok).toBe(false)
  expect(nameFound('x'.repeat(41))).toBe('a long text')
})

it('[W3] what is no JSON is refused with no more of its text than 40 characters', () => {
  fc.assert(
    fc.property(anyText(200), (input) => {
      const decoded = decodeJson(flag, `{${input}`)
      if (decoded.ok) return
      expect(decoded.error.path).toBe('(whole)')
      expect(decoded.error.expected).toBe('JSON')
      if (input.length > 39) expect(decoded.error.found).toBe('a long text')
    }),
  )
})

describe('each small decoder at its border', () => {
  const answer = (decoder: { decode(input: unknown): { ok: boolean } }, ...inputs: unknown[]): boolean[] =>
    inputs.map((input) => decoder.decode(input).ok)

  it('[W2] text is bounded in UTF-16 units', () =>
    expect(answer(text(3), '', 'abc', 'abcd', '😀a', '😀😀', 3, null)).toEqual([
      true,
      true,
      false,
      true,
      false,
      false,
      false,
    ]))

  it('[W2] an integer is safe and within its range, both ends included', () => {
    const max = Number.MAX_SAFE_INTEGER
    expect(answer(integer(1, 3), 0, 1, 3, 4, 1.5, '2', Number.NaN)).toEqual([
      false,
      true,
      true,
      false,
      false,
      false,
      false,
    ])
    expect(answer(integer(0), 0, max, max + 1, -1, Infinity)).toEqual([true, true, false, false, false])
  })

  it('[W2] one of some words is one of these words', () =>
    expect(answer(oneOf('a', 'b'), 'a', 'b', 'c', 'toString', null)).toEqual([true, true, false, false, false]))

  it('[W2] null is a value only where it is named', () =>
    expect(answer(nullable(flag), null, true, undefined, 0)).toEqual([true, true, false, false]))

  it('[W2] a list is bounded', () =>
    expect(answer(arrayOf(flag, 2), [], [true, false], [true, true, true], [1], { length: 0 })).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]))

  it('[W3] an optional key may be absent, and a null or wrong one is refused by its path', () => {
    const decoder = object({ name: matching('a lower-case word', /^[a-z]+$/) }, { loud: flag })
    expect(decoder.decode({ name: 'a' })).toEqual({ ok: true, value: { name: 'a' } })
    expect(decoder.decode({ name: 'a', loud: null })).toMatchObject({
      ok: false,
      error: { path: 'loud', found: 'null' },
    })
    expect(decoder.decode({ name: 'A' }, 'deep[3]')).toEqual({
      ok: false,
      error: { path: 'deep[3].name', expected: 'a lower-case word', found: '"A"' },
    })
    expect(decoder.decode(Object.create({ name: 'inherited' }))).toMatchObject({ ok: false, error: { path: 'name' } })
  })

  it('[W3] a union names the types it knows', () => {
    const union = byType({ cat: object({ type: oneOf('cat') }), dog: object({ type: oneOf('dog') }) })
    const refused = union.decode({ type: 'cow' })
    expect(refused.ok ? '' : describeDecodeError(refused.error)).toBe('type: expected "cat" or "dog", found "cow"')
  })
})
