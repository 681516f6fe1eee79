// Addresses: whatever way a page writes its gateway, both paths come out, and nothing secret stays in.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { addressesOf } from './addresses.ts'

const secureTwin = { 'http:': 'ws:', 'https:': 'wss:', 'ws:': 'ws:', 'wss:': 'wss:' } as const
const anyScheme = fc.constantFrom('http:', 'https:', 'ws:', 'wss:')
const anyHost = fc.tuple(fc.domain(), fc.constantFrom('', ':7001')).map((parts) => parts.join(''))
const anyPrefix = fc
  .array(fc.stringMatching(/^[a-z0-9]{1,8}$/), { maxLength: 3 })
  .map((parts) => parts.map((part) => `/${part}`).join(''))

it('[B11] socket and HTTP twin lie side by side, from any way of writing the gateway', () => {
  fc.assert(
    fc.property(
      anyScheme,
      anyHost,
      anyPrefix,
      fc.constantFrom('', '/', '/ws/city/presence'),
      (scheme, host, prefix, tail) => {
        const http = secureTwin[scheme] === 'wss:' ? 'https:' : 'http:'
        expect(addressesOf(`${scheme}//${host}${prefix}${tail}`, undefined)).toEqual({
          socketUrl: `${secureTwin[scheme]}//${host}${prefix}/ws/city/presence`,
          snapshotUrl: `${http}//${host}${prefix}/api/city/presence`,
        })
      },
    ),
  )
})

it('[B11] `/` is the host of the page', () => {
  const own = addressesOf('/', 'https://city.example/city#token=abc')
  expect(own?.socketUrl).toBe('wss://city.example/ws/city/presence')
})

it('[B11] query, fragment and user name of the address are left out, and no text throws', () => {
  expect(addressesOf('https://u:p@city.example/?token=abc#token=abc', undefined)).toEqual({
    socketUrl: 'wss://city.example/ws/city/presence',
    snapshotUrl: 'https://city.example/api/city/presence',
  })
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.webUrl({ withQueryParameters: true, withFragments: true })), (text) => {
      const addresses = addressesOf(text, 'http://localhost/city')
      expect(addresses === undefined || !/[?#]/.test(addresses.socketUrl)).toBe(true)
    }),
  )
  for (const text of ['ftp://city.example', 'javascript:1', 'http://', '//'])
    expect(addressesOf(text, undefined)).toBeUndefined()
})
