// The pause before a lost NATS connection dials again, for a client that counts it by the wall clock: a server is due when its last
// dial plus the pause is past. Where that clock was set back by an hour, every server would be due in an hour. So whatever the
// clock lost is taken off once for each server that was dialled by the old time.
//
//   wall clock set back by an hour -> - 1 h, once for each server of the list -> pause as ever
//
// Pure: both clocks and the random number arrive as arguments.
export type DialPauses = {
  /** Wall clock minus monotonic clock when last looked at. */
  readonly offsetMs: number
  /** What the wall clock lost, and for how many more dials that counts. */
  readonly lostMs: number
  readonly dials: number
}

export type Moment = { readonly wallMs: number; readonly monotonicMs: number }

const offsetOf = ({ wallMs, monotonicMs }: Moment): number => wallMs - monotonicMs

/** The two clocks are read one after the other, and a clock that is slewed loses milliseconds: no reason to hurry. */
const lossMinMs = 100

export const startDialPauses = (now: Moment): DialPauses => ({ offsetMs: offsetOf(now), lostMs: 0, dials: 0 })

/** @param servers how many there are to dial. @param pauseMs what was to be waited. */
export function nextDialPause(
  before: DialPauses,
  now: Moment,
  { pauseMs, servers }: { readonly pauseMs: number; readonly servers: number },
): { readonly pauses: DialPauses; readonly waitMs: number } {
  const offsetMs = offsetOf(now)
  const lossMs = before.offsetMs - offsetMs
  const isSetBack = lossMs >= lossMinMs
  const stillLostMs = before.dials > 0 ? before.lostMs : 0
  const lostMs = stillLostMs + (isSetBack ? lossMs : 0)
  const dials = isSetBack ? servers : before.dials
  const pauses = {
    offsetMs: isSetBack || lossMs < 0 ? offsetMs : before.offsetMs,
    lostMs,
    dials: Math.max(0, dials - 1),
  }
  // Without the pause: each answer counts once, so a dial that is only almost due would have to wait for the old time after all.
  return { pauses, waitMs: dials > 0 ? -lostMs - lossMinMs : pauseMs }
}
