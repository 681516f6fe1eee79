// Tokens, hosts and origins of a request, over raw header lists.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { findToken, judgeOrigin, pathOf, valuesOf } from './handshake.ts'

const refused = (code: string) => ({ ok: false, code })
const token = fc.stringMatching(/^[A-Za-z0-9_-]{1,40}\.[A-Za-z0-9_-]{1,40}\.[A-Za-z0-9_-]{1,40}$/)

/** Each place a token may stand in, alone. */
const places = (text: string): [string[], string][] => [
  [['authorization', `Bearer ${text}`], '/ws'],
  [['AUTHORIZATION', `bearer  ${text} `], '/ws'],
  [['Sec-WebSocket-Protocol', `city-presence, bearer.${text}`], '/ws'],
  [['sec-websocket-protocol', `bearer.${text},city-presence`], '/ws'],
  [[], `/ws?x=1&token=${text}`],
]

it('[A1] a token is found in each of its three places, and in all of them if they agree', () => {
  fc.assert(
    fc.property(token, (text) => {
      for (const [headers, url] of places(text)) expect(findToken(headers, url)).toEqual({ ok: true, token: text })
      const together = places(text).flatMap(([headers]) => headers)
      expect(findToken(together, `/ws?token=${text}`)).toEqual({ ok: true, token: text })
    }),
  )
})

it('[A1] two tokens that differ are refused wherever they stand, and so is none', () => {
  fc.assert(
    fc.property(token, token, fc.nat(4), fc.nat(3), (one, other, first, second) => {
      fc.pre(one !== other)
      const [headers] = places(one)[first] ?? [[]]
      const [moreHeaders] = places(other)[second] ?? [[]]
      const url = first === 4 ? `/ws?token=${one}` : '/ws'
      expect(findToken([...headers, ...moreHeaders], url)).toEqual(refused('TokenAmbiguous'))
    }),
  )
  expect(findToken([], '/ws?token=a&token=b')).toEqual(refused('TokenAmbiguous'))
  for (const [headers, url] of [
    [[], '/ws'],
    [[], '/ws?token='],
    [['authorization', 'Bearer '], '/ws'],
    [['authorization', 'Basic YTpi'], '/ws'],
    [['sec-websocket-protocol', 'city-presence'], '/ws'],
  ] as [string[], string][])
    expect(findToken(headers, url)).toEqual(refused('TokenMissing'))
})

it('[A2] one Host, and no Origin or an allowed one: everything that only looks like it is refused', () => {
  const judge = (origin: string | string[] | undefined, host = 'city.example', allowed: string[] = []) =>
    judgeOrigin(['Host', host, ...[origin ?? []].flat().flatMap((value) => ['Origin', value])], allowed)
  expect(judge(undefined)).toEqual({ ok: true })
  for (const [origin, host] of [
    ['https://city.example', 'city.example'],
    ['http://city.example', 'city.example'],
    ['https://city.example', 'city.example:443'],
    ['http://127.0.0.1:7001', '127.0.0.1:7001'],
    ['https://city.example', 'CITY.example'],
  ] as const)
    expect(judge(origin, host), origin).toEqual({ ok: true, origin })
  for (const origin of [
    'null',
    '',
    'https://city.example.evil.org',
    'https://evil-city.example',
    'https://evil.org',
    'https://city.example:8443',
    'HTTPS://CITY.EXAMPLE',
    'https://city.example/',
    'https://user@city.example',
    'file://city.example',
    'https://city.example ',
    ['https://city.example', 'https://city.example'],
    ['https://city.example', 'https://evil.org'],
  ])
    expect(judge(origin), String(origin)).toEqual(refused('OriginRefused'))
  expect(judge('https://city.example', 'x@city.example')).toEqual(refused('OriginRefused'))
})

it('[A2] with a list, only what is on it to the letter; the own host no longer counts', () => {
  const judge = (origin: string) =>
    judgeOrigin(['host', 'city.example', 'origin', origin], ['https://app.example', 'http://localhost:3000'])
  expect(judge('https://app.example').ok).toBe(true)
  for (const origin of ['https://city.example', 'https://App.example', 'http://app.example', 'http://localhost:30000'])
    expect(judge(origin)).toEqual(refused('OriginRefused'))
})

it('[A2] with * alone on the list any one Origin may come', () => {
  const judge = (...origins: string[]) =>
    judgeOrigin(['host', 'city.example', ...origins.flatMap((origin) => ['origin', origin])], ['*'])
  expect(judge('https://anywhere.example').ok).toBe(true)
  expect(judge('null').ok).toBe(true)
  expect(judge('https://a.example', 'https://b.example')).toEqual(refused('OriginRefused'))
})

it('[A2] two Hosts or none are refused', () => {
  for (const headers of [[], ['host', ''], ['host', 'a', 'Host', 'a'], ['host', 'a', 'host', 'b']])
    expect(judgeOrigin(headers, [])).toEqual(refused('HostRefused'))
})

it('[A2] no headers and no address make these throw', () => {
  const headers = fc.array(fc.string(), { maxLength: 12 })
  fc.assert(
    fc.property(headers, fc.string(), fc.webUrl(), (raw, url, origin) => {
      findToken(raw, url)
      judgeOrigin([...raw, 'origin', origin], [])
      expect(pathOf(url)).not.toContain('?')
      expect(valuesOf(raw, 'x').length).toBeLessThanOrEqual(raw.length)
    }),
  )
})
