// Who a connection counts for, with and without proxies that we know, and what strangers write into the header.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { decode } from '@citypresence/chassis/config'
import { createAddressOf } from './peer-address.ts'

function behind(...ranges: string[]) {
  const read = decode.cidrs(ranges.join(','))
  if (!read.ok) throw new Error(read.problem)
  const addressOf = createAddressOf(read.value)
  return (peer: string | undefined, ...forwarded: string[]) =>
    addressOf(
      peer,
      forwarded.flatMap((value) => ['X-Forwarded-For', value]),
    )
}

it('[G34] without trusted proxies nobody has an address, whatever the header says', () => {
  expect(behind()('198.51.100.7', '203.0.113.9')).toBeUndefined()
})

it('[G34] the header counts only from a trusted proxy, and only its right end that is no proxy of ours', () => {
  const at = behind('10.0.0.0/8', 'fd00::/8')
  expect(at('198.51.100.7', '203.0.113.9')).toBe('198.51.100.7')
  expect(at('10.0.0.2', '203.0.113.9')).toBe('203.0.113.9')
  expect(at('10.0.0.2', '1.1.1.1, 203.0.113.9, 10.0.0.9')).toBe('203.0.113.9')
  expect(at('10.0.0.2', '1.1.1.1', '203.0.113.9', ' 10.0.0.9 ')).toBe('203.0.113.9')
  expect(at('::ffff:10.0.0.2', '203.0.113.9:4711')).toBe('203.0.113.9')
  expect(at('fd00::2', '[2001:db8:1:2:3::4]:443')).toBe('2001:db8:1:2::/64')
  expect(at('10.0.0.2')).toBe('10.0.0.2')
  for (const garbage of [
    '',
    'unknown',
    '_hidden',
    '203.0.113',
    '1.2.3.4.5',
    '2001:db8::1::2',
    '\u0000',
    'x'.repeat(9_000),
  ])
    expect(at('10.0.0.2', `203.0.113.9, ${garbage}`)).toBe('10.0.0.2')
  expect(at(undefined, '203.0.113.9')).toBeUndefined()
})

it('[G34] one household is one address: all of an IPv6 /64, and IPv4 in either spelling', () => {
  const at = behind('10.0.0.0/8')
  expect(at('2001:db8:0:1::1')).toBe(at('2001:db8:0:1:ffff:ffff:ffff:ffff'))
  expect(at('2001:db8:0:1::1')).not.toBe(at('2001:db8:0:2::1'))
  expect(at('::1')).toBe('0:0:0:0::/64')
  expect(at('::ffff:198.51.100.7')).toBe('198.51.100.7')
})

it('[G34] what strangers write in front of the true address changes nothing, and no text throws', () => {
  const at = behind('10.0.0.0/8')
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.string(), fc.ipV4(), fc.ipV6()), { maxLength: 5 }), fc.ipV4(), (forged, peer) => {
      const header = [...forged, '203.0.113.9'].join(',')
      expect(at('10.0.0.2', header)).toBe('203.0.113.9')
      expect(typeof at(peer, ...forged)).toBe('string')
    }),
  )
})
