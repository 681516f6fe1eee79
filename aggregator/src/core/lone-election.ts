// The election of a leader where there is no Lease to hold (LEADER_ELECTION=none): whoever has heard no other leader's beat for
// four seconds may try. The fence decides among those who try at once; this only keeps a standby from trying in vain.
export type LoneElection = { readonly quietSinceMs: number }

// A beat comes each second: four missed ones are no accident any more. And what the next leader has to say before its first complete
// beat has to be said within the five seconds after which gateways mark everything, or every takeover would be seen.
export const silenceMs = 4_000

export const startWaiting = (nowMs: number): LoneElection => ({ quietSinceMs: nowMs })

/** Somebody else leads. */
export const hearBeat = (_: LoneElection, nowMs: number): LoneElection => ({ quietSinceMs: nowMs })

export const mayTry = ({ quietSinceMs }: LoneElection, nowMs: number): boolean => nowMs - quietSinceMs >= silenceMs
export const nextTryAtMs = ({ quietSinceMs }: LoneElection): number => quietSinceMs + silenceMs

// 2020-01-01: counted in seconds, what is since then is believed as the transitions of a Lease until 2054.
const beginningMs = 1_577_836_800_000

/**
 * A claim takes a term above this one. What is recorded may be less than what gateways heard: the store was taken back, or the stream
 * lost, and the leader with it; one more than the recorded term could then be a term that was used before, or a lower one, which
 * nobody follows. By the clock it is higher, since claims of others are seconds apart and clocks go roughly right. A Lease counts its
 * own transitions, and has the clock for the case that somebody takes them away together with the stream.
 */
export const termFloorAt = (wallMs: number): number => Math.max(0, Math.floor(wallMs - beginningMs))
