// The client for pages without React: what it is given, what it answers. The work is done in presence-loop.ts.
import type { GlobalPresence } from './core/global-presence.ts'
import { browserWorld } from './edge/browser-world.ts'
import { PresenceLoop } from './presence-loop.ts'

/** A token, or a function that gives one; the function is asked before every connection, and again after a refusal. */
export type TokenSource = string | (() => string | Promise<string>)

export type PresenceClientOptions = {
  /** The gateway: `https://city.example`, `wss://city.example/ws/city/presence`, or `/` for the page's own host. */
  readonly url: string
  readonly token: TokenSource
}

export type PresenceClient = {
  /** Calls back after each change until the returned function is called. The first subscriber connects, the last closes. */
  readonly subscribe: (listener: () => void) => () => void
  /** The same object until something changes. */
  readonly getSnapshot: () => GlobalPresence
  /** Closes for good. */
  readonly close: () => void
}

export function createPresenceClient(options: PresenceClientOptions): PresenceClient {
  return new PresenceLoop(browserWorld(), options)
}
