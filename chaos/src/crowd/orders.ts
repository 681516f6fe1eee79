// What a crowd is told to do, and what it tells: messages between a fault and the process its crowd lives in.

/** Who comes, and how well they read. */
export type Manner =
  | 'well'
  /** Never reads a byte after its first snapshot. */
  | 'not-at-all'
  /** Reads a little once a second. */
  | 'slowly'
  /** Answers pings, but only a second and a half after they came. */
  | 'late'

export type Arrival = {
  /** Addresses of sockets; a guest that loses one tries the next. */
  readonly urls: readonly string[]
  readonly token: string
  readonly size: number
  /** Over how long they come. */
  readonly withinMs: number
  readonly manner: Manner
  /** Whether one that was refused or thrown out tries again, as the hook does. */
  readonly comesBack: boolean
}

export type Order =
  | { readonly kind: 'arrive'; readonly arrival: Arrival }
  /** Listens to the stream itself, to know when a change could have been shown. */
  | { readonly kind: 'listen'; readonly nats: { readonly url: string; readonly user: string; readonly pass: string } }
  | { readonly kind: 'tell'; readonly question: number }
  /** Forgets how long changes took so far. */
  | { readonly kind: 'measure' }
  | { readonly kind: 'leave' }

export type Told = {
  /** How many have a snapshot on an open connection now. */
  readonly inside: number
  /** The same of those who read well. */
  readonly insideWell: number
  /** Handshakes by the status that refused them; 0 where the connection ended without one. */
  readonly refusals: Readonly<Record<string, number>>
  /** Refusals that said when to come back. */
  readonly retryAfters: number
  /** Connections that ended after their snapshot, by close code. */
  readonly closes: Readonly<Record<string, number>>
  /** The most handshakes that began within one second, since the last `measure`. */
  readonly peakPerSecond: number
  /** The longest that one guest was without a connection between two snapshots, since the last `measure`. */
  readonly longestAwayMs: number
  readonly slowestHandshakeMs: number
  /** From the stream to a guest that reads well: 99 of 100 changes came within this, since the last `measure`. */
  readonly p99Ms: number
  readonly changes: number
}

export type Answer = { readonly question: number; readonly told: Told }
