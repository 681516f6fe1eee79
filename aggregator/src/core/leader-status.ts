// What the leader tells of a city in the status of its CityPresence: three conditions and a few numbers, from what it knows now. The
// reasons are words of the resource (operator/src/core/conditions); an error of ours becomes the one that says the same.

/** A word of our vocabulary of errors. */
type Word = string

export type LeaderFacts = {
  readonly synced: boolean
  readonly source: 'live' | 'stale'
  /** Why the source is not believed, or the daemon not known any more. */
  readonly sourceTrouble: Word | undefined
  readonly mapped: boolean
  readonly rooms: number
  /** Rooms of the map that nobody counts: unknown to Matrix, doubled, closed to the daemon or not joined yet. */
  readonly uncounted: number
  /** Why the list of rooms could not be read; undefined since it could. */
  readonly roomsTrouble: { readonly code: Word; readonly message: string } | undefined
  /** Why nothing can be written; undefined while it can. */
  readonly streamTrouble: { readonly code: Word; readonly message: string } | undefined
  /** The whole city was said. */
  readonly complete: boolean
  readonly online: number
}

export type LeaderCondition = {
  readonly type: 'MatrixSynced' | 'RoomsResolved' | 'StreamReady'
  readonly status: 'True' | 'False' | 'Unknown'
  readonly reason: string
  readonly message: string
}

export type LeaderStatus = {
  readonly conditions: readonly LeaderCondition[]
  readonly rooms: { readonly count: number; readonly unresolved: number; readonly online: number }
}

export const leaderStatus = (facts: LeaderFacts): LeaderStatus => ({
  conditions: [
    { type: 'MatrixSynced', ...matrixSynced(facts) },
    { type: 'RoomsResolved', ...roomsResolved(facts) },
    { type: 'StreamReady', ...streamReady(facts) },
  ],
  rooms: { count: facts.rooms, unresolved: facts.uncounted, online: rounded(facts.online) },
})

type Said = Omit<LeaderCondition, 'type'>

const yes = (reason: string, message: string): Said => ({ status: 'True', reason, message })
const no = (reason: string, message: string): Said => ({ status: 'False', reason, message })
const pending = (message: string): Said => ({ status: 'Unknown', reason: 'Pending', message })

function matrixSynced({ synced, source, sourceTrouble }: LeaderFacts): Said {
  if (sourceTrouble === 'MatrixTokenRefused')
    return no('HomeserverUnauthorized', 'the homeserver refuses the access token of the daemon')
  if (sourceTrouble === 'MatrixPresenceOff') return no('PresenceOff', 'the homeserver tells no presence')
  if (sourceTrouble !== undefined)
    return no('HomeserverUnreachable', `the homeserver cannot be followed: ${sourceTrouble}`)
  if (!synced) return pending('no sync yet')
  return source === 'live'
    ? yes('Synced', 'the homeserver is followed')
    : no('SourceStale', 'the homeserver gave no good answer for too long')
}

function roomsResolved({ mapped, rooms, uncounted, roomsTrouble }: LeaderFacts): Said {
  if (roomsTrouble !== undefined)
    return no(
      roomsTrouble.code === 'RoomDirectoryRefused' ? 'RoomDirectoryRefused' : 'CityServiceUnreachable',
      roomsTrouble.message,
    )
  if (!mapped) return pending('the rooms are not known yet')
  if (uncounted > 0) return no('SomeUnresolved', `${uncounted} of ${rooms} rooms are counted by nobody`)
  return yes('AllResolved', `all ${rooms} rooms are counted`)
}

const streamReasons: Readonly<Partial<Record<Word, string>>> = {
  StreamDiffers: 'StreamMismatch',
  StreamOwnedByAnother: 'StreamMismatch',
  NatsUnauthorized: 'NatsUnauthorized',
  NatsForbidden: 'NatsUnauthorized',
  NatsTooOld: 'NatsTooOld',
}

function streamReady({ streamTrouble, complete }: LeaderFacts): Said {
  if (streamTrouble !== undefined)
    return no(streamReasons[streamTrouble.code] ?? 'NatsUnreachable', streamTrouble.message)
  return complete ? yes('StreamWritable', 'the whole city is published') : pending('the city is not published yet')
}

/** Two digits: enough for a glance, and not another number each minute. */
export function rounded(count: number): number {
  const step = 10 ** Math.max(0, String(Math.trunc(count)).length - 2)
  return Math.round(count / step) * step
}
