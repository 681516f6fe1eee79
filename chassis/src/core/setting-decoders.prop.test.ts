import fc from 'fast-check'
import { expect, it } from 'vitest'
import { decode } from './setting-decoders.ts'

it('[C2] no decoder throws on any text', () => {
  const decoders = [
    decode.string,
    decode.nonEmpty,
    decode.url('https:', 'http:'),
    decode.integer({ min: 1, max: 9 }),
    decode.ratio,
    decode.boolean,
    decode.oneOf('a', 'b'),
    decode.list(decode.nonEmpty),
    decode.cidrs,
  ]
  fc.assert(
    fc.property(fc.constantFrom(...decoders), fc.oneof(fc.string(), fc.string({ unit: 'binary' })), (decoder, text) => {
      const decoded = decoder(text)
      expect(decoded.ok || decoded.problem.length > 0).toBe(true)
    }),
  )
})

it('[C2] an integer is accepted exactly within its bounds, and never from a text with more in it', () => {
  fc.assert(
    fc.property(fc.integer({ min: -2000, max: 2000 }), (value) => {
      expect(decode.integer({ min: -1000, max: 1000 })(String(value)).ok).toBe(Math.abs(value) <= 1000)
      for (const text of [`${value}ms`, `${value}.5`, `0x${value}`, ` ${value}`, `${value}e3`, ''])
        expect(decode.integer({ min: -5000, max: 5000 })(text).ok).toBe(false)
    }),
  )
  expect(decode.integer()('9999999999999999').ok).toBe(false)
})

it('[C2] an IPv4 range is accepted exactly when every part is in its range', () => {
  const part = fc.integer({ min: 0, max: 300 })
  fc.assert(
    fc.property(part, part, part, part, fc.integer({ min: 0, max: 40 }), (a, b, c, d, prefix) => {
      const right = [a, b, c, d].every((octet) => octet <= 255) && prefix <= 32
      expect(decode.cidr(`${a}.${b}.${c}.${d}/${prefix}`).ok).toBe(right)
    }),
  )
})

it('[C2] IPv6 ranges, single hosts and wrong ones are told apart', () => {
  expect(decode.cidr('2001:db8::/32')).toEqual({
    ok: true,
    value: { address: '2001:db8::', prefix: 32, family: 'ipv6' },
  })
  expect(decode.cidr('10.1.2.3')).toEqual({ ok: true, value: { address: '10.1.2.3', prefix: 32, family: 'ipv4' } })
  for (const wrong of ['2001:db8::/129', '010.0.0.1/8', 'host/8', '::1]/8', '10.0.0.0/', '', '1.2.3/8'])
    expect(decode.cidr(wrong).ok).toBe(false)
})

it('[C2] an address needs an allowed protocol and a host, and must not hold a password', () => {
  const url = decode.url('https:', 'http:')
  expect(url('https://matrix.example/')).toEqual({ ok: true, value: 'https://matrix.example' })
  for (const wrong of [
    'matrix.example',
    'ftp://h',
    'https://',
    'https://me:pw@h',
    'javascript:alert(1)',
    'file:///etc/passwd',
  ])
    expect(url(wrong).ok).toBe(false)
  expect(JSON.stringify(url('https://me:hunter2@h'))).not.toContain('hunter2')
})

it('[C2] a list names the entry that is wrong and drops empty ones', () => {
  const list = decode.list(decode.integer({ max: 5 }))
  expect(list('1, 2,,3,')).toEqual({ ok: true, value: [1, 2, 3] })
  expect(list('1,9')).toMatchObject({ ok: false, problem: expect.stringContaining('entry 2') as string })
  expect(list('1,'.repeat(1001)).ok).toBe(false)
})

it('[C2] on and off have the spellings other tools use, and nothing else', () => {
  for (const text of ['on', 'true', '1', 'YES']) expect(decode.boolean(text)).toEqual({ ok: true, value: true })
  for (const text of ['off', 'false', '0', 'No']) expect(decode.boolean(text)).toEqual({ ok: true, value: false })
  for (const text of ['', 'enabled', 'onn', '2']) expect(decode.boolean(text).ok).toBe(false)
})

it('[C2] a word has no dot, words have one between two of them, and neither has a wildcard, a space or an empty part', () => {
  const anyWord = fc.stringMatching(/^[A-Za-z0-9_-]{1,8}$/)
  fc.assert(
    fc.property(fc.array(anyWord, { minLength: 1, maxLength: 4 }), (parts) => {
      const text = parts.join('.')
      expect(decode.words(text)).toEqual({ ok: true, value: text })
      expect(decode.word(text).ok).toBe(parts.length === 1)
      for (const wrong of [
        `${text}.`,
        `.${text}`,
        `${text}..a`,
        `${text}.*`,
        `${text}.>`,
        `${text} a`,
        `${text}\n`,
        '',
      ])
        expect([decode.words(wrong).ok, decode.word(wrong).ok]).toEqual([false, false])
    }),
  )
})
