// The words in which a page is told about the city. They are the package's public vocabulary, so nothing is imported here: a
// frontend team gets this file as it is.
//
// Unknown is not zero: before the first snapshot there are no rooms at all and `loaded` is false; afterwards the last known
// counts stay, marked stale.

export type RoomPresenceUI = {
  readonly onlineCount: number
  readonly typingCount: number
  /** Fewer are online than this, and how many is not told: the counts are then 0. */
  readonly below?: number
  /** Somebody types here, or wrote or came in within the last minutes. */
  readonly active: boolean
  /** The counts are the last known and may no longer hold, for whatever reason. */
  readonly stale: boolean
}

/** `connecting`: nothing has failed yet. `down`: lost, and being tried again. `stopped`: not tried again. */
export type PresenceStatus = 'connecting' | 'live' | 'down' | 'stopped'

/**
 * Why nothing is tried again. `session-ended`: the token is no longer accepted. `refused`: the gateway said not to come back.
 * `unusable`: no socket can be made from this address and token.
 */
export type PresenceStopReason = 'session-ended' | 'refused' | 'unusable'

/**
 * Why everything is stale. `link`: this page has lost the gateway. `no-beat`: the gateway does not hear from the aggregator.
 * `incomplete`: not every room has been counted yet. `source`: Matrix does not tell who is there.
 */
export type PresenceStaleReason = 'link' | 'no-beat' | 'incomplete' | 'source'

export type GlobalPresence = {
  readonly status: PresenceStatus
  /** Set when `status` is `stopped`. */
  readonly stopReason: PresenceStopReason | undefined
  /** False until the first snapshot: nothing is known, which is not the same as nobody there. */
  readonly loaded: boolean
  /** By room slug. A slug that is not there is a room the city does not have (or not yet). */
  readonly presenceBySlug: Readonly<Partial<Record<string, RoomPresenceUI>>>
  /** Everything may be out of date. */
  readonly stale: boolean
  readonly staleReason: PresenceStaleReason | undefined
  /** Wall clock, in milliseconds, when it became stale. */
  readonly staleSinceMs: number | undefined
}
