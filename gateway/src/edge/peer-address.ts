// Whose connection it is: the peer's own address, or what a proxy that we know says of whom it forwards.
//
//   X-Forwarded-For: forged, 198.51.100.7, 10.0.0.9      our peer: 10.0.0.2
//                            ^ the first from the right that is no proxy of ours; what stands left of it is hearsay
//
// An IPv6 address stands for its /64: that is what one household gets, and it may use all of it.
import type { Cidr } from '@citypresence/chassis/config'
import { BlockList, isIP } from 'node:net'
import { valuesOf, type RawHeaders } from '../core/handshake.ts'

export type AddressOf = (peer: string | undefined, rawHeaders: RawHeaders) => string | undefined

/** Undefined without trusted proxies: behind an unknown balancer everybody has one address. */
export function createAddressOf(trustedProxies: readonly Cidr[]): AddressOf {
  if (trustedProxies.length === 0) return () => undefined
  const trusted = new BlockList()
  for (const { address, prefix, family } of trustedProxies) trusted.addSubnet(address, prefix, family)
  const isTrusted = (address: string): boolean => trusted.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
  return (peer, rawHeaders) => {
    let found = plain(peer ?? '')
    if (found === undefined) return undefined
    const hops = valuesOf(rawHeaders, 'x-forwarded-for').flatMap((value) => value.split(','))
    for (const hop of hops.reverse()) {
      if (!isTrusted(found)) break
      const next = plain(hop)
      // A proxy of ours that says no address: then it is all we know.
      if (next === undefined) break
      found = next
    }
    return household(found)
  }
}

/** Without port, brackets and zone, and IPv4 as IPv4 also where it came mapped; undefined for what is no address. */
function plain(text: string): string | undefined {
  const bare = text
    .trim()
    .replace(/^\[(.*)\](?::\d+)?$/, '$1')
    .replace(/%.*$/, '')
    .replace(/^::ffff:(?=\d+\.)/i, '')
  const address = isIP(bare) === 0 ? bare.replace(/^([\d.]+):\d+$/, '$1') : bare
  return isIP(address) === 0 ? undefined : address
}

function household(address: string): string {
  if (isIP(address) === 4) return address
  const [left = '', right] = new URL(`http://[${address}]/`).hostname.slice(1, -1).split('::')
  const groups = left.split(':').filter((group) => group !== '')
  const filled = right === undefined ? groups : [...groups, ...Array.from({ length: 4 }, () => '0')]
  return `${filled.slice(0, 4).join(':')}::/64`
}
