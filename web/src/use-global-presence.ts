'use client'

// The city for React: who is where, live, in one call. Nothing happens at import or on a server; the first effect connects,
// the last unmount closes.
import { useEffect, useMemo, useRef, useSyncExternalStore } from 'react'
import type { GlobalPresence } from './core/global-presence.ts'
import { createPresence } from './core/presence-view.ts'
import { createPresenceClient, type TokenSource } from './presence-client.ts'

export type UseGlobalPresenceOptions = {
  /** The gateway: `https://city.example`, `wss://city.example/ws/city/presence`, or `/` for the page's own host. */
  readonly url: string
  /**
   * A token, or a function that gives one. Another text reconnects. A function may be a new one at every render; the newest is
   * asked before each connection and after a refusal, so with it an expired session is renewed without a gap on the page.
   */
  readonly token: TokenSource
}

/** Call it once, near the top, and hand the rooms down: each call is a connection of its own. */
export function useGlobalPresence({ url, token }: UseGlobalPresenceOptions): GlobalPresence {
  const newest = useRef(token)
  useEffect(() => {
    newest.current = token
  })
  const fixedToken = typeof token === 'string' ? token : undefined
  const client = useMemo(
    () => createPresenceClient({ url, token: fixedToken ?? (() => tokenOf(newest.current)) }),
    [url, fixedToken],
  )
  return useSyncExternalStore(client.subscribe, client.getSnapshot, onServer)
}

const tokenOf = (token: TokenSource): string | Promise<string> => (typeof token === 'function' ? token() : token)

const nothingKnown = createPresence()
const onServer = (): GlobalPresence => nothingKnown
