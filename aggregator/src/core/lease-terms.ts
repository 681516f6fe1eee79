// The terms that a Lease opens: each of its transitions a thousand of them, to whoever holds it then and to nobody else ever.
//
//   transitions 7 -> terms 7000 ... 7999      in doubt: 7001, 7002, ... at once, without asking the API
//
// Were a term the transitions themselves, a leader in doubt would take the one that the next holder gets too: after a roll back
// both claim it, and gateways that heard the one never listen to the other (docs/FENCE.md, `plain-terms`).

// A doubt takes one, and a leader has a few in its life: a store that rolls back, an answer that is lost. A fresh claim also lies above
// the milliseconds since 2020 (lone-election.ts), so that transitions are the seconds since then or more: 220,000,000 of the
// 1,073,741,824 that are believed of a Lease, and enough until 2054. Nobody takes a Lease more often than once a second for long.
export const termsEach = 1_000

/** The first term of so many transitions. */
export const firstTermOf = (transitions: number): number => transitions * termsEach
/** So many transitions are needed before this term may be taken: those whose terms begin there or above. */
export const transitionsFor = (term: number): number => Math.ceil(term / termsEach)
/** Whether one holding of the Lease opened both. */
export const areOfOneHolding = (one: number, other: number): boolean =>
  Math.floor(one / termsEach) === Math.floor(other / termsEach)
