// What a request for the socket or the snapshot has to look like before anybody looks at its token: one Host, an allowed Origin or
// none, exactly one token. Pure, over the raw header list, because Node joins or drops repeated headers.
//
//   rawHeaders, url -> findToken -> token | TokenMissing | TokenAmbiguous
//                   -> judgeOrigin -> fine | HostRefused | OriginRefused
import { tokenProtocolPrefix } from '@citypresence/wire/client-messages'

/** Name, value, name, value: as Node gives them. */
export type RawHeaders = readonly string[]

export function valuesOf(rawHeaders: RawHeaders, name: string): string[] {
  const values: string[] = []
  for (let at = 0; at + 1 < rawHeaders.length; at += 2)
    if (rawHeaders[at]?.toLowerCase() === name) values.push(rawHeaders[at + 1] ?? '')
  return values
}

export type FoundToken =
  | { readonly ok: true; readonly token: string }
  | { readonly ok: false; readonly code: 'TokenMissing' | 'TokenAmbiguous' }

/** All places may say the same token; two that differ say that somebody added one, and nobody could say which rules. */
export function findToken(rawHeaders: RawHeaders, url: string): FoundToken {
  const tokens = new Set([
    ...bearerTokens(valuesOf(rawHeaders, 'authorization')),
    ...protocolTokens(valuesOf(rawHeaders, 'sec-websocket-protocol')),
    ...new URLSearchParams(queryOf(url)).getAll('token'),
  ])
  const [token = ''] = tokens
  if (tokens.size > 1) return { ok: false, code: 'TokenAmbiguous' }
  return token === '' ? { ok: false, code: 'TokenMissing' } : { ok: true, token }
}

/** Another scheme than Bearer is meant for somebody else, a proxy perhaps; a Bearer without a token is an empty one. */
const bearerTokens = (values: readonly string[]): string[] =>
  values.filter((value) => /^bearer\b/i.test(value)).map((value) => /^Bearer +(\S+) *$/i.exec(value)?.[1] ?? '')

const protocolTokens = (values: readonly string[]): string[] =>
  values
    .flatMap((value) => value.split(','))
    .map((protocol) => protocol.trim())
    .filter((protocol) => protocol.startsWith(tokenProtocolPrefix))
    .map((protocol) => protocol.slice(tokenProtocolPrefix.length))

const queryOf = (url: string): string => (url.includes('?') ? url.slice(url.indexOf('?') + 1) : '')

export const pathOf = (url: string): string => url.split('?', 1)[0] ?? ''

/** Alone on the list: pages from anywhere may connect. */
export const anyOrigin = '*'

export type OriginVerdict =
  /** `origin` where the request names one. */
  | { readonly ok: true; readonly origin?: string }
  | { readonly ok: false; readonly code: 'HostRefused' | 'OriginRefused' }

/**
 * Without an Origin the request is from no page, so no page misuses somebody's browser. With one it has to be on the list to the
 * letter or, without a list, the page's own host. Two Hosts, or none, are refused: proxies disagree about which one counts.
 */
export function judgeOrigin(rawHeaders: RawHeaders, allowedOrigins: readonly string[]): OriginVerdict {
  const [host, ...moreHosts] = valuesOf(rawHeaders, 'host')
  if (host === undefined || host === '' || moreHosts.length > 0) return { ok: false, code: 'HostRefused' }
  const [origin, ...moreOrigins] = valuesOf(rawHeaders, 'origin')
  if (origin === undefined) return { ok: true }
  const allowed =
    moreOrigins.length === 0 &&
    (allowedOrigins.length > 0
      ? allowedOrigins.includes(origin) || allowedOrigins.includes(anyOrigin)
      : isOwnHost(origin, host))
  return allowed ? { ok: true, origin } : { ok: false, code: 'OriginRefused' }
}

/** A browser writes an origin in its normal form, which is what URL gives; anything else was made by hand. */
function isOwnHost(origin: string, host: string): boolean {
  const scheme = /^https?:\/\//.exec(origin)?.[0]
  if (scheme === undefined || !URL.canParse(scheme + host)) return false
  const own = new URL(scheme + host)
  return own.origin === origin && own.pathname === '/' && own.username === ''
}
