// How far one reader is, in four numbers: this is all the outbox it has. Nothing is queued for anybody: a reader who lags gets
// nothing until it has taken what was sent, and then the newest value of each room it missed, from the board.
//
//   sweep -> decide:  has it already -> nothing      lags -> wait      has all up to the flush -> flush
//                     joined during the sweep before -> tail           missed a flush -> catch-up
//
// "Lags" is seen in two ways: bytes that the system has not taken from us, and a ping that is unanswered for two seconds (the
// system's own buffers hide minutes of not reading). A reader belongs to the loop and is changed in place: at a hundred thousand
// decisions a second an object each would be felt.

export type Reader = {
  /** It has been sent everything of the city up to this mark. */
  mark: number
  /** The ping it has not answered, 0 where it owes none. */
  pingId: number
  pingSentMs: number
  /** When it last showed that it reads. */
  heardMs: number
}

/** A browser on a bad mobile link answers within a second. */
const slowPongMs = 2_000
/** Whoever has not read for ten seconds is better served by a new connection with a snapshot. */
const pongDeadlineMs = 10_000
/** Below the 45 s in which half-open peers are reclaimed: 20 s + 10 s + one round of a second + the closing handshake. */
const quietMs = 20_000
/** The first ping of a quiet reader comes this much earlier, by its number, so that a storm of joins is no storm of pings. */
const staggerMs = 10_000

/** `number` counts connections; whole milliseconds, because small integers cost no memory of their own. */
export const createReader = (mark: number, number: number, nowMs: number): Reader => ({
  mark,
  pingId: 0,
  pingSentMs: 0,
  // 7,919 is prime: neighbours in time land far from each other.
  heardMs: nowMs - ((number * 7_919) % staggerMs),
})

export type Delivery = 'nothing' | 'wait' | 'flush' | 'tail' | 'catch-up'

/** What a sweep gives this reader; the flush covers what changed after `fromMark` up to `toMark`. */
export function decide(
  reader: Reader,
  flush: { readonly fromMark: number; readonly toMark: number },
  pendingBytes: number,
  nowMs: number,
): Delivery {
  if (reader.mark >= flush.toMark) return 'nothing'
  if (isLagging(reader, pendingBytes, nowMs)) return 'wait'
  if (reader.mark === flush.fromMark) return 'flush'
  return reader.mark > flush.fromMark ? 'tail' : 'catch-up'
}

export const isLagging = (reader: Reader, pendingBytes: number, nowMs: number): boolean =>
  pendingBytes > 0 || (reader.pingId !== 0 && nowMs - reader.pingSentMs >= slowPongMs)

export function notePing(reader: Reader, pingId: number, nowMs: number): void {
  reader.pingId = pingId
  reader.pingSentMs = nowMs
}

/** True when this pong answers the ping it owes; any other is unasked for and says nothing. */
export function notePong(reader: Reader, pingId: number, nowMs: number): boolean {
  if (pingId === 0 || pingId !== reader.pingId) return false
  reader.pingId = 0
  reader.heardMs = nowMs
  return true
}

/** Our own event loop stood still for so long: an answer may have come meanwhile that nobody has read yet. */
export function forgive(reader: Reader, stoodStillMs: number): void {
  reader.pingSentMs += stoodStillMs
}

export type Check = 'fine' | 'ping' | 'not-reading'

/** Asked about every reader once a second. */
export function checkReader(reader: Reader, nowMs: number): Check {
  if (reader.pingId !== 0) return nowMs - reader.pingSentMs >= pongDeadlineMs ? 'not-reading' : 'fine'
  return nowMs - reader.heardMs >= quietMs ? 'ping' : 'fine'
}
