// The election of a leader where there is no Lease to hold (LEADER_ELECTION=none): whoever has heard no other leader's beat for
// five seconds may try. The fence decides among those who try at once; this only keeps a standby from trying in vain.
export type LoneElection = { readonly quietSinceMs: number }

// Five missed beats are no accident any more.
export const silenceMs = 5_000

export const startWaiting = (nowMs: number): LoneElection => ({ quietSinceMs: nowMs })

/** Somebody else leads. */
export const hearBeat = (_: LoneElection, nowMs: number): LoneElection => ({ quietSinceMs: nowMs })

export const mayTry = ({ quietSinceMs }: LoneElection, nowMs: number): boolean => nowMs - quietSinceMs >= silenceMs
export const nextTryAtMs = ({ quietSinceMs }: LoneElection): number => quietSinceMs + silenceMs
