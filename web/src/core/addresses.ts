// Where a gateway's socket and its HTTP twin lie, from whatever a page gives as its address.
//
//   https://city.example            -> wss://city.example/ws/city/presence   and https://city.example/api/city/presence
//   wss://city.example/ws/city/presence, or /behind/a/prefix                    are understood too
import { snapshotPath, socketPath } from '@citypresence/wire/client-messages'

type Addresses = { readonly socketUrl: string; readonly snapshotUrl: string }

/** Undefined where the text is no address of http, https, ws or wss. Query and fragment are dropped: a token does not belong there. */
export function addressesOf(url: string, pageUrl: string | undefined): Addresses | undefined {
  if (!URL.canParse(url, pageUrl)) return undefined
  const { protocol, host, pathname } = new URL(url, pageUrl)
  const secure = protocol === 'https:' || protocol === 'wss:'
  if (!secure && protocol !== 'http:' && protocol !== 'ws:') return undefined
  const prefix = (pathname.endsWith(socketPath) ? pathname.slice(0, -socketPath.length) : pathname).replace(/\/+$/, '')
  return {
    socketUrl: `${secure ? 'wss' : 'ws'}://${host}${prefix}${socketPath}`,
    snapshotUrl: `${secure ? 'https' : 'http'}://${host}${prefix}${snapshotPath}`,
  }
}
