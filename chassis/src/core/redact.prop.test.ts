import fc from 'fast-check'
import { expect, it } from 'vitest'
import { redactText, redactUrl } from './redact.ts'

const word = fc.string({ unit: fc.constantFrom(...Array.from('abcXYZ019_-')), minLength: 20, maxLength: 40 })
const jwt = fc.tuple(word, word, word).map(([a, b, c]) => `eyJ${a}.eyJ${b}.${c}`)

const carriers: readonly (readonly [string, (secret: string) => string])[] = [
  ['a query', (secret) => `GET /ws/city/presence?token=${secret}&x=1 failed`],
  ['a second parameter', (secret) => `/sync?since=s1&access_token=${secret}`],
  ['a bearer header', (secret) => `authorization: Bearer ${secret} refused`],
  ['an address with a password', (secret) => `connect to nats://city:${secret}@nats:4222 failed`],
  ['a form body', (secret) => `grant_type=x&password=${secret}`],
]

it.each(carriers)('[C6] a secret in %s does not survive', (_name, carry) => {
  fc.assert(
    fc.property(fc.oneof(word, jwt), (secret) => {
      expect(redactText(carry(secret))).not.toContain(secret)
    }),
  )
})

it('[C6] JSON Web Tokens, Matrix tokens and nkey seeds are seen without a name in front', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        jwt,
        word.map((text) => `syt_${text}`),
      ),
      (secret) => {
        expect(redactText(`the value "${secret}" was refused`)).not.toContain(secret)
      },
    ),
  )
  const seed = `SU${'A2'.repeat(28)}`
  expect(redactText(`seed ${seed}.`)).not.toContain(seed)
})

it('[C6] a redacted JSON line is still JSON with the same shape', () => {
  fc.assert(
    fc.property(fc.object(), word, (value, secret) => {
      const line = JSON.stringify({ value, url: `https://u:${secret}@h/p?token=${secret}"`, msg: `token=${secret}\\` })
      expect(Object.keys(JSON.parse(redactText(line)) as object)).toEqual(['value', 'url', 'msg'])
    }),
  )
})

it('[C6] ordinary text stays as it is', () => {
  const text = 'room general has 3 people, ack took 4 ms at https://matrix.example/_matrix/client?since=s12'
  expect(redactText(text)).toBe(text)
})

it('[C6] an address that may be shown has no user, no password, no secret parameter and no fragment', () => {
  expect(redactUrl('https://me:pw@host:1/a?token=t&since=s&api_key=k#frag')).toBe(
    'https://***@host:1/a?token=***&since=s&api_key=***',
  )
  expect(redactUrl('/city?%74oken=abc')).toBe('/city?%74oken=***')
  expect(redactUrl('/city?%zz=abc&token=x')).toBe('/city?%zz=abc&token=***')
  expect(redactUrl('/city#token=abc')).toBe('/city')
})

it('[C6] any address is answered without throwing, and its fragment never shows', () => {
  fc.assert(
    fc.property(fc.oneof(fc.webUrl({ withFragments: true, withQueryParameters: true }), fc.string()), (url) => {
      expect(redactUrl(url)).not.toContain('#')
    }),
  )
})
